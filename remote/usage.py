"""The usage log with its filters, its sums, and the statistics by hour."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from remote.calls import Calls
from remote.fields import Fields, objects_of, required
from remote.generations import KnownServer, ServerFacts
from remote.pages import Page
from remote.quota_units import micro_usd_of
from store.errors import InvalidNumber

LOG_PATH: Final = "/api/log/self"
MAX_PAGE_SIZE: Final = 100
LONGEST_STATISTICS: Final = timedelta(days=30)


class LogKind(IntEnum):
    """The kinds of log entries, with the server's numbers. AUG adds sign-ins."""

    ALL = 0
    TOP_UP = 1
    CONSUMPTION = 2
    MANAGEMENT = 3
    SYSTEM = 4
    ERROR = 5
    REFUND = 6
    SIGN_IN = 7


@dataclass(frozen=True, slots=True)
class LogFilter:
    """The entries to read. `%` in a model name stands for any text, at most twice."""

    kind: LogKind = LogKind.ALL
    since: datetime | None = None
    until: datetime | None = None
    key_name: str = ""
    model: str = ""
    group: str = ""
    request_id: str = ""

    @property
    def params(self) -> dict[str, str]:
        return {
            "type": str(self.kind.value),
            "start_timestamp": _stamp(self.since),
            "end_timestamp": _stamp(self.until),
            "token_name": self.key_name,
            "model_name": self.model,
            "group": self.group,
        } | ({"request_id": self.request_id} if self.request_id else {})


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry. The server gives it no id of its own."""

    at: datetime | None
    kind: int
    """A `LogKind`, or a number that is not known here."""
    content: str
    """The server's sentence, in its language."""
    key_name: str
    model: str
    cost_micro_usd: int
    prompt_tokens: int
    completion_tokens: int
    duration_s: int
    is_stream: bool
    group: str
    ip: str
    """Empty if it was not recorded."""
    request_id: str
    is_unpriced: bool
    """True if the model had no price: the server charges 75 dollars per million tokens for it."""
    cached_tokens: int
    other: Fields = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogTotals:
    """The cost of what a filter matches; requests and tokens of the last minute."""

    cost_micro_usd: int
    requests_per_minute: int
    tokens_per_minute: int


@dataclass(frozen=True, slots=True)
class ModelHour:
    """The cost of a model in an hour, as far as the server has counted: it does so every few minutes."""

    at: datetime
    model: str
    calls: int
    tokens: int
    cost_micro_usd: int


class Usage:
    """Reads the log."""

    def __init__(self, calls: Calls, server: KnownServer) -> None:
        self._calls = calls
        self._server = server

    async def page(self, only: LogFilter, page: int = 1, page_size: int = 50) -> Page[LogEntry]:
        """One page of entries. Raises `InvalidNumber` for a page that cannot be, and the session errors."""
        facts = await self._server.facts()
        if page < 1 or not 1 <= page_size <= MAX_PAGE_SIZE:
            raise InvalidNumber
        params = {"p": str(page), "page_size": str(page_size), **only.params}
        data = required(await self._calls.read(LOG_PATH, params))
        entries = tuple(_entry(row, facts) for row in data.items("items"))
        return Page(entries, page, page_size, data.whole("total"))

    async def totals(self, only: LogFilter) -> LogTotals:
        """The sums of what a filter matches. Raises the session errors."""
        facts = await self._server.facts()
        data = required(await self._calls.read(f"{LOG_PATH}/stat", only.params))
        return LogTotals(micro_usd_of(data.whole("quota"), facts.quota_per_usd), data.whole("rpm"), data.whole("tpm"))

    async def statistics(self, since: datetime, until: datetime) -> tuple[ModelHour, ...]:
        """The cost of each model by hour, the oldest first; of at most thirty days, counted back from `until`.

        Raises the session errors.
        """
        facts = await self._server.facts()
        since = max(since, until - LONGEST_STATISTICS)
        params = {"start_timestamp": _stamp(since), "end_timestamp": _stamp(until)}
        rows = objects_of(await self._calls.read("/api/data/self", params))
        found = [
            ModelHour(
                at,
                row.text("model_name", 200),
                row.whole("count"),
                row.whole("token_used"),
                micro_usd_of(row.whole("quota"), facts.quota_per_usd),
            )
            for row in rows
            if (at := row.time("created_at")) is not None
        ]
        return tuple(sorted(found, key=lambda one: (one.at, one.model)))


def _entry(row: Fields, facts: ServerFacts) -> LogEntry:
    other = row.json_object("other")
    return LogEntry(
        at=row.time("created_at"),
        kind=row.whole("type"),
        content=row.text("content", 1000),
        key_name=row.text("token_name", 200),
        model=row.text("model_name", 200),
        cost_micro_usd=micro_usd_of(row.whole("quota"), facts.quota_per_usd),
        prompt_tokens=row.whole("prompt_tokens"),
        completion_tokens=row.whole("completion_tokens"),
        duration_s=row.whole("use_time"),
        is_stream=row.flag("is_stream"),
        group=row.text("group", 80),
        ip=row.text("ip", 80),
        request_id=row.text("request_id", 100),
        is_unpriced=_is_unpriced(other),
        cached_tokens=other.whole("cache_tokens"),
        other=other,
    )


def _is_unpriced(other: Fields) -> bool:
    # The server's own ratio for a model that has none; an administrator may set the same one, but hardly does.
    ratio, price = other.number("model_ratio"), other.number("model_price")
    return ratio is not None and ratio * 2 == 75 and (price is None or price < 0)


def _stamp(moment: datetime | None) -> str:
    return "0" if moment is None else str(int(moment.timestamp()))
