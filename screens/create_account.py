"""The first run: creation of the first account."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.open_data import OpensData
from screens.password_strength import MIN_PASSWORD_CHARS, password_problems, rules, show_match, show_strength
from store.errors import GatekeyError, InvalidInput
from store.inputs import check_email, check_name
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_at_field, show_errors
from tui.widgets.footer import KeyFooter
from tui.widgets.help_line import HelpLine
from tui.widgets.secret_input import SecretInput
from tui.widgets.show_secrets import SHOW_KEY, ShowSecrets
from tui.widgets.small_screen import SmallScreenGuard
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from collections.abc import Mapping

IF_EMPTY: Final = {
    "username": "Enter the name you will sign in with.",
    "password": "Enter the password you want.",
    "confirmation": "Enter the password once more.",
}
"""The sentences at an empty field, from the first one to the last. The e-mail address may be empty."""


class CreateAccount(SmallScreenGuard, OpensData, Screen[None], ShowSecrets):
    """Creates the account and shows the console. The data is opened meanwhile."""

    HELP_TEXT: ClassVar[str] = (
        "Nobody has an account on this database yet: the first one made here is yours. Whoever may read the "
        "database administers it, with gatekey admin. The e-mail address is where warnings go unless you set "
        "another. The bar shows how hard the password is to guess."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#username"

    def __init__(self, sentence: str = "", typed: Mapping[str, str] | None = None) -> None:
        """`sentence` says why the screen is shown, if it is not the first run; `typed` is typed text by field."""
        super().__init__()
        self._sentence = sentence
        self._typed = dict(typed or {})
        self._rules = rules(MIN_PASSWORD_CHARS)

    def on_mount(self) -> None:
        self.measure()
        self.query_one(Notice).say(self._sentence, "warning")

    async def opened(self, *, is_first_run: bool) -> None:
        if not is_first_run:
            self.app.show_sign_in("Somebody has created the first account meanwhile. Sign in to yours.")
            return
        shortest = await self.account.minimum_password_length()
        self._rules = rules(shortest)
        self.measure()

    def compose(self) -> ComposeResult:
        with Dialog("Create your account"):
            yield Static(
                "Nobody has an account on this database yet. The first one is yours.", id="intro", classes="muted"
            )
            yield Field(
                "Username",
                TextInput(self._typed.pop("username", ""), id="username"),
                help="Letters, digits and . _ - @ +",
                reserve_error=True,
            )
            yield Field(
                "E-mail address",
                TextInput(id="email"),
                help="For warnings and notices. May stay empty.",
                reserve_error=True,
            )
            yield Field(
                "Password",
                SecretInput(value=self._typed.pop("password", ""), id="password"),
                help="Up to 1,024 characters; spaces count. Three unrelated words are better than P@ssw0rd1.",
                reserve_error=True,
            )
            yield Field(
                "Repeat password", SecretInput(id="confirmation"), help="The same once more.", reserve_error=True
            )
            yield Notice()
            with Actions():
                yield ActionButton("Quit", id="quit", shortcut="^q")
                yield ActionButton("Show", id="show", shortcut=SHOW_KEY)
                yield ActionButton("Create account", id="create", shortcut="enter", variant="primary")
        yield HelpLine()
        yield KeyFooter()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        if event.input.id != "confirmation":
            self.measure()
        show_match(self._field("confirmation"), self._text("password"), self._text("confirmation"))

    @work(exclusive=True, group="strength")
    async def measure(self) -> None:
        known = (self._text("username"), self._text("email"))
        if password := self._text("password"):
            await show_strength(self.account, self._field("password"), password, *known)
        else:
            self._field("password").note = Content.styled(f"{self._rules.capitalize()}.", "$foreground-muted")

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Do what the button does, or go to the first field that is still empty."""
        empty = next((control for control in IF_EMPTY if not self._text(control)), "")
        if empty == "password" and event.input.id == "username" and not self._text("email"):
            self.query_one("#email").focus()  # it may stay empty, but is not passed over
        elif empty:
            show_errors(self, {empty: IF_EMPTY[empty]})
        else:
            self.submit(self._create)

    @on(Button.Pressed, "#create")
    def create_pressed(self) -> None:
        self.submit(self._create)

    @on(Button.Pressed, "#quit")
    async def quit_pressed(self) -> None:
        await self.app.action_quit()

    def show_failure(self, error: GatekeyError) -> None:
        self.query_one(Notice).say("" if show_at_field(self, error) else f"{error.title}. {error}")

    async def _create(self) -> None:
        name, email, password = (self._text(control) for control in ("username", "email", "password"))
        self.query_one(Notice).say("Creating your account…", "muted")
        try:
            if not await self.is_open():
                return
            problems = await self._problems()
            if problems:
                self.query_one(Notice).say("")
                show_errors(self, problems)
                return
            await self.account.create_account(name, email.strip(), password)
        except GatekeyError as error:
            self.show_failure(error)
        else:
            for secret in self.query(SecretInput):
                secret.clear()
            self.app.show_console()

    async def _problems(self) -> dict[str, str]:
        """Every error that is known before the account is created, by field."""
        name, email, password = self._text("username"), self._text("email").strip(), self._text("password")
        problems = {}
        try:
            check_name(name)
        except InvalidInput as error:
            problems["username"] = str(error)
        try:
            if email:
                check_email(email)
        except InvalidInput as error:
            problems["email"] = str(error)
        return problems | await password_problems(self.account, password, self._text("confirmation"), name, email)

    def _text(self, control: str) -> str:
        return self.query_one(f"#{control}", Input).value

    def _field(self, control: str) -> Field:
        return next(field for field in self.query(Field) if field.control.id == control)
