"""A dialog that lists a part of the security overview: a row for each item, and the one under the cursor in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on, work
from textual.widgets import DataTable

from screens.account_modal import AccountModal
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.content import Content
    from textual.events import Resize

    from tui.account import SecurityOverview

Item = TypeVar("Item")


class OverviewList(AccountModal[None], Generic[Item]):
    """The base of such a dialog. Its `compose` yields one `RowTable`."""

    AUTO_FOCUS: ClassVar[str | None] = "RowTable"
    MAX_WIDTH: ClassVar[int] = 76
    """The most columns that the dialog takes, with its frame."""
    _FRAME_CELLS: ClassVar[int] = 9

    def __init__(self) -> None:
        super().__init__()
        self.items: tuple[Item, ...] = ()

    def items_of(self, overview: SecurityOverview) -> tuple[Item, ...]:
        """The items to list."""
        raise NotImplementedError

    def columns(self, room: int) -> Sequence[tuple[str, int]]:
        """The heading and the width of each column, in `room` cells together with the gaps."""
        raise NotImplementedError

    def cells(self, item: Item) -> tuple[Content, ...]:
        """The row of an item."""
        raise NotImplementedError

    def show_item(self, item: Item | None) -> None:
        """Show an item in full below the table; None if the list is empty."""
        raise NotImplementedError

    def loaded(self) -> None:
        """Called when the items were read."""

    @property
    def under_cursor(self) -> Item | None:
        """The item of the row under the cursor."""
        row = self.query_one(RowTable).cursor_row
        return self.items[row] if 0 <= row < len(self.items) else None

    def on_mount(self) -> None:
        self._draw()
        self.load()

    def on_resize(self, _event: Resize) -> None:
        self._draw()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        overview = await self.run_with_reauth(self.account.security)
        # The dialog may have closed meanwhile.
        if overview is None or not self.query(RowTable):
            return
        self.items = self.items_of(overview.value)
        self._draw()
        self.show_item(self.under_cursor)
        self.loaded()

    @on(DataTable.RowHighlighted)
    def moved(self) -> None:
        if self.under_cursor is not None:
            self.show_item(self.under_cursor)

    def _draw(self) -> None:
        """Draw the table again, with columns that fill the dialog."""
        table, room = self.query_one(RowTable), min(self.app.size.width, self.MAX_WIDTH) - self._FRAME_CELLS
        at = table.cursor_row
        table.show_columns(self.columns(room), [self.cells(item) for item in self.items])
        table.move_cursor(row=min(at, max(0, len(self.items) - 1)))
