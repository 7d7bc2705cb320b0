"""Limit on concurrent calls per account."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
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
        self._taken: Counter[int] = Counter()

    @contextmanager
    def slot(self, account_id: int) -> Iterator[None]:
        """Count one call while the context is open. Raises `TooManyCalls` beyond `MAX_CALLS_PER_ACCOUNT`."""
        if self._locks is None:
            with self._counted(account_id):
                yield
            return
        slot = self._locks.take_slot(account_id, MAX_CALLS_PER_ACCOUNT)
        if slot is None:
            raise TooManyCalls
        try:
            yield
        finally:
            self._locks.free_slot(account_id, slot)

    @contextmanager
    def _counted(self, account_id: int) -> Iterator[None]:
        if self._taken[account_id] >= MAX_CALLS_PER_ACCOUNT:
            raise TooManyCalls
        self._taken[account_id] += 1
        try:
            yield
        finally:
            self._taken[account_id] -= 1
            if not self._taken[account_id]:
                del self._taken[account_id]
