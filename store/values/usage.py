"""The usage log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
