"""Slow hashes for what people choose or keep on paper (argon2id, RFC 9106), at most two at once.

A refused password costs the same work whoever it was for: an account with a hash of today's cost, one with an older
and cheaper hash, one without a password, or a name nobody has. The time an answer takes then names nobody.
"""

import hashlib
import re
import threading
from base64 import b64encode
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

    @property
    def work(self) -> int:
        """KiB of memory filled, over all passes: what the time of a hash goes with."""
        return self.memory_kib * self.passes


PASSWORD_COST: Final = Cost(65536, 3, 4)
"""RFC 9106, second recommended option."""
CODE_COST: Final = Cost(19456, 2, 1)
"""OWASP's minimum for argon2id: a backup code is 80 random bits, and ten are tried at once."""
UNREADABLE: Final = (UnknownHashError, PasswordSizeError, ValueError, TypeError)
"""What passlib raises for a stored hash that is damaged (TypeError: its base64 is), and for text it cannot hash."""
_PARAMETERS: Final = re.compile(r"\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$")
_DECOY_SALT: Final = b"gatekey: a decoy"
_BLOCKS_PER_LANE: Final = 8
"""KiB. Less memory than this for each lane argon2 does not take (RFC 9106, 3.1)."""


class Hasher:
    """Hashes and verifies passwords and backup codes. Threads may share it."""

    def __init__(self, password_cost: Cost = PASSWORD_COST, code_cost: Cost = CODE_COST) -> None:
        self._passwords = _context(password_cost)
        self._codes = _context(code_cost)
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._cost = password_cost
        self._decoy = decoy(password_cost)

    def hash_password(self, password: str) -> str:
        """The PHC string of `password`, parameters included."""
        with self._slots:
            return str(self._passwords.hash(password))

    def check_password(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether `password` fits `stored`, and a new PHC string if the old one was made at a lower cost.

        A no costs the work of one hash at today's cost, whatever is stored, and also where nothing is.
        """
        with self._slots:
            try:
                fits, renewed = self._passwords.verify_and_update(password, stored or self._decoy)
                if stored and fits:
                    return True, renewed
                if stored:
                    self._make_up(password, stored)
            except UNREADABLE:
                self._refuse(password)
            return False, None

    def hash_code(self, code: str) -> str:
        """The PHC string of a backup code."""
        with self._slots:
            return str(self._codes.hash(code))

    def check_code(self, code: str, stored: str) -> bool:
        """Whether `code` fits `stored`."""
        with self._slots:
            try:
                return bool(self._codes.verify(code, stored))
            except UNREADABLE:
                return False

    def _make_up(self, password: str, stored: str) -> None:
        """The work that a check against a cheaper hash left out."""
        done = parameters(stored)
        missing = self._cost.work - done.work if done else 0
        if missing <= 0:
            return
        passes = -(-missing // self._cost.memory_kib)
        memory = max(missing // passes, _BLOCKS_PER_LANE * self._cost.lanes)
        _context(Cost(memory, passes, self._cost.lanes)).hash(password)

    def _refuse(self, password: str) -> None:
        """The work of a check, for a stored hash that cannot be read."""
        try:
            self._passwords.verify(password, self._decoy)
        except UNREADABLE:
            return


def decoy(cost: Cost) -> str:
    """A PHC string at `cost` that no known password fits, made without hashing one.

    Hashing one at the first wrong name would tell that name from a known one, in each process once more.
    """
    salt, digest = _base64(_DECOY_SALT), _base64(hashlib.sha256(_DECOY_SALT).digest())
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${digest}"


def parameters(stored: str) -> Cost | None:
    """The cost a PHC string of argon2id was made at, or None if it is none."""
    match = _PARAMETERS.match(stored)
    return Cost(*(int(number) for number in match.groups())) if match else None


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode().rstrip("=")


def _context(cost: Cost) -> CryptContext:
    return CryptContext(
        schemes=["argon2"],
        argon2__type="ID",
        argon2__memory_cost=cost.memory_kib,
        argon2__time_cost=cost.passes,
        argon2__parallelism=cost.lanes,
    )
