"""Password and backup code hashing (argon2id, RFC 9106), at most two hashes at once.

A refused password takes the same work for an account with a current hash, an account with an older and cheaper hash, an
account without a password, and an unknown name. Response times therefore do not reveal which names exist.
"""

import hashlib
import re
import threading
from base64 import b64encode
from typing import Any, Final, NamedTuple

from passlib.exc import PasswordSizeError, UnknownHashError
from passlib.hash import argon2

MAX_CONCURRENT_HASHES: Final = 2
"""The most concurrent hashes. Each password hash uses 64 MiB, so a burst of sign-ins cannot exhaust memory."""


class Cost(NamedTuple):
    """argon2id parameters: memory in KiB, passes, lanes."""

    memory_kib: int
    passes: int
    lanes: int

    @property
    def work(self) -> int:
        """KiB of memory filled over all passes. The time of a hash is proportional to it."""
        return self.memory_kib * self.passes


PASSWORD_COST: Final = Cost(65536, 3, 4)
"""RFC 9106, second recommended option."""
CODE_COST: Final = Cost(19456, 2, 1)
"""OWASP's minimum for argon2id: a backup code has 80 random bits, and one input is checked against ten hashes."""
UNREADABLE_HASH_ERRORS: Final = (UnknownHashError, PasswordSizeError, ValueError, TypeError)
"""The errors of passlib for a damaged stored hash (TypeError: damaged base64) and for text that cannot be hashed."""
_PARAMETERS: Final = re.compile(r"\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$")
_DUMMY_SALT: Final = b"gatekey: a decoy"
_MIN_KIB_PER_LANE: Final = 8
"""KiB. The least memory per lane that argon2 accepts (RFC 9106, 3.1)."""


class Hasher:
    """Hashes and verifies passwords and backup codes. Threads may share it."""

    def __init__(self, password_cost: Cost = PASSWORD_COST, code_cost: Cost = CODE_COST) -> None:
        self._passwords = _at_cost(password_cost)
        self._codes = _at_cost(code_cost)
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)
        self._cost = password_cost
        self._dummy = dummy_hash(password_cost)

    def hash_password(self, password: str) -> str:
        """The hash of `password` as a PHC string with its parameters."""
        with self._slots:
            return str(self._passwords.hash(password))

    def check_password(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """True if `password` matches `stored`; and a new PHC string if `stored` has a lower cost than today's.

        A mismatch always takes the work of one hash at today's cost, also if `stored` is None.
        """
        with self._slots:
            try:
                fits = self._passwords.verify(password, stored or self._dummy)
                if stored and fits:
                    is_cheaper = self._passwords.needs_update(stored)
                    return True, str(self._passwords.hash(password)) if is_cheaper else None
                if stored:
                    self._pad_work(password, stored)
            except UNREADABLE_HASH_ERRORS:
                self._dummy_check(password)
            return False, None

    def hash_code(self, code: str) -> str:
        """The hash of a backup code as a PHC string."""
        with self._slots:
            return str(self._codes.hash(code))

    def check_code(self, code: str, stored: str) -> bool:
        """True if `code` matches `stored`."""
        with self._slots:
            try:
                return bool(self._codes.verify(code, stored))
            except UNREADABLE_HASH_ERRORS:
                return False

    def _pad_work(self, password: str, stored: str) -> None:
        """Do the work that a check against a cheaper hash saved."""
        done = cost_of(stored)
        missing = self._cost.work - done.work if done else 0
        if missing <= 0:
            return
        passes = -(-missing // self._cost.memory_kib)
        memory = max(missing // passes, _MIN_KIB_PER_LANE * self._cost.lanes)
        _at_cost(Cost(memory, passes, self._cost.lanes)).hash(password)

    def _dummy_check(self, password: str) -> None:
        """Do the work of a check in place of an unreadable stored hash."""
        try:
            self._passwords.verify(password, self._dummy)
        except UNREADABLE_HASH_ERRORS:
            return


def dummy_hash(cost: Cost) -> str:
    """A PHC string at `cost` that matches no known password. No hash is computed for it.

    A hash at the first unknown name would make that response slower, once per process.
    """
    salt, digest = _base64(_DUMMY_SALT), _base64(hashlib.sha256(_DUMMY_SALT).digest())
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${digest}"


def cost_of(stored: str) -> Cost | None:
    """The cost in an argon2id PHC string, or None for other text."""
    match = _PARAMETERS.match(stored)
    return Cost(*(int(number) for number in match.groups())) if match else None


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode().rstrip("=")


def _at_cost(cost: Cost) -> Any:
    """argon2id with these parameters. Every stored hash is argon2id, so no `CryptContext` is needed."""
    algorithm: Any = argon2
    return algorithm.using(type="ID", memory_cost=cost.memory_kib, time_cost=cost.passes, parallelism=cost.lanes)
