"""The question for the password itself, where its length is what matters."""

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
from tui.widgets.secret_input import SecretInput


class AskPassword(AccountModal[str | None]):
    """Result: what was entered, or None."""

    HELP_TEXT: ClassVar[str] = (
        "The administrator asks for a longer password where it is the only factor. Only a hash of yours is stored, "
        "which does not tell how long it is, so it is asked for here. A wrong one counts like a failed sign-in."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#password"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self._reason = reason

    def compose(self) -> ComposeResult:
        with Dialog("Enter your password"):
            yield Static(sanitize(self._reason), markup=False, classes="dialog-body")
            yield Field("Password", SecretInput(id="password"), help="The password you sign in with.")
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Continue", id="continue", shortcut="enter", variant="primary")

    @on(Button.Pressed, "#cancel")
    def cancel_pressed(self) -> None:
        self.action_cancel()

    @on(Input.Submitted)
    @on(Button.Pressed, "#continue")
    def entered(self) -> None:
        password = self.query_one("#password", SecretInput).take()
        if password:
            self.dismiss(password)
        else:
            self.say("Enter the password you use now.")
