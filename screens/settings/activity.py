"""Activity: the audit events of the account, newest first."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from screens.account_modal import AccountModal, Notice
from screens.relative_time import clock
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog

_PAGE_EVENTS: Final = 50


class Activity(AccountModal[None]):
    """Loads more events when the cursor reaches the end."""

    HELP_TEXT: ClassVar[str] = (
        "Sign-ins, failed ones too, and every change that protects the account, newest first. What you do "
        "not recognise is a reason to change the password and sign out the others."
    )
    AUTO_FOCUS: ClassVar[str | None] = "OptionList"

    def __init__(self) -> None:
        super().__init__()
        self._before: int | None = None
        self._is_complete = False

    def compose(self) -> ComposeResult:
        with Dialog("Activity"):
            yield OptionList(compact=True, markup=False)
            yield Notice()
            with Actions():
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def on_mount(self) -> None:
        self.load()

    @on(OptionList.OptionHighlighted)
    def moved(self, event: OptionList.OptionHighlighted) -> None:
        if not self._is_complete and event.option_index >= event.option_list.option_count - 1:
            self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        events = await self.run_with_reauth(lambda: self.account.audit_events(self._before))
        if events is None:
            return
        self._is_complete = len(events.value) < _PAGE_EVENTS
        options = self.query_one(OptionList)
        for event in events.value:
            detail = " ".join(f"{name} {value}" for name, value in event.detail.items())
            words = event.tag.replace(":", " ").replace("-", " ")
            line = f"{clock(event.at)}  {words:<24} {sanitize(detail, 60)}  {sanitize(event.source, 30)}"
            options.add_option(Option(Content(sanitize(line, 160))))
            self._before = event.sequence
