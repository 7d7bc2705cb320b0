"""The question "is it still you?", asked before anything that could cost the account."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from store.errors import GatekeyError, SessionEnded
from store.text import plain
from tui.widgets.action_button import ActionButton
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.secret_input import CodeInput, SecretInput


class Reauthenticate(AccountModal[bool]):
    """True once a password, a code or a passkey has been given; it then holds for five minutes."""

    AUTO_FOCUS: ClassVar[str | None] = "#password"

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self._reason = reason

    def compose(self) -> ComposeResult:
        with Dialog("Confirm it is you"):
            yield Static(plain(self._reason), markup=False, classes="dialog-body")
            yield Field("Password", SecretInput(id="password"), help="The password you sign in with.")
            yield Field(
                "or authenticator code",
                CodeInput(id="code"),
                help="Six digits, or one of your backup codes. Only with two-factor authentication.",
            )
            yield Notice()
            with Horizontal(classes="actions"):
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Confirm", id="confirm", shortcut="enter", variant="primary")

    def action_cancel(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed, "#cancel")
    def cancel_pressed(self) -> None:
        self.action_cancel()

    @on(Input.Submitted)
    @on(Button.Pressed, "#confirm")
    def confirm(self) -> None:
        if not self.busy:
            self.busy = True
            self.prove()

    @work(exclusive=True)
    async def prove(self) -> None:
        password, code = self.query_one("#password", SecretInput), self.query_one("#code", CodeInput)
        try:
            if code.value.strip():
                await self.account.prove_with_code(code.code)
            else:
                await self.account.prove_with_password(password.value)
        except SessionEnded as error:
            self.app.session_ended(error)
        except GatekeyError as error:
            password.clear()
            self.show_failure(error)
        else:
            self.dismiss(True)
        finally:
            self.busy = False
