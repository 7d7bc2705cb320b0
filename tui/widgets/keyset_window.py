"""The rows of a long list that are held in memory: a window that moves by pages."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Generic, TypeVar

R = TypeVar("R")

MAX_ROWS: Final = 1000
"""Rows that are held. Those farther away are read again when they are wanted."""


class Reading(Enum):
    """The part of the list to read."""

    NEWEST = auto()
    OLDEST = auto()
    OLDER = auto()
    """The rows after the last one that is held."""
    NEWER = auto()
    """The rows before the first one that is held."""

    @property
    def is_restart(self) -> bool:
        return self in (Reading.NEWEST, Reading.OLDEST)


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[R]):
    """Rows, newest first, however they were read. A page may have no rows and still have a `next`."""

    rows: tuple[R, ...]
    next: int | None
    """The place from which the next page in the same direction is read; None if there is none."""
    note: str = ""
    """The progress of the search, such as `searched back to 2026-01-31`. It is shown until a page has rows."""


class KeysetWindow(Generic[R]):
    """A part of the list without gaps, newest first. It grows at both ends and is cut at the other one."""

    def __init__(self, key: Callable[[R], int], max_rows: int = MAX_ROWS) -> None:
        """`key` is the place of a row: a page before it has only older rows, and one after it only newer rows."""
        self._key, self._max_rows = key, max_rows
        self.rows: list[R] = []
        self.older_from: int | None = None
        """The place from which older rows are read; None if there are none."""
        self.newer_from: int | None = None
        """The place from which newer rows are read; None if the window begins with the newest row."""

    def start(self, part: Reading) -> int | None:
        """The place from which `part` is read; None for an end of the list."""
        return {Reading.OLDER: self.older_from, Reading.NEWER: self.newer_from}.get(part)

    def add(self, part: Reading, page: KeysetPage[R]) -> int:
        """Take a page that was read for `part`; returns by how many rows a row that stays has moved down."""
        match part:
            case Reading.NEWEST:
                self.rows, self.older_from, self.newer_from = list(page.rows), page.next, None
            case Reading.OLDEST:
                self.rows, self.older_from, self.newer_from = list(page.rows), None, page.next
            case Reading.OLDER:
                self.rows += page.rows
                self.older_from = page.next
                return -self._cut_top()
            case Reading.NEWER:
                self.rows[:0] = page.rows
                self.newer_from = page.next
                self._cut_bottom()
                return len(page.rows)
        return 0

    def _cut_top(self) -> int:
        excess = max(0, len(self.rows) - self._max_rows)
        if excess:
            del self.rows[:excess]
            self.newer_from = self._key(self.rows[0])
        return excess

    def _cut_bottom(self) -> None:
        if len(self.rows) > self._max_rows:
            del self.rows[self._max_rows :]
            self.older_from = self._key(self.rows[-1])
