"""The lines of a table without end: its header, its rows or their places, and the words about what is shown."""

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from textual.content import Content

from tui.widgets.keyset_reader import KeysetReader
from tui.widgets.table_columns import EDGE_CELLS, ColumnFit, TableColumn, join_cells

R = TypeVar("R")

SKELETON_ROWS: Final = 6
"""Rows that stand for those of the first page, until it is read."""
CURSOR_MARK: Final = "▌"


class KeysetLines(Generic[R]):
    """Draws the lines of one table. The first line is the header."""

    def __init__(self, reader: KeysetReader[R], columns: Sequence[TableColumn[R]], noun: str, empty: str) -> None:
        """`noun` is a row in the singular; `empty` is the sentence for an empty list."""
        self.noun, self.empty = noun, empty
        self.columns = ColumnFit(columns)
        self._reader = reader

    def resize(self, width: int) -> None:
        """Fit the columns to a table of `width` cells."""
        self.columns.resize(width - EDGE_CELLS)

    def header(self) -> Content:
        return join_cells(" ", [placed.draw(Content(placed.column.label)) for placed in self.columns.placed])

    def skeleton(self) -> Content:
        """The place of a row that is not read yet."""
        return join_cells(" ", [placed.draw_skeleton() for placed in self.columns.placed])

    def row(self, row: R, *, is_marked: bool) -> Content:
        cells = [placed.draw(placed.column.cell(row)) for placed in self.columns.placed]
        return join_cells(CURSOR_MARK if is_marked else " ", cells)

    def state(self, width: int) -> list[Content]:
        """A summary of the rows in one line, and a failure in as many as its sentence takes."""
        words = self._reader.words(self.noun, self.empty)
        lines = words.wrap(max(8, width - EDGE_CELLS)) if self._reader.failed is not None else [words]
        return [line.pad_left(EDGE_CELLS) for line in lines]

    def state_line(self, first_shown: int, width: int, height: int) -> int:
        """The first line of the state: below the rows from `first_shown` on, or at the bottom."""
        rows = SKELETON_ROWS if self._reader.is_first_reading else len(self._reader.window.rows) - first_shown
        return max(0, min(rows + 1, height - len(self.state(width))))
