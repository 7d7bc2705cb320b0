"""The figures of the page Overview, from the server's statistics by hour and the sums of its log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from store.errors import InvalidNumber, ServerFailed
from tui.remote_account.overview import RemoteOverview, checks_of
from tui.remote_account.usage import logged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remote.api_keys import RemoteKey
    from remote.usage import ModelHour
    from store.values.dashboard import Dashboard
    from store.values.usage import DayTotal, LoggedEntry, UsageTotal

MAXIMUM_DAYS: Final = 366
ASKED_KEYS: Final = 8
"""The server sums up one key at a time: so many, those used last, are asked for."""
SHOWN_ERRORS: Final = 5
FRESH_FOR: Final = timedelta(minutes=1)
"""A page that reads itself again gets the same figures for so long: the server limits the requests of an address."""
OTHERS: Final = "all others"
_WINDOW: Final = timedelta(days=30)
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_COMPARED: Final = 30
"""The days of the tile of a month, for which the days before are needed whatever range is chosen."""


class RemoteDashboard(RemoteOverview):
    """`DashboardService` on a server."""

    async def dashboard(self, days: int = 30, *, is_activity: bool = True) -> Dashboard:
        self._check_open()
        if not 1 <= days <= MAXIMUM_DAYS:
            raise InvalidNumber
        if self._figures_of != self._client.name:  # another account has signed in
            self._figures_of, self._hours, self._figures = self._client.name, {}, {}
            self._figures_asked_at, self._figures_failed = {}, {}
        now = self._now()
        known, asked_at = self.known_figures(days), self._figures_asked_at.get(days)
        if is_activity or known is None or asked_at is None:
            return await self._read_figures(days, now)
        if now - asked_at < FRESH_FOR:
            if days in self._figures_failed:
                raise self._figures_failed[days]
            return known
        # The page asks again before a slow server has answered: the reading goes on.
        reading = asyncio.create_task(self._read_figures(days, now))
        self._readings.add(reading)
        reading.add_done_callback(self._reading_ended)
        return await asyncio.shield(reading)

    def known_figures(self, days: int) -> Dashboard | None:
        """The figures that were read last, without a question to the server; None if none were."""
        return self._figures.get(days)

    def _reading_ended(self, reading: asyncio.Task[Dashboard]) -> None:
        self._readings.discard(reading)
        if not reading.cancelled():
            reading.exception()  # whoever asked may have gone; the next reading tells what is wrong

    async def _read_figures(self, days: int, now: datetime) -> Dashboard:
        name, self._figures_asked_at[days] = self._client.name, now
        self._figures_failed.pop(days, None)
        try:
            found = await self._ask_for_figures(days, now)
        except ServerFailed as error:
            self._figures_failed[days] = error
            raise
        if name == self._figures_of:
            self._figures[days] = found
        return found

    async def _ask_for_figures(self, days: int, now: datetime) -> Dashboard:
        from remote.quota_units import micro_usd_of
        from store.values.billing import QuotaState
        from store.values.dashboard import Dashboard, period

        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight - (days - 1) * _DAY
        account, settings, status = await asyncio.gather(
            self._account(), self._client.settings.read(), self._two_factor_status()
        )
        hours, today, errors, errors_before, errors_today = await asyncio.gather(
            self._hours_of(2 * max(days, _COMPARED), midnight),
            self._today(midnight),
            self._errors(since),
            self._errors(since - days * _DAY, since - _SECOND),
            self._errors(midnight),
        )
        totals = _days_of(hours, 2 * max(days, _COMPARED), midnight, today)
        shown, month = period(totals, days), period(totals, _COMPARED)
        per_usd = self._known.quota_per_usd
        quota = QuotaState(micro_usd_of(account.quota, per_usd), 0, micro_usd_of(account.used_quota, per_usd))
        day = period(totals, 1)
        return Dashboard(
            quota=quota,
            threshold_micro_usd=settings.form.threshold_micro_usd,
            today=replace(day, now=day.now._replace(errors=errors_today[0])),
            week=period(totals, 7),
            month=month,
            chosen=replace(
                shown,
                now=shown.now._replace(errors=errors[0]),
                before=shown.before._replace(errors=errors_before[0]),
            ),
            days=totals[-days:],
            by_model=_by_model(hours, since),
            by_key=await self._by_key(since),
            last_errors=errors[1],
            last_deliveries=(),
            checks=checks_of(settings, account.email, status),
        )

    async def _hours_of(self, days: int, midnight: datetime) -> list[ModelHour]:
        """The statistics of `days` days to the end of today. The server gives thirty at a time; old ones are kept."""
        start = midnight + _DAY - _WINDOW
        found = list(await self._client.usage.statistics(start, start + _WINDOW - _SECOND))
        first = midnight - (days - 1) * _DAY
        while start > first:
            start -= _WINDOW
            if start not in self._hours:
                self._hours[start] = await self._client.usage.statistics(start, start + _WINDOW - _SECOND)
            found += self._hours[start]
        return found

    async def _today(self, midnight: datetime) -> tuple[int, int]:
        """Calls and cost of today by the log, which is ahead of the statistics."""
        from remote.usage import LogFilter, LogKind

        only = LogFilter(LogKind.CONSUMPTION, since=midnight)
        page, sums = await asyncio.gather(self._client.usage.page(only, 1, 1), self._client.usage.totals(only))
        return page.total, sums.cost_micro_usd

    async def _errors(self, since: datetime, until: datetime | None = None) -> tuple[int, tuple[LoggedEntry, ...]]:
        """The number of errors that the server has logged, and the last ones."""
        from remote.usage import LogFilter, LogKind

        only = LogFilter(LogKind.ERROR, since=since, until=until)
        page = await self._client.usage.page(only, 1, SHOWN_ERRORS)
        rows = (logged(one, page.total - place) for place, one in enumerate(page.entries))
        return page.total, tuple(row for row in rows if row is not None)

    async def _by_key(self, since: datetime) -> tuple[UsageTotal, ...]:
        """The cost of each key by its name, the dearest first, and of everything else together."""
        from remote.usage import LogFilter, LogKind

        only = LogFilter(LogKind.CONSUMPTION, since=since)
        keys = await self._client.api_keys.all()
        names = _used_last([key for key in keys if key.last_used_at is not None and key.last_used_at >= since])
        asked = (only, *(replace(only, key_name=name) for name in names))
        whole, *each = await asyncio.gather(*(self._client.usage.totals(one) for one in asked))
        found = [_total(name, sums.cost_micro_usd) for name, sums in zip(names, each, strict=True)]
        found = sorted((one for one in found if one.cost_micro_usd), key=lambda one: (-one.cost_micro_usd, one.name))
        rest = whole.cost_micro_usd - sum(one.cost_micro_usd for one in found)
        return (*found, _total(OTHERS, rest)) if rest > 0 else tuple(found)


def _used_last(keys: Sequence[RemoteKey]) -> list[str]:
    """The names of the keys that were used last. Without a name the server would sum up everything."""
    newest = sorted(keys, key=lambda key: (key.last_used_at is None, key.last_used_at), reverse=True)
    return list(dict.fromkeys(key.name for key in newest if key.name))[:ASKED_KEYS]


def _days_of(
    hours: Sequence[ModelHour], count: int, midnight: datetime, today: tuple[int, int]
) -> tuple[DayTotal, ...]:
    """The totals of each of `count` days, the oldest first. Errors are not counted by day."""
    from store.values.usage import DayTotal

    names = [f"{(midnight - before * _DAY).date()}" for before in reversed(range(count))]
    sums = {name: [0, 0, 0] for name in names}
    for hour in hours:
        day = sums.get(f"{hour.at.date()}")
        if day is not None:
            day[:] = day[0] + hour.calls, day[1] + hour.tokens, day[2] + hour.cost_micro_usd
    last = sums[names[-1]]
    last[0], last[2] = max(last[0], today[0]), max(last[2], today[1])
    return tuple(DayTotal(name, calls, 0, tokens, cost) for name, (calls, tokens, cost) in sums.items())


def _by_model(hours: Sequence[ModelHour], since: datetime) -> tuple[UsageTotal, ...]:
    """The totals of each model, the dearest first."""
    from store.values.usage import UsageTotal

    found: dict[str, UsageTotal] = {}
    for hour in hours:
        if hour.at >= since:
            known = found.get(hour.model, UsageTotal(hour.model, 0, 0, 0, 0))
            found[hour.model] = known._replace(
                calls=known.calls + hour.calls,
                tokens=known.tokens + hour.tokens,
                cost_micro_usd=known.cost_micro_usd + hour.cost_micro_usd,
            )
    return tuple(sorted(found.values(), key=lambda one: (-one.cost_micro_usd, one.name)))


def _total(name: str, cost_micro_usd: int) -> UsageTotal:
    from store.values.usage import UsageTotal

    return UsageTotal(name, 0, 0, 0, cost_micro_usd)
