"""Slow hashes for what people choose or keep on paper (argon2id, RFC 9106), at most two at once."""

import threading
from dataclasses import dataclass
from typing import Final

from passlib.context import CryptContext
from passlib.exc import PasswordSizeError, UnknownHashError

AT_ONCE: Final = 2
"""Each hash of a password holds 64 MiB; two at once keep a burst of sign-ins from taking the machine's memory."""


@dataclass(frozen=True, slots=True)
class Cost:
    """argon2id parameters: memory in KiB, passes, lanes."""

    memory_kib: int
    passes: int
    lanes: int


PASSWORD_COST: Final = Cost(65536, 3, 4)
"""RFC 9106, second recommended option."""
CODE_COST: Final = Cost(19456, 2, 1)
"""OWASP's minimum for argon2id: a backup code is 80 random bits, and ten are tried at once."""


class Hasher:
    """Hashes and verifies passwords and backup codes. Threads may share it."""

    def __init__(self, password_cost: Cost = PASSWORD_COST, code_cost: Cost = CODE_COST) -> None:
        self._passwords = _context(password_cost)
        self._codes = _context(code_cost)
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._decoy: str | None = None

    def hash_password(self, password: str) -> str:
        """The PHC string of `password`, parameters included."""
        with self._slots:
            return str(self._passwords.hash(password))

    def check_password(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether `password` fits `stored`, and a new PHC string if the old one was made at a lower cost.

        With nothing stored it works as long and says no: an unknown name takes as much time as a wrong password.
        """
        with self._slots:
            try:
                fits, renewed = self._passwords.verify_and_update(password, stored or self._get_decoy())
            except (UnknownHashError, PasswordSizeError, ValueError):
                return False, None
            return (bool(fits), renewed) if stored else (False, None)

    def hash_code(self, code: str) -> str:
        """The PHC string of a backup code."""
        with self._slots:
            return str(self._codes.hash(code))

    def check_code(self, code: str, stored: str) -> bool:
        """Whether `code` fits `stored`."""
        with self._slots:
            try:
                return bool(self._codes.verify(code, stored))
            except (UnknownHashError, ValueError):
                return False

    def _get_decoy(self) -> str:
        if self._decoy is None:
            self._decoy = str(self._passwords.hash("a password nobody has"))
        return self._decoy


def _context(cost: Cost) -> CryptContext:
    return CryptContext(
        schemes=["argon2"],
        argon2__type="ID",
        argon2__memory_cost=cost.memory_kib,
        argon2__time_cost=cost.passes,
        argon2__parallelism=cost.lanes,
    )
