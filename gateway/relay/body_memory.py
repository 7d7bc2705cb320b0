"""Limits on the bytes of request bodies in memory, per account and in total."""

from collections import Counter
from types import TracebackType
from typing import Final, Self

from gateway.problems import OpenAiProblem
from gateway.site_view import SiteView

_MIB: Final = 1024 * 1024
_RETRY_HEADERS: Final = {"Retry-After": "5", "Connection": "close"}
_ACCOUNT_LIMIT_REACHED: Final = (
    "This account has requests of {} MiB under way, which is as much as it may have at once."
)
_TOTAL_LIMIT_REACHED: Final = "The gateway has as many large requests under way as it can hold."


class BodyMemory:
    """Bytes in memory: per account as announced, in total as received.

    The total ignores announcements because they cost a client nothing: a few accounts could reserve all of it.
    """

    def __init__(self) -> None:
        self.held: Counter[int] = Counter()
        self.arrived = 0

    def of(self, account_id: int, site: SiteView) -> "BodyReservation":
        """An empty reservation. Leaving its context releases what it has grown to."""
        return BodyReservation(self, account_id, site)


class BodyReservation:
    """The reserved bytes of one body. It grows before each read; leaving its context releases it."""

    def __init__(self, bodies: BodyMemory, account_id: int, site: SiteView) -> None:
        self._body_memory = bodies
        self._account_id = account_id
        self._site = site
        self._announced = 0
        self._arrived = 0

    def announce(self, size: int) -> None:
        """Reserve `size` bytes of the account's limit. Raises like `grow_to`, also if the total is used up."""
        held, more = self._body_memory.held, size - self._announced
        if more <= 0:
            return
        if held[self._account_id] + more > self._site.body_mib_of_account * _MIB:
            sentence = _ACCOUNT_LIMIT_REACHED.format(self._site.body_mib_of_account)
            raise OpenAiProblem(429, sentence, code="rate_limit_exceeded", headers=_RETRY_HEADERS)
        self._need(size - self._arrived)
        held[self._account_id] += more
        self._announced = size

    def grow_to(self, size: int) -> None:
        """Reserve `size` bytes altogether. Raises `OpenAiProblem`: 429 for the account's limit, 503 for the total."""
        self.announce(size)
        more = size - self._arrived
        if more > 0:
            self._need(more)
            self._body_memory.arrived += more
            self._arrived = size

    def _need(self, more: int) -> None:
        if self._body_memory.arrived + more > self._site.body_mib * _MIB:
            raise OpenAiProblem(503, _TOTAL_LIMIT_REACHED, code="overloaded", headers=_RETRY_HEADERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._body_memory.arrived -= self._arrived
        self._body_memory.held[self._account_id] -= self._announced
        if not self._body_memory.held[self._account_id]:
            del self._body_memory.held[self._account_id]
