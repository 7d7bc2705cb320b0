"""Sessions."""

from datetime import datetime
from typing import NamedTuple


class SessionInfo(NamedTuple):
    """One session, as shown to its owner."""

    id: int
    is_current: bool
    method: str
    source: str
    created_at: datetime
    last_active_at: datetime
