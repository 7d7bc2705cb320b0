"""The creation of an account on a server that takes new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input

from screens.account_modal import AccountModal, Notice
from screens.failure_text import failure_text
from screens.password_strength import password_problems, rules, show_match, show_strength
from store.errors import GatekeyError
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.secret_input import SecretInput
from tui.widgets.show_secrets import SHOW_KEY, ShowSecrets
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from store.values.sign_in import SecondFactorNeeded
    from tui.account import SignUp

_IF_EMPTY: Final = {
    "username": "Enter the name you will sign in with.",
    "email": "Enter your address: a code is sent to it.",
    "code": "Enter the code from the message.",
    "password": "Enter the password you want.",
    "confirmation": "Enter the password once more.",
}


@dataclass(frozen=True, slots=True)
class SignedUp:
    """An account that was created. Without a `failure` it is signed in to, or `step` completes that."""

    name: str
    step: SecondFactorNeeded | None = None
    failure: str = ""


class SignUpForm(AccountModal[SignedUp | None], ShowSecrets):
    """Result: the account that was created, or None."""

    HELP_TEXT: ClassVar[str] = (
        "This server lets anybody create an account. Its rules for the password are told below the field. Where it "
        "wants an e-mail address, a code is sent there first: press Enter in the field of the address."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#username"

    def __init__(self, sign_up: SignUp) -> None:
        super().__init__()
        self._asks_code = sign_up.asks_email_code

    def compose(self) -> ComposeResult:
        with Dialog("Create an account"):
            yield Field("Username", TextInput(id="username", max_length=64), reserve_error=True)
            if self._asks_code:
                yield Field("E-mail address", TextInput(id="email", max_length=254), help="Enter sends a code to it.")
                yield Field("Code", TextInput(id="code", max_length=40), help="From the message.", reserve_error=True)
            yield Field("Password", SecretInput(id="password"), reserve_error=True)
            yield Field("Repeat password", SecretInput(id="confirmation"), reserve_error=True)
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Show", id="show", shortcut=SHOW_KEY)
                if self._asks_code:
                    yield ActionButton("Send code", id="send-code")
                yield ActionButton("Create account", id="create", shortcut="enter", variant="primary")

    def on_mount(self) -> None:
        self.measure()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        if event.input.id in ("username", "password", "email"):
            self.measure()
        show_match(self._field("confirmation"), self._text("password"), self._text("confirmation"))

    @work(exclusive=True, group="strength")
    async def measure(self) -> None:
        if password := self._text("password"):
            await show_strength(self.account, self._field("password"), password, self._text("username"))
            return
        shortest = await self.account.minimum_password_length()
        sentence = f"{rules(shortest, self.account.capabilities.longest_password)}.".capitalize()
        self._field("password").note = Content.styled(sentence, "$foreground-muted")

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Send the code, go to the first field that is still empty, or create the account."""
        if event.input.id == "email" and self._text("email"):
            self.submit(self._send)
        else:
            self._create_if_complete()

    @on(Button.Pressed, "#send-code")
    def send_pressed(self) -> None:
        if self._text("email"):
            self.submit(self._send)
        elif not self.busy:
            show_errors(self, {"email": _IF_EMPTY["email"]})

    @on(Button.Pressed, "#create")
    def create_pressed(self) -> None:
        self._create_if_complete()

    def _create_if_complete(self) -> None:
        if self.busy:
            return
        shown = [control for control in _IF_EMPTY if self.query(f"#{control}")]
        empty = next((control for control in shown if not self._text(control)), "")
        if empty:
            show_errors(self, {empty: _IF_EMPTY[empty]})
        else:
            self.submit(self._create)

    async def _send(self) -> None:
        address = self._text("email").strip()
        self.say("Asking for a code…", "muted")
        if await self.run_with_reauth(lambda: self.account.send_sign_up_code(address)) is not None:
            self.say(f"A code was sent to {sanitize(address, 120)}.", "good")
            self.query_one("#code").focus()

    async def _create(self) -> None:
        name, password = self._text("username").strip(), self._text("password")
        email, code = (self._text(name).strip() if self._asks_code else "" for name in ("email", "code"))
        if problems := await password_problems(self.account, password, self._text("confirmation"), name):
            self.say("")
            show_errors(self, problems)
            return
        self.say("Creating your account…", "muted")
        if await self.run_with_reauth(lambda: self.account.sign_up(name, password, email, code)) is None:
            return
        for secret in self.query(SecretInput):
            secret.clear()
        try:
            self.dismiss(SignedUp(name, await self.account.sign_in(name, password)))
        except GatekeyError as error:
            self.dismiss(SignedUp(name, failure=failure_text(error)))

    def _text(self, control: str) -> str:
        return self.query_one(f"#{control}", Input).value

    def _field(self, control: str) -> Field:
        return next(field for field in self.query(Field) if field.control.id == control)
