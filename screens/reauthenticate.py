"""The dialog for a fresh proof of identity, before a sensitive action."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.limited_text import reworded
from screens.proof import give_proof
from store.errors import GatekeyError
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.secret_input import CodeInput, SecretInput
from tui.widgets.show_secrets import SHOW_KEY, ShowSecrets

_FIVE_MINUTES: Final = "One proof is enough for five minutes; wrong ones count like failed sign-ins."


class Reauthenticate(AccountModal[bool], ShowSecrets):
    """Result: True after a proof by password, code or passkey. It is valid for five minutes."""

    HELP_TEXT: ClassVar[str] = (
        "An open console proves nothing about who sits in front of it, so a change that matters asks. " + _FIVE_MINUTES
    )
    AUTO_FOCUS: ClassVar[str | None] = "#password"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "passkey", "Passkey", id="proof.passkey", tooltip="Confirm with a passkey, in a browser"),
    ]

    @property
    def purpose(self) -> str:
        by_code = self.account.capabilities.no_password_proof
        once = "The server checks the code together with this change, and it holds for nothing else."
        return reworded(self.HELP_TEXT, (by_code, _FIVE_MINUTES, once))

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self._reason = reason

    def compose(self) -> ComposeResult:
        limit = self.account.capabilities.no_password_proof
        with Dialog("Confirm it is you"):
            yield Static(sanitize(limit or self._reason), markup=False, classes="dialog-body muted")
            yield Field(
                "Password",
                SecretInput(id="password"),
                help="The password you sign in with.",
                reserve_error=True,
                classes="-hidden" if limit else None,
            )
            yield Field(
                "Authenticator code" if limit else "or authenticator code",
                CodeInput(id="code"),
                id="code-field",
                classes=None if limit else "-hidden",
                help="Six digits, or one of your backup codes.",
                reserve_error=True,
            )
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                if not limit:
                    yield ActionButton("Show", id="show", shortcut=SHOW_KEY)
                yield ActionButton("Use a passkey", id="passkey", shortcut="f3", classes="-hidden")
                yield ActionButton("Confirm", id="confirm", shortcut="enter", variant="primary")

    def on_mount(self) -> None:
        if self.account.capabilities.no_password_proof:
            self.query_one("#code").focus()
        else:
            self.offer()

    @work(group="offer")
    async def offer(self) -> None:
        """Show the other factors of this account."""
        try:
            overview = await self.account.security()
        except GatekeyError:
            return  # the password is always shown, and reports the failure
        self.query_one("#code-field").set_class(not overview.two_factor.is_enabled, "-hidden")
        by_passkey = overview.passkeys_enabled and overview.passkeys and not self.account.capabilities.no_passkey_proof
        self.query_one("#passkey").set_class(not by_passkey, "-hidden")
        self.refresh_bindings()

    def action_cancel(self) -> None:
        self.dismiss(False)

    @on(Input.Submitted)
    @on(Button.Pressed, "#confirm")
    def confirm(self) -> None:
        self.submit(self._prove)

    @on(Button.Pressed, "#passkey")
    def action_passkey(self) -> None:
        self.prove_with_passkey()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "passkey" and self.query("#passkey.-hidden"):
            return False
        return super().check_action(action, parameters)

    @work(exclusive=True)
    async def prove_with_passkey(self) -> None:
        from screens.passkey_ceremony import PasskeyCeremony

        page = await self.run_with_reauth(self.account.begin_passkey_proof, holds_input=True)
        if page is not None and await self.app.push_screen_wait(PasskeyCeremony("Confirm it is you", page.value)):
            self.dismiss(True)

    async def _prove(self) -> None:
        if await give_proof(self, by_code=bool(self.account.capabilities.no_password_proof)):
            self.dismiss(True)
