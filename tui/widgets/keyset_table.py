"""A table without end: its rows are read page by page, in both directions, and its cursor walks them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final, TypeVar

from textual.binding import Binding, BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize, Show
from textual.message import Message
from textual.worker import Worker

from tui.clipboard import copy
from tui.widgets.keyset_reader import KeysetReader, PageReader
from tui.widgets.keyset_view import KeysetView
from tui.widgets.keyset_window import MAX_ROWS, KeysetPage, KeysetWindow, Reading
from tui.widgets.row_walk import MOVE
from tui.widgets.table_columns import TableColumn

R = TypeVar("R")

AHEAD_ROWS: Final = 20
"""Rows below or above the visible ones within which the next page is read."""
WHEEL_ROWS: Final = 3


class KeysetTable(KeysetView[R], can_focus=True):
    """A header, rows with a cursor, and a line that tells what is shown.

    Call `restart` to read the list. One page is read at a time, and the answer to a question that has changed meanwhile
    is dropped. Rows that are far from the visible ones are forgotten and read again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_row", "Details", id="table.open", tooltip="Show everything about the row"),
        Binding("y", "copy_row", "Copy", id="table.copy", tooltip="Send the row to the clipboard"),
        Binding("ctrl+r,f5", "reload", "Refresh", id="table.refresh", tooltip="Read the list again from the top"),
        Binding("up,k", "move(-1)", "Up", id="table.up", group=MOVE, tooltip="Go to the row above"),
        Binding("down,j", "move(1)", "Down", id="table.down", group=MOVE, tooltip="Go to the row below"),
        Binding("pageup", "page(-1)", "Page up", id="table.page-up", show=False, tooltip="Go up by a page"),
        Binding("pagedown", "page(1)", "Page down", id="table.page-down", show=False, tooltip="Go down by a page"),
        Binding("home,g", "edge(0)", "First", id="table.first", show=False, tooltip="Go to the first row"),
        Binding("end,G", "edge(-1)", "Last", id="table.last", show=False, tooltip="Go to the last row"),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor is on another row; None if there is no row."""

        table: "KeysetTable[Any]"
        row: Any

        @property
        def control(self) -> "KeysetTable[Any]":
            return self.table

    @dataclass
    class Opened(Message):
        """Enter was pressed on a row, or the row of the cursor was clicked."""

        table: "KeysetTable[Any]"
        row: Any

        @property
        def control(self) -> "KeysetTable[Any]":
            return self.table

    class Refreshed(Message):
        """The refresh key was pressed, and the rows are read again."""

    def __init__(
        self,
        columns: Sequence[TableColumn[R]],
        *,
        older: PageReader[R],
        newer: PageReader[R] | None,
        key: Callable[[R], int],
        text: Callable[[R], str],
        noun: str = "row",
        empty: str = "There is nothing yet.",
        has_details: bool = True,
        max_rows: int = MAX_ROWS,
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
    ) -> None:
        """`older(before)` reads the page before a place, and the newest one for None.

        `newer(after)` reads the page after a place, and the oldest one for None. Without it, End goes to the last row
        that was read, and no row is forgotten. `key` is the place of a row. `text` is what `y` copies of it. `noun` is
        the name of a row in the singular. `empty` is the sentence for an empty list. Without `has_details`, Enter does
        nothing: a row shows everything.
        """
        window = KeysetWindow(key, max_rows if newer is not None else 2**63)
        reader = KeysetReader(window, older, newer, self._take)
        super().__init__(reader, columns, noun=noun, empty=empty, id=id, classes=classes)
        self._row_text = text
        self._has_details = has_details
        self._reading_worker: Worker[None] | None = None
        self._copier: Worker[None] | None = None

    # -- reading ---------------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Read the list again from its newest row. The present rows stay until the answer is there."""
        self._ask(Reading.NEWEST)

    def action_reload(self) -> None:
        """Read again what could not be read; without a failure, like `restart`."""
        self._ask(self._reader.failed or Reading.NEWEST)
        self.post_message(self.Refreshed())

    def fail(self, sentence: str) -> None:
        """Show why a page could not be read. Call it before the reader returns None."""
        self._reader.fail(sentence)

    def _ask(self, part: Reading) -> None:
        had_failed = self.has_failed
        if not self._reader.want(part):
            return
        self.refresh() if had_failed else self._refresh_line(self._state_line)
        if self._reading_worker is None or self._reading_worker.is_finished:
            self._reading_worker = self.run_worker(self._reader.read_wanted, group="keyset-table")

    def _take(self, part: Reading, page: KeysetPage[R] | None) -> None:
        if page is None:
            self._show_cursor()
            self.refresh()
            return
        before = self.row
        moved = self._reader.window.add(part, page)
        if part.is_restart:
            self._lines.columns.forget()
            self._at = 0 if part is Reading.NEWEST else len(self.rows) - 1
            self._first_shown = 0
        else:
            self._at += moved
            self._first_shown += moved
        self._lines.columns.see(page.rows)
        self._at = max(0, min(self._at, len(self.rows) - 1))
        self._show_cursor()
        self.refresh()
        if self.row is not before:
            self.post_message(self.Highlighted(self, self.row))
        if (self.row is None) != (before is None):
            self.refresh_bindings()

    def _read_ahead(self) -> None:
        """Read the next page if the visible rows are near an end of the rows that are held."""
        reader = self._reader
        if self.has_failed or reader.wanted is not None or not reader.was_read or not self.is_on_screen:
            return
        if reader.has_older and self._first_shown + self._height + AHEAD_ROWS > len(self.rows):
            self._ask(Reading.OLDER)
        elif reader.has_newer and self._first_shown < AHEAD_ROWS:
            self._ask(Reading.NEWER)

    # -- the cursor ------------------------------------------------------------------------------------------

    def move_to(self, row: int) -> None:
        """Put the cursor on a row that is held, or the nearest one."""
        row = max(0, min(row, len(self.rows) - 1))
        if row != self._at:
            self._refresh_row(self._at)
            self._at = row
            self._refresh_row(row)
            self.post_message(self.Highlighted(self, self.row))
        self._show_cursor()

    def _show_cursor(self) -> None:
        """Scroll so that the cursor is visible and no line is wasted, and read ahead."""
        first = max(self._at - self._height + 1, min(self._first_shown, self._at))
        self._scroll_rows_to(first)

    def _scroll_rows_to(self, first: int) -> None:
        first = max(0, min(first, len(self.rows) - self._height))
        if first != self._first_shown:
            self._first_shown = first
            self.refresh()
        self._read_ahead()

    def action_move(self, by: int) -> None:
        self.move_to(self._at + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by the visible rows."""
        step = by * max(1, self._height - 1)
        self._scroll_rows_to(self._first_shown + step)
        self.move_to(self._at + step)

    def action_edge(self, index: int) -> None:
        """Go to the first row (0) or the last one (-1) of the whole list."""
        reader = self._reader
        if index == 0 and reader.has_newer:
            self._ask(Reading.NEWEST)
        elif index == -1 and reader.has_older and reader.has_newer_reader:
            self._ask(Reading.OLDEST)
        else:
            self.move_to(0 if index == 0 else len(self.rows) - 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "open_row" and not self._has_details:
            return False
        if action in {"open_row", "copy_row"} and self.row is None:
            return None
        return super().check_action(action, parameters)

    def action_open_row(self) -> None:
        if self.row is not None and self._has_details:
            self.post_message(self.Opened(self, self.row))

    def action_copy_row(self) -> None:
        if self.row is not None:
            steps = partial(self._copy, self._row_text(self.row))
            self._copier = self.run_worker(steps, group="copy", exclusive=True)

    async def _copy(self, text: str) -> None:
        copied = await copy(self.app, text)
        self.app.notify(f"{copied.sentence}.", markup=False)

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or not 1 <= offset.y <= self._height:
            return
        event.stop()
        row = self._first_shown + offset.y - 1
        if row == self._at:
            self.action_open_row()
        elif row < len(self.rows):
            self.move_to(row)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self._scroll_by_wheel(WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self._scroll_by_wheel(-WHEEL_ROWS)

    def _scroll_by_wheel(self, by: int) -> None:
        self._scroll_rows_to(self._first_shown + by)
        self.move_to(max(self._first_shown, min(self._at, self._first_shown + self._height - 1)))

    def on_resize(self, _event: Resize) -> None:
        self._lines.resize(self.content_size.width)
        self._show_cursor()
        self.refresh()

    def on_show(self, _event: Show) -> None:
        self._read_ahead()
