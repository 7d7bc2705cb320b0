"""The first run: creation of the first account."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.password_strength import MIN_PASSWORD_CHARS, show_strength
from screens.submit import SubmitOnce
from store.errors import GatekeyError, InvalidInput, PasswordRefused
from store.inputs import check_email, check_name
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_at_field, show_errors
from tui.widgets.footer import KeyFooter
from tui.widgets.help_line import HelpLine
from tui.widgets.secret_input import SecretInput
from tui.widgets.small_screen import SmallScreenGuard
from tui.widgets.strength import StrengthMeter
from tui.widgets.text_input import TextInput

RULES: Final = "At least {} characters, and not easy to guess: three unrelated words are better than P@ssw0rd1."


class CreateAccount(SmallScreenGuard, SubmitOnce, Screen[None]):
    """Creates the account and shows the console."""

    HELP_TEXT: ClassVar[str] = (
        "Nobody has an account on this database yet: the first one made here is yours. Whoever may read the "
        "database administers it, with gatekey admin. The e-mail address is where warnings go unless you set "
        "another. The bar shows how hard the password is to guess."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#username"

    def __init__(self, sentence: str = "") -> None:
        """`sentence` says why the screen is shown, if it is not the first run."""
        super().__init__()
        self._sentence = sentence

    def on_mount(self) -> None:
        self.query_one(Notice).say(self._sentence, "warning")
        self.show_rules()

    @work(group="rules")
    async def show_rules(self) -> None:
        try:
            shortest = await self.account.minimum_password_length()
        except GatekeyError:
            return  # the default rules stay, and the account refuses a password that breaks others
        self.query_one("#rules", Static).update(RULES.format(shortest))

    def compose(self) -> ComposeResult:
        with Dialog("Welcome to Gatekey"):
            yield Static(
                "Nobody has an account on this database yet. Create yours; more can be added later with "
                "gatekey admin user add.",
                classes="dialog-body",
            )
            yield Field("Username", TextInput(id="username"), help="Letters, digits and . _ - @ +")
            yield Field("E-mail address", TextInput(id="email"), help="For warnings and notices. May stay empty.")
            yield Field("Password", SecretInput(id="password"), help="Up to 1,024 characters; spaces count.")
            yield Field("Repeat password", SecretInput(id="confirmation"), help="The same once more.")
            yield Field("Strength", StrengthMeter(id="strength"))
            yield Static(RULES.format(MIN_PASSWORD_CHARS), id="rules", classes="muted dialog-body")
            yield Notice()
            with Actions():
                yield ActionButton("Create account", id="create", shortcut="enter", variant="primary")
        yield HelpLine()
        yield KeyFooter()

    @on(Input.Changed, "#password")
    @on(Input.Changed, "#username")
    @on(Input.Changed, "#email")
    def password_changed(self) -> None:
        self.measure()

    @work(exclusive=True, group="strength")
    async def measure(self) -> None:
        known = (self._text("username"), self._text("email"))
        await show_strength(self.account, self.query_one(StrengthMeter), self._text("password"), *known)

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "confirmation":
            self.create_pressed()
        else:
            self.focus_next()

    @on(Button.Pressed, "#create")
    def create_pressed(self) -> None:
        self.submit(self._create)

    async def _create(self) -> None:
        name, email, password = (self._text(control) for control in ("username", "email", "password"))
        self.query_one(Notice).say("Creating your account…", "muted")
        try:
            problems = await self._problems()
            if problems:
                self.query_one(Notice).say("")
                show_errors(self, problems)
                return
            await self.account.create_account(name, email.strip(), password)
        except GatekeyError as error:
            self.query_one(Notice).say("" if show_at_field(self, error) else f"{error.title}. {error}")
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
        try:
            await self.account.check_new_password(password, name, email)
        except PasswordRefused as error:
            problems["password"] = str(error)
        if password != self._text("confirmation"):
            problems["confirmation"] = "The two passwords do not match."
        return problems

    def _text(self, control: str) -> str:
        return self.query_one(f"#{control}", Input).value
