"""The counts that the workers of one gateway share, as locks on the bytes of one file.

The kernel counts: a lock belongs to a process, and a process that is killed leaves none (fcntl(2), record locks). The
file has no name and no content. Each process opens it once, by inheritance: closing it would release all of its locks.
"""

import fcntl
import os
from typing import Final

_SEAT_OFFSET: Final = 0
_FIRST_OFFSET: Final = 4096
_SLOTS_OF_ACCOUNT: Final = 4096
"""Bytes for the calls of one account, more than any limit on them."""
_MAX_ACCOUNTS: Final = 2**50
"""Offsets have 63 bits."""


class WorkerLocks:
    """The locks of one process on the shared file. Only its event loop calls it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._own: dict[int, set[int]] = {}
        """The slots of this process by account. The kernel does not protect a process from itself."""

    def take_seat(self) -> bool:
        """Take the one seat of all workers; False if another process has it."""
        return self._lock(_SEAT_OFFSET)

    def leave_seat(self) -> None:
        """Leave the seat to another process."""
        self._unlock(_SEAT_OFFSET)

    def take_slot(self, account_id: int, limit: int) -> int | None:
        """Take one of `limit` slots of an account, which all workers share; None if all are taken."""
        own = self._own.setdefault(account_id, set())
        # Each process begins elsewhere, so that the first try succeeds and its locks lie together.
        first = os.getpid() * 61 % limit
        for number in range(limit):
            slot = (first + number) % limit
            if slot not in own and self._lock(_offset(account_id, slot)):
                own.add(slot)
                return slot
        if not own:
            del self._own[account_id]
        return None

    def free_slot(self, account_id: int, slot: int) -> None:
        """Give a slot back."""
        own = self._own[account_id]
        own.remove(slot)
        if not own:
            del self._own[account_id]
        self._unlock(_offset(account_id, slot))

    def _lock(self, offset: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except (BlockingIOError, PermissionError):  # POSIX allows both
            return False
        return True

    def _unlock(self, offset: int) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, offset)


def _offset(account_id: int, slot: int) -> int:
    return _FIRST_OFFSET + account_id % _MAX_ACCOUNTS * _SLOTS_OF_ACCOUNT + slot
