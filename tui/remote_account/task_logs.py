"""The drawing log and the task log, page by page, as entries of the usage log."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from store.values.capabilities import UNKNOWN_TIME
from tui.remote_account.row_export import ExportingTopic

if TYPE_CHECKING:
    from datetime import datetime

    from remote.task_logs import TaskEntry, TaskFilter
    from store.values.usage import Kind, LoggedEntry, UsageFilter, UsagePage
    from tui.remote_account.topic import ReadUntil

_WHOLE: Final = 100
_STATUSES: Final = {"SUCCESS": "completed", "FAILURE": "failed"}
"""The server's words that have another one here. Of the others only the case differs."""
STATUSES: Final = ("completed", "failed", "in_progress", "not_start", "queued", "submitted")


def end_of(only: UsageFilter, before: int | None, read_until: ReadUntil) -> datetime | None:
    """The moment up to which the log of `only.kind` is read; None for its first page."""
    return only.until or (None if before is None else read_until.get(only.kind))


def note_newest(read_until: ReadUntil, only: UsageFilter, newest: datetime | None) -> None:
    """Note the time of the newest entry on the first page. It is the server's: this machine's clock may be off."""
    if newest is None:
        read_until.pop(only.kind, None)
    else:
        read_until[only.kind] = newest


class RemoteTaskLogs(ExportingTopic):
    """Reads both logs. A drawing or task has its action in the place of a model, where the server tells no model."""

    async def _task_page(
        self, only: UsageFilter, before: int | None, read_until: ReadUntil, page_size: int
    ) -> UsagePage:
        """The drawings or tasks of one page that match. `before` is the number of a page."""
        from store.values.usage import Kind, UsagePage

        if only.keys or only.ip:  # of no entry is either known
            return UsagePage((), None)
        read = self._client.task_logs.drawings if only.kind is Kind.DRAWING else self._client.task_logs.tasks
        page = await read(before or 1, page_size, _asked(only, end_of(only, before, read_until)))
        if before is None:
            note_newest(read_until, only, page.entries[0].submitted_at if page.entries else None)
        first = page.total - (page.page - 1) * page.page_size
        rows = [_logged(one, only.kind or Kind.TASK, first - place) for place, one in enumerate(page.entries)]
        self._actions.update(row.entry.model for row in rows if row.entry.model)
        found = tuple(row for row in rows if _matches(row, only))
        return UsagePage(found, page.page + 1 if page.has_next else None)


def _asked(only: UsageFilter, until: datetime | None) -> TaskFilter:
    """The part of a filter that the server knows. The rest is left out here, from each page."""
    from remote.task_logs import TaskFilter

    servers = {word: name for name, word in _STATUSES.items()}
    status = servers.get(only.statuses[0], only.statuses[0].upper()) if len(only.statuses) == 1 else ""
    return TaskFilter(only.since, until, status)


def _matches(found: LoggedEntry, only: UsageFilter) -> bool:
    return (
        (not only.models or found.entry.model in only.models)
        and (not only.statuses or found.entry.status in only.statuses)
        and (only.until is None or found.at < only.until)
    )


def _logged(one: TaskEntry, kind: Kind, number: int) -> LoggedEntry:
    from store.values.usage import LoggedEntry, UsageEntry

    took = one.finished_at - one.submitted_at if one.finished_at and one.submitted_at else timedelta(0)
    done = one.progress.rstrip("% ")
    is_known = done.isascii() and done.isdigit() and len(done) < 4
    entry = UsageEntry(
        kind=kind,
        model=" ".join(filter(None, (one.action, one.model))),
        request_id=one.task_id,
        status=_STATUSES.get(one.status, one.status.lower()),
        detail=one.fail_reason or one.prompt,
        cost_micro_usd=one.cost_micro_usd,
        duration_ms=max(0, took // timedelta(milliseconds=1)),
        task_done=min(int(done), _WHOLE) if is_known else None,
        task_total=_WHOLE,
    )
    return LoggedEntry(one.id if one.id > 0 else number, one.submitted_at or UNKNOWN_TIME, entry)
