"""How many bytes of requests are held in memory, of each account and in all."""

from collections import Counter
from types import TracebackType
from typing import Final, Self

from gateway.problems import OpenAiProblem
from gateway.site_view import SiteView

_MIB: Final = 1024 * 1024
_LATER: Final = {"Retry-After": "5", "Connection": "close"}
_OF_ACCOUNT: Final = "This account has requests of {} MiB under way, which is as much as it may have at once."
_IN_ALL: Final = "The gateway has as many large requests under way as it can hold."


class Bodies:
    """What is held, by account."""

    def __init__(self) -> None:
        self.held: Counter[int] = Counter()

    def of(self, account_id: int, site: SiteView) -> "Claim":
        """A claim of nothing yet, to be left when the body is no longer held."""
        return Claim(self.held, account_id, site)


class Claim:
    """The bytes of one body. It grows before they are read, and is given back on leaving it."""

    def __init__(self, held: Counter[int], account_id: int, site: SiteView) -> None:
        self._held = held
        self._account_id = account_id
        self._site = site
        self._bytes = 0

    def grow_to(self, size: int) -> None:
        """Claim `size` bytes altogether. Raises `OpenAiProblem`: 429 for the account's limit, 503 for that of all."""
        more = size - self._bytes
        if more <= 0:
            return
        if self._held[self._account_id] + more > self._site.body_mib_of_account * _MIB:
            sentence = _OF_ACCOUNT.format(self._site.body_mib_of_account)
            raise OpenAiProblem(429, sentence, code="rate_limit_exceeded", headers=_LATER)
        if self._held.total() + more > self._site.body_mib * _MIB:
            raise OpenAiProblem(503, _IN_ALL, code="overloaded", headers=_LATER)
        self._held[self._account_id] += more
        self._bytes = size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held[self._account_id] -= self._bytes
        if not self._held[self._account_id]:
            del self._held[self._account_id]
