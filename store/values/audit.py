"""The audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded event. `detail` never holds a secret."""

    sequence: int
    """It grows with each event."""
    at: datetime
    tag: str
    actor: str
    source: str
    detail: Mapping[str, object]
