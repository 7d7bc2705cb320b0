"""How many bytes of requests are held in memory, of each account and in all."""

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
    """What is held: of each account as announced, in all as it has come in.

    An announcement costs its client nothing: a few accounts that announce much and send little would leave no room for
    the others.
    """

    def __init__(self) -> None:
        self.held: Counter[int] = Counter()
        self.arrived = 0

    def of(self, account_id: int, site: SiteView) -> "BodyReservation":
        """A claim of nothing yet, to be left when the body is no longer held."""
        return BodyReservation(self, account_id, site)


class BodyReservation:
    """The bytes of one body. It grows before they are read, and is given back on leaving it."""

    def __init__(self, bodies: BodyMemory, account_id: int, site: SiteView) -> None:
        self._body_memory = bodies
        self._account_id = account_id
        self._site = site
        self._announced = 0
        self._arrived = 0

    def announce(self, size: int) -> None:
        """Claim `size` bytes of what the account may have. Raises as `grow_to`, also where there is no room now."""
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
        """Claim `size` bytes altogether. Raises `OpenAiProblem`: 429 for the account's limit, 503 for that of all."""
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
