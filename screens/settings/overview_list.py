"""A dialog that lists a part of the security overview: a row for each item, and the one under the cursor in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on, work
from textual.widgets import Button, DataTable

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
    ACTS: ClassVar[tuple[str, ...]] = ()
    """The actions that need an item, and are the ids of their buttons: `end_others` is the button `end-others`."""
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

    def allows(self, action: str, item: Item | None) -> bool:
        """True if an action of `ACTS` can be done now. `item` is under the cursor; None if the list is empty."""
        del action
        return item is not None

    @property
    def under_cursor(self) -> Item | None:
        """The item of the row under the cursor; None if there is none, or before the items were read."""
        if not self.items:
            return None
        row = self.query_one(RowTable).cursor_row
        return self.items[row] if 0 <= row < len(self.items) else None

    def on_mount(self) -> None:
        self._draw()
        self.load()

    def on_resize(self, _event: Resize) -> None:
        # The dialog may have closed meanwhile.
        if self.query(RowTable):
            self._draw()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        overview = await self.run_with_reauth(self.account.security)
        # The dialog may have closed meanwhile.
        if overview is None or not self.query(RowTable):
            return
        self.items = self.items_of(overview.value)
        self._draw()
        self._show_current()

    @on(DataTable.RowHighlighted)
    def moved(self) -> None:
        if self.under_cursor is not None:
            self._show_current()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in self.ACTS and not self.allows(action, self.under_cursor):
            return None
        return super().check_action(action, parameters)

    def _show_current(self) -> None:
        """Show the item under the cursor, and what can be done now, in the buttons and in the footer."""
        item = self.under_cursor
        self.show_item(item)
        for action in self.ACTS:
            for button in self.query(f"#{action.replace('_', '-')}").results(Button):
                button.disabled = not self.allows(action, item)
        self.refresh_bindings()

    def _draw(self) -> None:
        """Draw the table again, with columns that fill the dialog."""
        table, room = self.query_one(RowTable), min(self.app.size.width, self.MAX_WIDTH) - self._FRAME_CELLS
        at = table.cursor_row
        table.show_columns(self.columns(room), [self.cells(item) for item in self.items])
        table.move_cursor(row=min(at, max(0, len(self.items) - 1)))
