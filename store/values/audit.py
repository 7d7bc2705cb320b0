"""The audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple


class Event(NamedTuple):
    """One recorded event. `detail` never holds a secret."""

    sequence: int
    """It grows with each event."""
    at: datetime
    tag: str
    actor: str
    source: str
    detail: Mapping[str, object]


class EventFilter(NamedTuple):
    """The events to read. Without any condition, all of them."""

    tags: frozenset[str] | None = None
    """None for every kind."""
    since: datetime | None = None
    """The first moment."""
    until: datetime | None = None
    """The first moment that is too late."""
    sources: tuple[str, ...] = ()
    """Texts that the source has to contain, all of them; capitals do not matter."""


EVERY_EVENT: Final = EventFilter()
