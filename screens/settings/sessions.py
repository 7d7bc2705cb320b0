"""The list of sessions, each of which can be ended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.limited_text import reworded
from screens.relative_time import ago, clock
from screens.settings.overview_list import OverviewList
from store.text import pluralize, sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.values.sessions import SessionInfo
    from tui.account import SecurityOverview

_THIS_ONE: Final = "this session"
_ENDS: Final = "A session ends by itself after an hour without use and after twelve hours in any case."
_STARTED_CELLS: Final = 10
_USED_CELLS: Final = len(_THIS_ONE)


class SessionList(OverviewList["SessionInfo"]):
    HELP_TEXT: ClassVar[str] = (
        "Every place where you are signed in: where from, how, and when it was last used. A session that "
        "is ended is out at its next action. " + _ENDS
    )
    MAX_WIDTH: ClassVar[int] = 102
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "end", "End session", id="sessions.end", tooltip="End the session under the cursor"),
        Binding("o", "end_others", "End all others", id="sessions.end-others", tooltip="End every session but this"),
    ]

    ACTS: ClassVar[tuple[str, ...]] = ("end", "end_others")

    @property
    def purpose(self) -> str:
        other = self.account.capabilities.sessions_end_otherwise
        return reworded(self.HELP_TEXT, (other, _ENDS, other))

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

    def items_of(self, overview: SecurityOverview) -> tuple[SessionInfo, ...]:
        return overview.sessions

    def allows(self, action: str, item: SessionInfo | None) -> bool:
        if action == "end_others":
            return bool(self._others)
        return item is not None and not item.is_current

    @property
    def _others(self) -> list[SessionInfo]:
        return [session for session in self.items if not session.is_current]

    def columns(self, room: int) -> Sequence[tuple[str, int]]:
        free = room - _STARTED_CELLS - _USED_CELLS - 4 * 2
        source = free * 11 // 20
        return ("From", source), ("How", free - source), ("Started", _STARTED_CELLS), ("Last used", _USED_CELLS)

    def cells(self, item: SessionInfo) -> tuple[Content, ...]:
        now = self.account.now()
        used = Content.styled(_THIS_ONE, "$text-success") if item.is_current else Content(ago(item.last_active_at, now))
        source, method = Content(sanitize(item.source, 60)), Content(sanitize(item.method, 40))
        return source, method, Content(ago(item.created_at, now)), used

    def show_item(self, item: SessionInfo | None) -> None:
        if item is None:
            return
        words = f"{_place(item)}, since {clock(item.created_at, self.app.zone)}."
        if not self._others:
            words += " No other sessions."
        elif item.is_current:
            words += " This is the session you are using."
        self.query_one("#session", Static).update(words)

    # -- ending ----------------------------------------------------------------------------------------------

    @on(Button.Pressed, "#end")
    def action_end(self) -> None:
        session = self.under_cursor
        if session is not None and not session.is_current:
            self.run_exclusive(partial(self._end, session))

    @on(Button.Pressed, "#end-others")
    def action_end_others(self) -> None:
        if self._others:
            self.run_exclusive(self._end_others)

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
