"""The list of sessions, each of which can be ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from screens.account_modal import AccountModal, Notice
from screens.relative_time import ago
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from store.values.sessions import SessionInfo


class SessionList(AccountModal[None]):
    HELP_TEXT: ClassVar[str] = (
        "Every place where you are signed in: where from, how, and when it was last used. A session that "
        "is ended is out at its next action. A session ends by itself after an hour without use and after "
        "twelve hours in any case."
    )
    AUTO_FOCUS: ClassVar[str | None] = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "end", "End session", id="sessions.end", tooltip="End the session under the cursor"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._sessions: tuple[SessionInfo, ...] = ()

    def compose(self) -> ComposeResult:
        with Dialog("Sessions"):
            yield Static("Every place your account is signed in.", classes="dialog-body muted")
            yield OptionList(compact=True, markup=False)
            yield Notice()
            with Actions():
                yield ActionButton("End session", id="end", shortcut="e")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def on_mount(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        overview = await self.run_with_reauth(self.account.security)
        if overview is None:
            return
        self._sessions, now = overview.value.sessions, self.account.now()
        options = self.query_one(OptionList)
        options.clear_options()
        for session in self._sessions:
            mark = "this session" if session.is_current else f"active {ago(session.last_active_at, now)}"
            options.add_option(
                Option(Content(f"{sanitize(session.source, 28):<29} {sanitize(session.method, 20):<21} {mark}"))
            )
        options.highlighted = 0

    @on(Button.Pressed, "#end")
    def action_end(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is None or index >= len(self._sessions):
            return
        session = self._sessions[index]
        if session.is_current:
            self.say("This is the session you are using. Sign out instead.", "warning")
        else:
            self.run_exclusive(lambda: self._end(session.id))

    async def _end(self, session_id: int) -> None:
        if await self.act(lambda: self.account.revoke_session(session_id)) is not None:
            self.say("The session was ended.", "good")
            self.load()
