"""The binding of an e-mail address by a code that is sent there."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.text_input import TextInput


class BindEmail(AccountModal[bool]):
    """Result: True if the address was bound."""

    HELP_TEXT: ClassVar[str] = (
        "The address is a name to sign in with, and warnings go there unless you set another. A code is sent to it "
        "first, and is good for ten minutes. The address before it is replaced."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#email"

    def __init__(self, before: str) -> None:
        super().__init__()
        self._before = before
        self._sent_to = ""
        """The address that the last code was sent to."""

    def compose(self) -> ComposeResult:
        with Dialog("Bind an e-mail address"):
            bound = f"Bound now: {sanitize(self._before, 120)}" if self._before else "None is bound yet."
            yield Static(bound, markup=False, classes="dialog-body muted")
            yield Field("E-mail address", TextInput(id="email", max_length=254), reserve_error=True)
            yield Field(
                "Code", TextInput(id="code", max_length=40), help="From the message sent there.", reserve_error=True
            )
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Send code", id="send", shortcut="enter", variant="primary")
                yield ActionButton("Bind", id="bind", shortcut="enter", disabled=True)

    @on(Input.Submitted, "#email")
    @on(Button.Pressed, "#send")
    def send_pressed(self) -> None:
        if self._text("email"):
            self.submit(self._send)
        elif not self.busy:
            show_errors(self, {"email": "Enter the address."})

    @on(Input.Submitted, "#code")
    @on(Button.Pressed, "#bind")
    def bind_pressed(self) -> None:
        if self.busy:
            return
        if not self._sent_to:
            show_errors(self, {"email": "Have a code sent first: enter the address and press Enter."})
        elif self._text("code"):
            self.submit(self._bind)
        else:
            show_errors(self, {"code": "Enter the code from the message."})

    async def _send(self) -> None:
        address = self._text("email")
        self.say("Asking for a code…", "muted")
        if await self.run_with_reauth(lambda: self.account.send_email_code(address)) is None:
            return
        self._sent_to = address
        self.query_one("#bind", Button).disabled = False
        self.say(f"A code was sent to {sanitize(address, 120)}. It is good for ten minutes.", "good")
        self.query_one("#code").focus()

    async def _bind(self) -> None:
        code = self._text("code")
        self.say("Binding…", "muted")
        if await self.run_with_reauth(lambda: self.account.bind_email(self._sent_to, code)) is not None:
            self.dismiss(True)

    def _text(self, control: str) -> str:
        return self.query_one(f"#{control}", Input).value.strip()
