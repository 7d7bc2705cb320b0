"""The usage log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from store.values.billing import ModelPrice


class Kind(StrEnum):
    """The kinds of log entries."""

    CONSUMPTION = "consumption"
    ERROR = "error"
    DRAWING = "drawing"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class UsageEntry:
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


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """One logged call."""

    id: int
    at: datetime
    entry: UsageEntry


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Entries, newest first. `next_before` is the `before` of the next page; None on the last page."""

    entries: tuple[LoggedEntry, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class DayTotal:
    """The totals of one UTC day."""

    day: str
    """ISO 8601, such as 2026-01-31."""
    calls: int
    errors: int
    tokens: int
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """The totals of one model, or of one API key name, over some days."""

    name: str
    calls: int
    errors: int
    tokens: int
    cost_micro_usd: int
