"""Confirmation of a notification address by a code that was sent there."""

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
from tui.widgets.field import Field
from tui.widgets.text_input import TextInput


class ConfirmEmail(AccountModal[bool]):
    """Result: True if the address was confirmed."""

    HELP_TEXT: ClassVar[str] = (
        "Warnings go to an address other than your account's only after a code that was sent there has been entered "
        "here. Until then they go to your account's own address, if it has one. A code works for half an hour, and "
        "for five tries; Send test, behind this dialog, sends another."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#confirmation-code"

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def compose(self) -> ComposeResult:
        with Dialog("Confirm the notification email"):
            yield Static(
                f"Enter the code that was sent to {sanitize(self._address, 120)}.", markup=False, classes="dialog-body"
            )
            yield Field(
                "Code", TextInput(id="confirmation-code", max_length=12), help="Eight digits, from the message."
            )
            yield Notice()
            with Actions():
                yield ActionButton("Later", id="cancel", shortcut="esc")
                yield ActionButton("Confirm", id="confirm", shortcut="enter", variant="primary")

    @on(Input.Submitted)
    @on(Button.Pressed, "#confirm")
    def confirm_pressed(self) -> None:
        if not self.query_one("#confirmation-code", TextInput).value.strip():
            self.say("Enter the code from the message.")
        else:
            self.submit(self._confirm)

    async def _confirm(self) -> None:
        code = self.query_one("#confirmation-code", TextInput)
        done = await self.run_with_reauth(lambda: self.account.confirm_email(code.value))
        if done is not None:
            self.dismiss(True)
            return
        code.clear()
        code.focus()
