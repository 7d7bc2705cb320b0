"""The lines of a table that is read page by page: a header, the visible rows with the cursor, and the state."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from tui.widgets.keyset_lines import SKELETON_ROWS, KeysetLines
from tui.widgets.keyset_reader import KeysetReader
from tui.widgets.table_columns import TableColumn

R = TypeVar("R")


class KeysetView(Widget, Generic[R]):
    """Draws the rows that a reader holds, line by line. It neither reads nor moves: `KeysetTable` does."""

    ALLOW_SELECT: ClassVar[bool] = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "keyset-table--header",
        "keyset-table--cursor",
        "keyset-table--cursor-blurred",
        "keyset-table--state",
    }

    def __init__(
        self,
        reader: KeysetReader[R],
        columns: Sequence[TableColumn[R]],
        *,
        noun: str,
        empty: str,
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._reader = reader
        self._lines = KeysetLines(reader, columns, noun, empty)
        self._at = 0
        self._first_shown = 0

    @property
    def rows(self) -> list[R]:
        """The rows that are held, newest first."""
        return self._reader.window.rows

    @property
    def row_count(self) -> int:
        """The number of rows that are held."""
        return len(self.rows)

    @property
    def cursor_row(self) -> int:
        """The place of the cursor among the rows that are held."""
        return self._at

    @property
    def row(self) -> R | None:
        """The row under the cursor; None if there is none."""
        return self.rows[self._at] if self._at < len(self.rows) else None

    @property
    def has_failed(self) -> bool:
        """True if the last page could not be read."""
        return self._reader.failed is not None

    def say_when_empty(self, sentence: str) -> None:
        """The sentence for an empty list from now on."""
        self._lines.empty = sentence

    @property
    def _height(self) -> int:
        """The rows that are visible at once: all lines but the header and the state."""
        return max(1, self.content_size.height - 1 - len(self._lines.state(self.content_size.width)))

    def on_focus(self) -> None:
        self._refresh_row(self._at)

    def on_blur(self) -> None:
        self._refresh_row(self._at)

    def _refresh_row(self, row: int) -> None:
        self._refresh_line(row - self._first_shown + 1)

    def _refresh_line(self, line: int) -> None:
        self.refresh(Region(0, line, self.content_size.width, 1))

    @property
    def _state_line(self) -> int:
        width, height = self.content_size
        return self._lines.state_line(self._first_shown, width, height)

    def render_line(self, y: int) -> Strip:
        lines, state = self._lines, self._lines.state(self.content_size.width)
        if 0 <= y - self._state_line < len(state):
            return self._strip(state[y - self._state_line], "keyset-table--state")
        if y == 0:
            return self._strip(lines.header(), "keyset-table--header")
        if self._reader.is_first_reading and y <= SKELETON_ROWS:
            return self._strip(lines.skeleton())
        row = self._first_shown + y - 1
        if not 0 <= row < len(self.rows):
            return self._strip(Content(""))
        if row != self._at:
            return self._strip(lines.row(self.rows[row], is_marked=False))
        name = "keyset-table--cursor" if self.has_focus else "keyset-table--cursor-blurred"
        return self._strip(lines.row(self.rows[row], is_marked=self.has_focus), name)

    def _strip(self, content: Content, *component: str) -> Strip:
        """One line in the style of a component class, filled to the width of the table."""
        style = self.get_visual_style(*component) if component else self.visual_style
        width = self.content_size.width
        strips = Visual.to_strips(self, content, width, 1, style, pad=True)
        return strips[0].adjust_cell_length(width, style.rich_style) if strips else Strip.blank(width, style.rich_style)
