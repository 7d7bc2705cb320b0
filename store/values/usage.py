"""The usage log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from store.values.billing import ModelPrice


class Kind(StrEnum):
    """The kinds of log entries."""

    CONSUMPTION = "consumption"
    ERROR = "error"
    DRAWING = "drawing"
    TASK = "task"


FILE_MODEL: Final = "file"
CANCEL_MODEL: Final = "batch-cancel"
FREE_TASKS: Final = (FILE_MODEL, CANCEL_MODEL)
"""The model names of tasks that have no price: uploads and deletions of files, and cancelled batches."""


class UsageEntry(NamedTuple):
    """One call to be logged. `client_ip` is stored only if the account's setting is on."""

    kind: Kind
    model: str
    api_key_name: str = ""
    request_id: str = ""
    status: str = "ok"
    detail: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micro_usd: int = 0
    duration_ms: int = 0
    unpriced: bool = False
    client_ip: str | None = None
    cached_tokens: int = 0
    """Prompt tokens from the model server's cache, part of `prompt_tokens`."""
    images: int = 0
    image_size: str = ""
    """The size that the request named, such as 1024x1024."""
    task_done: int | None = None
    """Finished requests of a task; None until the model server has told."""
    task_total: int | None = None
    price: ModelPrice | None = None
    """The price at the time of the call; None without one, and for calls logged by older versions."""


class LoggedEntry(NamedTuple):
    """One logged call."""

    id: int
    at: datetime
    entry: UsageEntry


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """The entries to read. Those that are wanted match everything that is set here.

    A filter of several values matches each of them. A value matches only as a whole.
    """

    kind: Kind | None = None
    models: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """Names of API keys."""
    statuses: tuple[str, ...] = ()
    ip: str | None = None
    """The client's address."""
    since: datetime | None = None
    """The first moment, aware."""
    until: datetime | None = None
    """The first moment that is too late, aware."""

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """`since` and `until`."""
        return self.since, self.until


EVERYTHING: Final = UsageFilter()


class UsagePage(NamedTuple):
    """Entries, newest first.

    `next_before` is the `before` of the next older page; None on the last page, and on a page that was read upwards. A
    page of several filters may have few entries or none, although another follows.
    """

    entries: tuple[LoggedEntry, ...]
    next_before: int | None
    next_after: int | None = None
    """The `after` of the next newer page, on a page that was read upwards."""
    searched_to: datetime | None = None
    """The place where the search goes on, if this page has no entry and another follows."""


class UsageChoices(NamedTuple):
    """The values that occur in a log, sorted, to be offered for a filter."""

    models: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()


class DayTotal(NamedTuple):
    """The totals of one UTC day."""

    day: str
    """ISO 8601, such as 2026-01-31."""
    calls: int
    errors: int
    tokens: int
    cost_micro_usd: int


class UsageTotal(NamedTuple):
    """The totals of one model, or of one API key name, over some days."""

    name: str
    calls: int
    errors: int
    tokens: int
    cost_micro_usd: int
    names: int = 1
    """The number of names in it. Above 1 it is the rest of a long list, and `name` is empty."""
