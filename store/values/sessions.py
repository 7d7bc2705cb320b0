"""Sessions."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One session, as shown to its owner."""

    id: int
    is_current: bool
    method: str
    source: str
    created_at: datetime
    last_active_at: datetime
