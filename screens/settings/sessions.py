"""The list of sessions, each of which can be ended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.widgets import Button, DataTable, Static

from screens.account_modal import AccountModal, Notice
from screens.relative_time import ago, clock
from store.text import pluralize, sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from store.values.sessions import SessionInfo

_THIS_ONE: Final = "this session"
_STARTED_CELLS: Final = 10
_USED_CELLS: Final = len(_THIS_ONE)


class SessionList(AccountModal[None]):
    HELP_TEXT: ClassVar[str] = (
        "Every place where you are signed in: where from, how, and when it was last used. A session that "
        "is ended is out at its next action. A session ends by itself after an hour without use and after "
        "twelve hours in any case."
    )
    AUTO_FOCUS: ClassVar[str | None] = "RowTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "end", "End session", id="sessions.end", tooltip="End the session under the cursor"),
        Binding("o", "end_others", "End all others", id="sessions.end-others", tooltip="End every session but this"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._sessions: tuple[SessionInfo, ...] = ()

    def compose(self) -> ComposeResult:
        with Dialog("Sessions", classes="-roomy"):
            yield Static("Every place where you are signed in.", classes="dialog-body muted")
            yield RowTable(classes="spaced")
            yield Static("…", id="session", classes="muted two-lines", markup=False)
            yield Notice()
            with Actions():
                yield ActionButton("End session", id="end", shortcut="e", disabled=True)
                yield ActionButton("End all others", id="end-others", shortcut="o", disabled=True)
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

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
        self._sessions = overview.value.sessions
        self._draw()
        for button in self.query("#end, #end-others").results(Button):
            button.disabled = not self._others

    @property
    def _others(self) -> list[SessionInfo]:
        return [session for session in self._sessions if not session.is_current]

    # -- drawing ---------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Draw the table again, with columns that fill the dialog."""
        table, room = self.query_one(RowTable), min(self.app.size.width, 102) - 9
        at = table.cursor_row
        free = room - _STARTED_CELLS - _USED_CELLS - 4 * 2
        source = free * 11 // 20
        columns = (("From", source), ("How", free - source), ("Started", _STARTED_CELLS), ("Last used", _USED_CELLS))
        table.show_columns(columns, [self._cells(session) for session in self._sessions])
        table.move_cursor(row=min(at, max(0, len(self._sessions) - 1)))
        self._show_session(table.cursor_row)

    def _cells(self, session: SessionInfo) -> tuple[Content, ...]:
        now = self.account.now()
        used = (
            Content.styled(_THIS_ONE, "$text-success")
            if session.is_current
            else Content(ago(session.last_active_at, now))
        )
        return (
            Content(sanitize(session.source, 60)),
            Content(sanitize(session.method, 40)),
            Content(ago(session.created_at, now)),
            used,
        )

    @on(DataTable.RowHighlighted)
    def moved(self, event: DataTable.RowHighlighted) -> None:
        self._show_session(event.cursor_row)

    def _show_session(self, row: int) -> None:
        """Show the session of a row in full below the table."""
        if not 0 <= row < len(self._sessions):
            return
        session = self._sessions[row]
        words = f"{_place(session)}, since {clock(session.created_at, self.app.zone)}."
        if not self._others:
            words += " No other sessions."
        self.query_one("#session", Static).update(words)

    # -- ending ----------------------------------------------------------------------------------------------

    @on(Button.Pressed, "#end")
    def action_end(self) -> None:
        row = self.query_one(RowTable).cursor_row
        if not 0 <= row < len(self._sessions):
            return
        session = self._sessions[row]
        if session.is_current:
            self.say("This is the session you are using. Sign out instead.", "warning")
        else:
            self.run_exclusive(partial(self._end, session))

    @on(Button.Pressed, "#end-others")
    def action_end_others(self) -> None:
        if self._others:
            self.run_exclusive(self._end_others)
        else:
            self.say("There are no other sessions.", "muted")

    async def _end(self, session: SessionInfo) -> None:
        question = Confirm("End this one?", f"{_place(session)}. It is out at its next action.", "End session")
        if not await self.app.push_screen_wait(question):
            return
        if await self.act(lambda: self.account.revoke_session(session.id)) is not None:
            self.say("The session was ended.", "good")
        self.load()

    async def _end_others(self) -> None:
        question = Confirm("End all others?", "Every session of yours but this one ends at once.", "End all others")
        if not await self.app.push_screen_wait(question):
            return
        ended = await self.act(self.account.sign_out_others)
        if ended is not None:
            self.say(f"{pluralize(ended.value, 'session')} ended.", "good")
        self.load()


def _place(session: SessionInfo) -> str:
    return f"{sanitize(session.source, 80)}, by {sanitize(session.method, 60)}"
