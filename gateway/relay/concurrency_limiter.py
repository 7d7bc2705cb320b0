"""Limit on concurrent calls per account."""

from types import TracebackType
from typing import Final

from gateway.problems import OpenAiProblem
from gateway.worker_locks import WorkerLocks

MAX_CALLS_PER_ACCOUNT: Final = 250
_TOO_MANY_CALLS: Final = (
    "This account has {} calls under way, which is as many as it may have. Try again when one has ended."
)
_RETRY_AFTER_S: Final = "5"
"""Seconds."""


class TooManyCalls(OpenAiProblem):
    """The account has `MAX_CALLS_PER_ACCOUNT` calls under way."""

    def __init__(self) -> None:
        sentence, headers = _TOO_MANY_CALLS.format(MAX_CALLS_PER_ACCOUNT), {"Retry-After": _RETRY_AFTER_S}
        super().__init__(429, sentence, code="rate_limit_exceeded", headers=headers)


class ConcurrencyLimiter:
    """Counts the running calls of each account, so that none can use all connections.

    With `locks` the limit holds over all workers of the gateway, else in this process.
    """

    def __init__(self, locks: WorkerLocks | None = None) -> None:
        self._locks = locks
        self._taken: dict[int, int] = {}

    def slot(self, account_id: int) -> "Slot":
        """Count one call while the context is open. Entering raises `TooManyCalls` beyond `MAX_CALLS_PER_ACCOUNT`."""
        return Slot(self, account_id)

    def take(self, account_id: int) -> int:
        """Count one call; returns the number that `free` needs. Raises `TooManyCalls`."""
        if self._locks is not None:
            slot = self._locks.take_slot(account_id, MAX_CALLS_PER_ACCOUNT)
            if slot is None:
                raise TooManyCalls
            return slot
        taken = self._taken.get(account_id, 0)
        if taken >= MAX_CALLS_PER_ACCOUNT:
            raise TooManyCalls
        self._taken[account_id] = taken + 1
        return taken

    def free(self, account_id: int, slot: int) -> None:
        """Count one call less."""
        if self._locks is not None:
            self._locks.free_slot(account_id, slot)
        elif self._taken[account_id] > 1:
            self._taken[account_id] -= 1
        else:
            del self._taken[account_id]


class Slot:
    """The context of a call that is under way. A generator of `contextlib` takes each call four times as long."""

    __slots__ = ("_account_id", "_limiter", "_number")

    def __init__(self, limiter: ConcurrencyLimiter, account_id: int) -> None:
        self._limiter = limiter
        self._account_id = account_id

    def __enter__(self) -> None:
        self._number = self._limiter.take(self._account_id)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limiter.free(self._account_id, self._number)
