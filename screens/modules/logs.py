"""Usage, drawing and task logs, newest first, loaded page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Static

from screens.account_modal import Notice
from screens.modules.module_page import ModulePage
from store.money import show_usd
from store.text import sanitize
from store.values.usage import Kind, UsageFilter
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from store.values.usage import LoggedEntry

_COLUMNS: Final = (("Time, UTC", 11), ("Kind", 5), ("Model", 20), ("Tokens", 7), ("Cost", 9), ("Status", 14))
"""Labels and widths in cells; 78 cells in all with padding."""
_KINDS: Final = {"consumption": "call", "error": "error", "drawing": "image", "task": "task"}
_MAX_ROWS: Final = 5000
"""Rows after which the table loads no more."""


class LogPage(ModulePage):
    """A table that loads more rows when the cursor is near its end."""

    KIND: ClassVar[Kind | None] = None
    EMPTY: ClassVar[str] = "Nothing has been logged yet."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r,f5", "reload", "Refresh", id="log.refresh", tooltip="Read the log again from the top"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Widget's)
        super().__init__(id=id, classes=classes)
        self.can_focus = False
        self._before: int | None = None
        self._is_complete = False
        self._is_loading = False

    def compose(self) -> ComposeResult:
        yield Static("", id="log-state", classes="muted", markup=False)
        yield RowTable()
        yield Notice()

    def focus(self, scroll_visible: bool = True) -> LogPage:
        self.query_one(RowTable).focus(scroll_visible)
        return self

    def on_mount(self) -> None:
        table = self.query_one(RowTable)
        for label, width in _COLUMNS:
            table.add_column(label, width=width)
        self.reload()

    def show_again(self) -> None:
        """Do nothing: a log keeps its position, and its refresh key reads it again from the top."""

    def reload(self) -> None:
        self._before, self._is_complete = None, False
        self.query_one(RowTable).clear()
        self.load_more()

    @on(DataTable.RowHighlighted)
    def moved(self, event: DataTable.RowHighlighted) -> None:
        if event.cursor_row >= event.data_table.row_count - 10 and not self._is_complete:
            self.load_more()

    def load_more(self) -> None:
        if not self._is_loading:
            self._is_loading = True
            self.load_page()

    @work(exclusive=True, group="log")
    async def load_page(self) -> None:
        try:
            page = await self.run_with_reauth(
                lambda: self.account.usage_page(UsageFilter(kind=self.KIND), self._before)
            )
        finally:
            self._is_loading = False
        if page is None:
            return
        table = self.query_one(RowTable)
        for logged in page.value.entries:
            table.add_row(*_cells(logged))
        self._before = page.value.next_before
        self._is_complete = page.value.next_before is None or table.row_count >= _MAX_ROWS
        more = "" if self._is_complete else ", more below"
        self.query_one("#log-state", Static).update(f"{table.row_count} shown{more}" if table.row_count else self.EMPTY)


class UsageLogsPage(LogPage):
    """Every call."""

    HELP_TEXT: ClassVar[str] = (
        "Every call, newest first: its kind, model, tokens, cost and how it ended. More is read as the "
        "cursor nears the end. A cost of no price is a model that was let through without one."
    )
    EMPTY = "No call has been made yet. Calls with your API keys appear here."


class DrawingLogsPage(LogPage):
    """Calls that made images."""

    HELP_TEXT: ClassVar[str] = (
        "Calls that made images, newest first. They are paid one by one, or by their tokens where the "
        "model server reports them."
    )
    KIND = Kind.DRAWING
    EMPTY = "No image has been made yet."


class TaskLogsPage(LogPage):
    """Batches and other long work."""

    HELP_TEXT: ClassVar[str] = "Batches and other work that takes long, newest first, with what was charged for it."
    KIND = Kind.TASK
    EMPTY = "No task has been started yet."


def _cells(logged: LoggedEntry) -> tuple[Content, ...]:
    entry = logged.entry
    tokens = entry.prompt_tokens + entry.completion_tokens
    cost = "no price" if entry.unpriced else show_usd(entry.cost_micro_usd, exact=True)
    kind = _KINDS[entry.kind.value]
    words = (
        f"{logged.at:%m-%d %H:%M}",
        kind,
        sanitize(entry.model, 60),
        f"{tokens:,}",
        cost,
        sanitize(entry.status, 40),
    )
    return tuple(Content(word) for word in words)
