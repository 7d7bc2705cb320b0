"""Activity: the audit events of the account, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.widgets import DataTable, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.event_filter import read_filter
from screens.event_words import details_of, is_failure, words_of
from screens.relative_time import clock
from store.text import pluralize, sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.row_table import RowTable
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from store.values.audit import Event

_PAGE_EVENTS: Final = 50
_TIME_CELLS: Final = 20
_YEAR_CELLS: Final = 5
_SOURCE_CELLS: Final = 24
_SHORT_SOURCE_CELLS: Final = 15
_NARROW_CELLS: Final = 60
"""Cells of the table below which it has no column for the source."""
_WIDE_CELLS: Final = 85
"""Cells of the table from which times have their year, and the source has more room."""
_NOTHING_YET: Final = "Nothing has happened yet."
_NO_MATCH: Final = "Nothing matches. Type words of an event, failed, today, or a date such as 2026-11-23."


class Activity(AccountModal[None]):
    """Loads more events when the cursor reaches the end."""

    HELP_TEXT: ClassVar[str] = (
        "Sign-ins, failed ones too, and every change that protects the account, newest first. What you do "
        "not recognise is a reason to change the password and sign out the others. The filter takes words of an "
        "event, the word failed, today, yesterday, a date such as 2026-11-23, a month, and words of the source."
    )
    AUTO_FOCUS: ClassVar[str | None] = "RowTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="activity.filter", key_display="/", tooltip="Show only some events"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._events: list[Event] = []
        self._is_complete = False
        self._event_cells = 0

    def compose(self) -> ComposeResult:
        with Dialog("Activity", classes="-roomy"):
            yield Field("Filter", TextInput(id="filter", placeholder="words, failed, today, 2026-11-23"))
            yield RowTable(classes="spaced")
            yield Static("…", id="event", classes="muted two-lines", markup=False)
            yield Notice()
            with Actions():
                yield ActionButton("Filter", id="focus-filter", shortcut="/")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def on_mount(self) -> None:
        self._draw()
        self.load()

    def on_resize(self, _event: Resize) -> None:
        self._draw()

    # -- the filter ------------------------------------------------------------------------------------------

    @on(ActionButton.Pressed, "#focus-filter")
    def action_filter(self) -> None:
        self.query_one("#filter").focus()

    @on(Input.Changed, "#filter")
    def filter_changed(self) -> None:
        self._events, self._is_complete = [], False
        self.load()

    @on(Input.Submitted, "#filter")
    def filter_entered(self) -> None:
        self.query_one(RowTable).focus()

    def action_cancel(self) -> None:
        """Leave the filter line, or else close."""
        if isinstance(self.focused, Input):
            self.query_one(RowTable).focus()
        else:
            super().action_cancel()

    # -- the events ------------------------------------------------------------------------------------------

    @on(DataTable.RowHighlighted)
    def moved(self, event: DataTable.RowHighlighted) -> None:
        self._show_event(event.cursor_row)
        if not self._is_complete and event.cursor_row >= event.data_table.row_count - 1 and self._events:
            self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        before = self._events[-1].sequence if self._events else None
        only = read_filter(self.query_one("#filter", Input).value, self.account.now().astimezone(self.app.zone))
        page = await self.run_with_reauth(lambda: self.account.audit_events(before, only))
        # The dialog may have closed meanwhile.
        if page is None or not self.query(RowTable):
            return
        self._is_complete = len(page.value) < _PAGE_EVENTS
        self._events += page.value
        table = self.query_one(RowTable)
        if before is None:
            table.clear()
        for event in page.value:
            table.add_row(*self._cells(event))
        self._show_event(table.cursor_row)
        more = "" if self._is_complete else ", more below"
        self.query_one(Dialog).border_subtitle = f"{pluralize(len(self._events), 'event')}{more}"

    # -- drawing ---------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Draw the table again, with the columns that fit."""
        table = self.query_one(RowTable)
        at, room = table.cursor_row, self._table_cells
        is_wide = room >= _WIDE_CELLS
        source = 0 if room < _NARROW_CELLS else _SOURCE_CELLS if is_wide else _SHORT_SOURCE_CELLS
        time = _TIME_CELLS if is_wide else _TIME_CELLS - _YEAR_CELLS
        event = self._event_cells = room - time - source - 2 * (2 + bool(source))
        columns = [("Time", time), ("What happened", event), *([("From", source)] if source else [])]
        table.show_columns(columns, [self._cells(event) for event in self._events])
        table.move_cursor(row=at)

    @property
    def _table_cells(self) -> int:
        return min(self.app.size.width, 102) - 9

    def _cells(self, event: Event) -> tuple[Content, ...]:
        mark, style = ("✗ ", "$text-error") if is_failure(event) else ("", "")
        details = details_of(event)
        words = Content.assemble(
            (f"{mark}{words_of(event)}", style), (f" · {details}" if details else "", "$foreground-muted")
        ).truncate(self._event_cells, ellipsis=True)
        time, source = clock(event.at, self.app.zone), Content.styled(sanitize(event.source, 60), "$foreground-muted")
        when = Content(time if self._table_cells >= _WIDE_CELLS else time[_YEAR_CELLS:])
        return (when, words, source) if self._table_cells >= _NARROW_CELLS else (when, words)

    def _show_event(self, row: int) -> None:
        """Show the event of a row in full below the table."""
        line = self.query_one("#event", Static)
        if not self._events:
            line.update(_NO_MATCH if self.query_one("#filter", Input).value.strip() else _NOTHING_YET)
        elif 0 <= row < len(self._events):
            event = self._events[row]
            parts = (words_of(event), details_of(event), event.source and f"from {sanitize(event.source, 80)}")
            line.update(f"{clock(event.at, self.app.zone)}: " + ", ".join(part for part in parts if part))
