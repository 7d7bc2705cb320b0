"""The dialog for a fresh proof of identity, before a sensitive action."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.proof import give_proof
from store.errors import GatekeyError
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.secret_input import CodeInput, SecretInput


class Reauthenticate(AccountModal[bool]):
    """Result: True after a proof by password, code or passkey. It is valid for five minutes."""

    HELP_TEXT: ClassVar[str] = (
        "An open console proves nothing about who sits in front of it, so a change that matters asks. One "
        "proof is enough for five minutes; wrong ones count like failed sign-ins."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#password"

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self._reason = reason

    def compose(self) -> ComposeResult:
        with Dialog("Confirm it is you"):
            yield Static(sanitize(self._reason), markup=False, classes="dialog-body")
            yield Field("Password", SecretInput(id="password"), help="The password you sign in with.")
            yield Field(
                "or authenticator code",
                CodeInput(id="code"),
                id="code-field",
                classes="-hidden",
                help="Six digits, or one of your backup codes.",
            )
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Use a passkey", id="passkey", classes="-hidden")
                yield ActionButton("Confirm", id="confirm", shortcut="enter", variant="primary")

    def on_mount(self) -> None:
        self.offer()

    @work(group="offer")
    async def offer(self) -> None:
        """Show the other factors of this account."""
        try:
            overview = await self.account.security()
        except GatekeyError:
            return  # the password is always shown, and reports the failure
        self.query_one("#code-field").set_class(not overview.two_factor.is_enabled, "-hidden")
        self.query_one("#passkey").set_class(not (overview.passkeys_enabled and overview.passkeys), "-hidden")

    def action_cancel(self) -> None:
        self.dismiss(False)

    @on(Input.Submitted)
    @on(Button.Pressed, "#confirm")
    def confirm(self) -> None:
        self.submit(self._prove)

    @on(Button.Pressed, "#passkey")
    def passkey_pressed(self) -> None:
        self.prove_with_passkey()

    @work(exclusive=True)
    async def prove_with_passkey(self) -> None:
        from screens.passkey_ceremony import PasskeyCeremony

        page = await self.run_with_reauth(self.account.begin_passkey_proof, holds_input=True)
        if page is not None and await self.app.push_screen_wait(PasskeyCeremony("Confirm it is you", page.value)):
            self.dismiss(True)

    async def _prove(self) -> None:
        if await give_proof(self):
            self.dismiss(True)
