"""A page of one of the server's lists."""

from dataclasses import dataclass
from typing import Generic, TypeVar

EntryT = TypeVar("EntryT")


@dataclass(frozen=True, slots=True)
class Page(Generic[EntryT]):
    """Entries, the newest first. Pages are numbered from 1, and shift when new entries come."""

    entries: tuple[EntryT, ...]
    page: int
    page_size: int
    total: int

    @property
    def has_next(self) -> bool:
        """True if there may be older entries."""
        return self.page * self.page_size < self.total and bool(self.entries)
