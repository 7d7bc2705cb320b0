"""The usage log, read from the newest entry down, page by page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from store.errors import NotOnThisServer
from store.values.capabilities import UNKNOWN_TIME
from tui.remote_account.task_logs import STATUSES, RemoteTaskLogs, end_of, note_newest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from remote.usage import LogEntry, LogFilter
    from store.row_export import ExportPage, Told
    from store.values.row_export import Exported, ExportFormat, ExportProgress
    from store.values.usage import DayTotal, LoggedEntry, UsageChoices, UsageFilter, UsagePage
    from tui.remote_account.row_export import Reads
    from tui.remote_account.topic import ReadUntil

_PAGE_SIZE: Final = 50
_OK: Final = "ok"
_ERROR: Final = "error"


class RemoteUsage(RemoteTaskLogs):
    """`UsageService` on a server."""

    async def usage_page(self, only: UsageFilter, before: int | None = None) -> UsagePage:
        """The entries of one page that match. `before` is the number of a page."""
        return await self._usage_page(only, before, self._read_until, _PAGE_SIZE)

    async def _usage_page(
        self, only: UsageFilter, before: int | None, read_until: ReadUntil, page_size: int
    ) -> UsagePage:
        from store.values.usage import Kind, UsagePage

        self._check_open()
        if only.kind in (Kind.DRAWING, Kind.TASK):
            return await self._task_page(only, before, read_until, page_size)
        asked = replace(_asked(only), until=end_of(only, before, read_until))
        page = await self._client.usage.page(asked, before or 1, page_size)
        if before is None:
            note_newest(read_until, only, page.entries[0].at if page.entries else None)
        first = page.total - (page.page - 1) * page.page_size
        entries = tuple(
            found
            for place, one in enumerate(page.entries)
            if (found := logged(one, first - place)) is not None and _matches(found, only)
        )
        return UsagePage(entries, page.page + 1 if page.has_next else None)

    async def usage_page_after(self, *_: Any) -> UsagePage:
        raise NotOnThisServer

    async def usage_choices(self) -> UsageChoices:
        from store.values.usage import UsageChoices

        self._check_open()
        models = await self._client.models.available()
        keys = await self._client.api_keys.all()
        names = tuple(sorted({key.name for key in keys}))
        found = tuple(sorted({*models, *self._actions}))
        return UsageChoices(found[:200], names[:200], tuple(sorted((_ERROR, _OK, *STATUSES))))

    async def daily_usage(self, count: int = 30) -> list[DayTotal]:
        """The totals that the server keeps by hour, for at most thirty days. It counts no errors."""
        from store.values.usage import DayTotal

        self._check_open()
        now = self._now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        days: dict[str, DayTotal] = {}
        for hour in await self._client.usage.statistics(midnight - timedelta(days=count - 1), now):
            day = f"{hour.at.date()}"
            known = days.get(day, DayTotal(day, 0, 0, 0, 0))
            days[day] = DayTotal(
                day,
                known.calls + hour.calls,
                0,
                known.tokens + hour.tokens,
                known.cost_micro_usd + hour.cost_micro_usd,
            )
        return [days[day] for day in sorted(days)]

    async def export_usage(
        self, path: Path, form: ExportFormat, only: UsageFilter, told: Callable[[ExportProgress], None]
    ) -> Exported:
        return await self._export(path, lambda reads, count: self.usage_pieces(form, only, reads, count), told)

    def usage_pieces(self, form: ExportFormat, only: UsageFilter, reads: Reads, told: Told) -> Iterator[str]:
        """The log as a file in pieces. `reads` waits for each page, and raises what its read raises."""
        from remote.usage import MAX_PAGE_SIZE
        from store.export_rows import CALL_COLUMNS, CALL_TEXTS, call_row
        from store.row_export import ExportPage, export_pieces

        read_until: ReadUntil = {}

        def pages() -> Iterator[ExportPage]:
            # Entries are numbered from the oldest, which has 1.
            newest, at, following = 0, 0, None
            while True:
                page = reads(partial(self._usage_page, only, following, read_until, MAX_PAGE_SIZE))
                newest = newest or (page.entries[0].id if page.entries else 0)
                at = page.entries[-1].id if page.entries else at
                following = page.next_before
                share = 1.0 if following is None or not newest else (newest - at) / newest
                yield ExportPage([call_row(logged) for logged in page.entries], share)
                if following is None:
                    return

        return export_pieces(pages(), form, CALL_COLUMNS, CALL_TEXTS, told)

    async def count_ips(self) -> int:
        raise NotOnThisServer

    async def erase_ips(self) -> int:
        raise NotOnThisServer


def _asked(only: UsageFilter) -> LogFilter:
    """The part of a filter that the server knows. The rest is left out here, from each page."""
    from remote.usage import LogFilter, LogKind
    from store.values.usage import Kind

    kinds = {Kind.CONSUMPTION: LogKind.CONSUMPTION, Kind.ERROR: LogKind.ERROR}
    return LogFilter(
        kind=LogKind.ALL if only.kind is None else kinds.get(only.kind, LogKind.ALL),
        since=only.since,
        until=only.until,
        key_name=only.keys[0] if len(only.keys) == 1 else "",
        model=only.models[0] if len(only.models) == 1 and "%" not in only.models[0] else "",
    )


def _matches(found: LoggedEntry, only: UsageFilter) -> bool:
    entry = found.entry
    return (
        (only.kind is None or entry.kind is only.kind)
        and (not only.models or entry.model in only.models)
        and (not only.keys or entry.api_key_name in only.keys)
        and (not only.statuses or entry.status in only.statuses)
        and (only.ip is None or entry.client_ip == only.ip)
        and (only.until is None or found.at < only.until)
    )


def logged(one: LogEntry, number: int) -> LoggedEntry | None:
    """A call of the log; None for an entry of another kind, such as a top-up or a sign-in."""
    from remote.usage import LogKind
    from store.values.usage import Kind, LoggedEntry, UsageEntry

    kinds = {LogKind.CONSUMPTION: Kind.CONSUMPTION, LogKind.ERROR: Kind.ERROR}
    kind = kinds.get(one.kind)  # type: ignore[call-overload] # an unknown number is none of the keys
    if kind is None:
        return None
    is_error = kind is Kind.ERROR
    entry = UsageEntry(
        kind=kind,
        model=one.model,
        api_key_name=one.key_name,
        request_id=one.request_id,
        status=_ERROR if is_error else _OK,
        detail=one.content if is_error else "",
        prompt_tokens=one.prompt_tokens,
        completion_tokens=one.completion_tokens,
        cost_micro_usd=one.cost_micro_usd,
        duration_ms=one.duration_s * 1000,
        unpriced=one.is_unpriced,
        client_ip=one.ip or None,
        cached_tokens=one.cached_tokens,
    )
    return LoggedEntry(number, one.at or UNKNOWN_TIME, entry)
