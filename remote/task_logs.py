"""The drawing log and the task log."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from remote.calls import Calls
from remote.fields import Fields, required
from remote.generations import KnownServer, ServerFacts
from remote.pages import Page
from remote.quota_units import micro_usd_of
from remote.usage import MAX_PAGE_SIZE
from store.errors import InvalidNumber

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SECOND: Final = timedelta(seconds=1)
_MILLISECONDS: Final = 100_000_000_000
"""Timestamps from here on are in milliseconds, as the drawing log has them."""


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """The entries to read. Both moments are included."""

    since: datetime | None = None
    until: datetime | None = None
    status: str = ""
    """The server's own word, such as SUCCESS. Drawings cannot be asked for by it."""

    def params(self, unit: timedelta) -> dict[str, str]:
        """The query. What is not asked for is left out: the drawing log would take a 0 for a moment."""
        found = {"start_timestamp": _stamp(self.since, unit), "end_timestamp": _stamp(self.until, unit)}
        return {name: value for name, value in (*found.items(), ("status", self.status)) if value}


EVERY_TASK: Final = TaskFilter()


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """One drawing or one task."""

    id: int
    """The server's number of the entry; 0 if it does not tell."""
    task_id: str
    action: str
    model: str
    """Empty where the server does not tell; of a drawing it never does."""
    status: str
    submitted_at: datetime | None
    finished_at: datetime | None
    progress: str
    """Such as 100%."""
    fail_reason: str
    cost_micro_usd: int
    prompt: str = ""


class TaskLogs:
    """Reads both logs."""

    def __init__(self, calls: Calls, server: KnownServer) -> None:
        self._calls = calls
        self._server = server

    async def drawings(self, page: int = 1, page_size: int = 50, only: TaskFilter = EVERY_TASK) -> Page[TaskEntry]:
        """One page of the drawing log. Raises `InvalidNumber` for a page that cannot be, and the session errors."""
        moments = TaskFilter(only.since, only.until)
        return await self._page("/api/mj/self", page, page_size, moments.params(_MILLISECOND))

    async def tasks(self, page: int = 1, page_size: int = 50, only: TaskFilter = EVERY_TASK) -> Page[TaskEntry]:
        """One page of the task log. As `drawings`."""
        return await self._page("/api/task/self", page, page_size, only.params(_SECOND))

    async def _page(self, path: str, page: int, page_size: int, only: dict[str, str]) -> Page[TaskEntry]:
        facts = await self._server.facts()
        if page < 1 or not 1 <= page_size <= MAX_PAGE_SIZE:
            raise InvalidNumber
        data = required(await self._calls.read(path, {"p": str(page), "page_size": str(page_size), **only}))
        entries = tuple(_entry(row, facts) for row in data.items("items"))
        return Page(entries, page, page_size, data.whole("total"))


def _entry(row: Fields, facts: ServerFacts) -> TaskEntry:
    return TaskEntry(
        id=row.whole("id"),
        task_id=row.text("task_id", 200) or row.text("mj_id", 200),
        action=row.text("action", 80),
        model=row.object("properties").text("origin_model_name", 200),
        status=row.text("status", 80),
        submitted_at=_time(row, "submit_time"),
        finished_at=_time(row, "finish_time"),
        progress=row.text("progress", 20),
        fail_reason=row.text("fail_reason", 500),
        cost_micro_usd=micro_usd_of(row.whole("quota"), facts.quota_per_usd),
        prompt=row.text("prompt", 1000) or row.object("properties").text("input", 1000),
    )


def _stamp(moment: datetime | None, unit: timedelta) -> str:
    return "" if moment is None else str((moment - _EPOCH) // unit)


def _time(row: Fields, name: str) -> datetime | None:
    number = row.whole(name)
    if not _MILLISECONDS <= number < 1000 * _MILLISECONDS:
        return row.time(name)
    return _EPOCH + timedelta(milliseconds=number)
