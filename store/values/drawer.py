"""The drawer of an account: what was saved where no file may be written."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DrawerItem:
    """An item that waits to be fetched."""

    id: str
    name: str
    """A plain file name, unique in the drawer."""
    size_bytes: int
    put_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DrawerFetch:
    """A fetch that has an item for itself until it has read every part, gives it back, or is silent for too long."""

    id: str
    item: DrawerItem
    parts: int
