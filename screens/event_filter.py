"""The filter line of the activity: `failed`, a date, words of the event, or words of its source."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from screens.event_words import FAILURES, tags_with
from store.values.audit import EventFilter

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED: Final = "failed"
_DAY: Final = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")


def read_filter(text: str, now: datetime) -> EventFilter:
    """The events that match every word of `text`. A word that is in no sentence is sought in the source."""
    tags: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    sources: list[str] = []
    for word in text.split():
        span = _span(word, now)
        kinds = frozenset(str(tag) for tag in FAILURES) if word.casefold() == FAILED else tags_with(word)
        if span is not None:
            start, end = (moment.astimezone(UTC) for moment in span)
            since = max(since, start) if since else start
            until = min(until, end) if until else end
        elif kinds:
            tags = kinds if tags is None else tags & kinds
        else:
            sources.append(word)
    return EventFilter(tags, since, until, tuple(sources))


def _span(word: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The first moment of a day or a month in the zone of `now`, and the first one after it; None if it is no date."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = _NAMED.get(word.casefold())
    if named is not None:
        return named(today), named(today) + timedelta(days=1)
    match = _DAY.fullmatch(word)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3] or 1)
    try:
        start = datetime(year, month, day, tzinfo=now.tzinfo)
        if match[3]:
            return start, start + timedelta(days=1)
        return start, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=now.tzinfo)
    except (ValueError, OverflowError):
        return None


_NAMED: Final[dict[str, Callable[[datetime], datetime]]] = {
    "today": lambda today: today,
    "yesterday": lambda today: today - timedelta(days=1),
}
