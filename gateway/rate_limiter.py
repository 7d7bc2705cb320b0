"""Limits on requests per minute, per API key and per account.

Each process counts the requests it admits. Once a second it adds its counts to the store and reads the totals of all
processes. A request therefore costs no database query, the limit holds over all processes, and a process exceeds it at
most by what the others admitted in that second.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from gateway.problems import OpenAiProblem
from gateway.site_view import SiteView
from gateway.store_threads import StoreThreads
from store.api_key_use import KeyHolder
from store.clock import Clock
from store.errors import StoreUnavailable
from store.request_rates import RequestRates
from store.sessions import digest

FLUSH_INTERVAL_S: Final = 1.0
"""Seconds between two visits to the store, while there are requests."""
MAX_SAVES_PER_MINUTE: Final = 60
"""Per account, by token: each save adds an entry to the audit log, which is kept."""
_MINUTE_S: Final = 60
_MAX_CACHED_HOLDERS: Final = 10_000


@dataclass(slots=True)
class _MinuteCounts:
    """The counts of one minute, by limit name."""

    number: int
    local: dict[str, int] = field(default_factory=dict)
    unflushed: dict[str, int] = field(default_factory=dict)
    remote: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CountedRequest:
    """The counts that one request was added to."""

    minute: int = 0
    names: tuple[str, ...] = ()


class RateLimiter:
    """The counts of one process, on one event loop."""

    def __init__(self, rates: RequestRates, clock: Clock, threads: StoreThreads) -> None:
        self._rates = rates
        self._clock = clock
        self._threads = threads
        self._counts = _MinuteCounts(0)
        self._holders: OrderedDict[bytes, KeyHolder] = OrderedDict()
        self._accounts: OrderedDict[bytes, int] = OrderedDict()
        self._flush_task: asyncio.Task[None] | None = None

    async def key_holder(self, name: bytes, look_up: Callable[[], KeyHolder]) -> KeyHolder:
        """The holder of the credential of this name, cached. A key may have been revoked since: use it for counting,
        never for authorization."""
        known = self._holders.get(name)
        if known is None:
            known = self._holders[name] = await self._threads.read(look_up)
            while len(self._holders) > _MAX_CACHED_HOLDERS:
                self._holders.popitem(last=False)
        self._holders.move_to_end(name)
        return known

    def count(self, holder: KeyHolder, site: SiteView) -> CountedRequest:
        """Count one request of `holder`. Raises `OpenAiProblem` 429 beyond a limit, without counting."""
        limits = {f"account:{holder.account_id}": (site.requests_per_minute_of_account, "This account")}
        if holder.key_id is not None:
            limits[f"key:{holder.key_id}"] = (site.requests_per_minute_of_key, "This API key")
        return self._count(limits)

    def count_token(self, token: str, site: SiteView, *, is_save: bool) -> CountedRequest:
        """Count one request with a System Access Token, if its account is cached. Raises `OpenAiProblem` 429."""
        account_id = self._accounts.get(digest(token))
        if account_id is None:
            return CountedRequest()
        limits = {f"account:{account_id}": (site.requests_per_minute_of_account, "This account")}
        if is_save:
            limits[f"saves:{account_id}"] = (MAX_SAVES_PER_MINUTE, "For changes of its settings, this account")
        return self._count(limits)

    def remember(self, token: str, account_id: int) -> None:
        """Cache the account of `token`, which was just accepted."""
        self._accounts[digest(token)] = account_id
        while len(self._accounts) > _MAX_CACHED_HOLDERS:
            self._accounts.popitem(last=False)

    def forget(self, name: bytes, counted: CountedRequest) -> None:
        """Drop the cached holder of a refused credential, and undo the count of its request. `name` is its hash.

        Otherwise anyone with a revoked secret could use up the requests of the account.
        """
        self._holders.pop(name, None)
        self._accounts.pop(name, None)
        counts = self._counts
        if counts.number == counted.minute:
            for limit in counted.names:
                counts.local[limit] -= 1
                counts.unflushed[limit] = counts.unflushed.get(limit, 0) - 1

    def _count(self, limits: Mapping[str, tuple[int, str]]) -> CountedRequest:
        now = int(self._clock.now().timestamp())
        counts = self._counts_of_minute(now // _MINUTE_S)
        for name, (limit, subject) in limits.items():
            if limit and counts.local.get(name, 0) + counts.remote.get(name, 0) >= limit:
                raise _too_many(subject, limit, _MINUTE_S - now % _MINUTE_S)
        names = tuple(name for name, (limit, _) in limits.items() if limit)
        for name in names:
            counts.local[name] = counts.local.get(name, 0) + 1
            counts.unflushed[name] = counts.unflushed.get(name, 0) + 1
        if counts.unflushed and self._flush_task is None:
            self._flush_task = asyncio.create_task(self._keep_flushing())
        return CountedRequest(counts.number, names)

    async def aclose(self) -> None:
        """Stop the flush task."""
        if self._flush_task is not None:
            self._flush_task.cancel()
            await asyncio.wait({self._flush_task})

    def _counts_of_minute(self, number: int) -> _MinuteCounts:
        if self._counts.number != number:
            self._counts = _MinuteCounts(number)
        return self._counts

    async def _keep_flushing(self) -> None:
        try:
            while self._counts.unflushed:
                await asyncio.sleep(FLUSH_INTERVAL_S)
                with contextlib.suppress(StoreUnavailable):  # retried with the next flush
                    await self._flush()
        finally:
            self._flush_task = None

    async def _flush(self) -> None:
        counts = self._counts
        flushed, counts.unflushed = counts.unflushed, {}
        minute = datetime.fromtimestamp(counts.number * _MINUTE_S, UTC)
        try:
            totals = await self._threads.write(lambda tx: self._rates.add(tx, flushed, minute), durable=False)
        except StoreUnavailable:
            for name, count in flushed.items():
                counts.unflushed[name] = counts.unflushed.get(name, 0) + count
            raise
        for name, total in totals.items():
            counts.remote[name] = max(total - (counts.local[name] - counts.unflushed.get(name, 0)), 0)


def _too_many(subject: str, limit: int, seconds: int) -> OpenAiProblem:
    sentence = f"{subject} may make {limit:,} requests per minute, and has made them. Try again in {seconds} seconds."
    return OpenAiProblem(429, sentence, code="rate_limit_exceeded", headers={"Retry-After": str(seconds)})
