"""A table with a row cursor, and the keys of every list."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable


class RowTable(DataTable[Content]):
    """Home and End go to the first and the last row, and not to a cell of the row as in Textual (8.2.8)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home,g", "edge(0)", "First", id="table.first", show=False, tooltip="Go to the first row"),
        Binding("end,G", "edge(-1)", "Last", id="table.last", show=False, tooltip="Go to the last row there is yet"),
        Binding("k", "cursor_up", "Up", id="table.up", show=False, tooltip="Go to the row above"),
        Binding("j", "cursor_down", "Down", id="table.down", show=False, tooltip="Go to the row below"),
    ]

    def __init__(self, **options: Any) -> None:
        """`options` are those of `DataTable`, but for `cursor_type`."""
        super().__init__(cursor_type="row", **options)

    def show_columns(self, columns: Iterable[tuple[str, int]], rows: Iterable[Iterable[Content]]) -> None:
        """Replace everything: `columns` are labels and widths in cells, without the padding of one on each side."""
        self.clear(columns=True)
        for label, width in columns:
            self.add_column(label, width=max(1, width))
        for row in rows:
            self.add_row(*row)

    def action_edge(self, index: int) -> None:
        """Put the cursor on the first row (0) or the last one (-1)."""
        if self.row_count:
            self.move_cursor(row=index % self.row_count)
