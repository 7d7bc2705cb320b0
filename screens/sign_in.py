"""The sign-in screen: password, then the second factor if it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.failure_text import failure_text
from screens.open_data import OpensData
from screens.retry_countdown import RetryCountdown
from screens.sign_in_ways import WAY_KEYS, OtherWays
from store.errors import GatekeyError, SignInExpired, TooManyAttempts
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_at_field, show_errors
from tui.widgets.footer import KeyFooter
from tui.widgets.help_line import HelpLine
from tui.widgets.secret_input import CodeInput, SecretInput
from tui.widgets.show_secrets import SHOW_KEY, ShowSecrets
from tui.widgets.small_screen import SmallScreenGuard
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from store.values.sign_in import SecondFactorNeeded
    from tui.account import SignInOptions


_NAME_THERE: Final = "The name or the e-mail address of your account there."
IF_EMPTY: Final = {
    "username": "Enter your username.",
    "password": "Enter your password.",
    "code": "Enter the code.",
}
"""The sentence at an empty field."""


class SignIn(SmallScreenGuard, RetryCountdown, OpensData, Screen[None], ShowSecrets):
    """Opens the data after its first picture. On a first run it shows `CreateAccount` instead."""

    HELP_TEXT: ClassVar[str] = (
        "Username and password first; if two-factor authentication is on, a code follows. Five wrong "
        "passwords lock the account for a while, and the seconds that are left are shown. A forgotten "
        "password is reset by the administrator: gatekey admin user reset-password NAME."
    )

    @property
    def purpose(self) -> str:
        if not self.account.server:
            return self.HELP_TEXT
        return (
            f"Your username and password on {sanitize(self.account.server, 200)}; if two-factor authentication is on "
            "there, a code follows. Where the sign-in of a server shows a captcha, a System Access Token takes its "
            "place: gatekey server add URL --token. A forgotten password is reset on the server's own page."
        )

    AUTO_FOCUS: ClassVar[str | None] = "#username"
    BINDINGS: ClassVar[list[BindingType]] = [
        *WAY_KEYS,
        Binding("escape", "start_again", "Start again", id="sign-in.again", tooltip="Go back to name and password"),
    ]

    def __init__(self, sentence: str = "", *, step: SecondFactorNeeded | None = None, name: str = "") -> None:
        """`step` is the second step of a sign-in whose first one is done; `name` is a username to begin with."""
        super().__init__()
        self._sentence = sentence
        self._first_step = step
        self._name = name
        self._step: SecondFactorNeeded | None = None

    def compose(self) -> ComposeResult:
        with Dialog("gatekey", classes="narrow"):
            if demo := self.account.demo_credentials:
                greeting = f"This is the demo. Sign in as {demo.name} with the password: {demo.password}"
                yield Static(greeting, id="greeting", markup=False)
            yield Field(
                "Username",
                TextInput(self._name, id="username"),
                help=_NAME_THERE if self.account.server else "Capitals do not matter.",
                classes="first-factor",
            )
            yield Field(
                "Password",
                SecretInput(id="password"),
                help="Typed characters are not shown.",
                reserve_error=True,
                classes="first-factor",
            )
            yield Static("Enter the code your authenticator app shows.", classes="second-factor")
            yield Field(
                "Code",
                CodeInput(id="code"),
                help="Six digits; or one of your backup recovery codes.",
                reserve_error=True,
                classes="second-factor",
            )
            yield Notice()
            with Actions():
                yield ActionButton("Quit", id="quit", shortcut="^q")
                yield ActionButton("Show", id="show", shortcut=SHOW_KEY, classes="first-factor")
                yield ActionButton("Start again", id="again", shortcut="esc", classes="second-factor")
                yield ActionButton("Sign in", id="sign-in", shortcut="enter", variant="primary")
            yield OtherWays(self)
            yield Static("", id="no-sign-up", markup=False, classes="muted -hidden")
        yield HelpLine()
        yield KeyFooter()

    def on_mount(self) -> None:
        self._show_step(None)
        self.query_one(Notice).say(self._sentence, "warning")
        if self._first_step is not None:
            self.admit(self._first_step)
        elif self._name:
            self.query_one("#password").focus()

    async def opened(self, *, is_first_run: bool) -> None:
        if is_first_run:
            # What is typed next belongs to the form that opens.
            with self.app.hold_input(keeps=True):
                typed = {control: self.query_one(f"#{control}", Input).value for control in ("username", "password")}
                self.app.show_first_run(self._sentence, typed)
        else:
            await self._offer(await self.account.sign_in_options())

    def show_failure(self, error: GatekeyError) -> None:
        """Show `error` at its field, with the attempts that are left, or else in the notice."""
        sentence = failure_text(error)
        at_field = show_at_field(self, error, sentence=sentence)
        self.query_one(Notice).say("" if at_field else f"{error.title}. {sentence}")

    @on(Input.Changed, "#username")
    def name_changed(self) -> None:
        """End the countdown, which was for another name. The store decides whether this name has to wait too."""
        if self.wait_seconds:
            self.wait_seconds = 0
            self.query_one(Notice).say("")

    @on(Input.Submitted)
    @on(Button.Pressed, "#sign-in")
    def entered(self) -> None:
        """Send the step, or go to the field that is still empty."""
        controls = ("username", "password") if self._step is None else ("code",)
        empty = next((control for control in controls if not self.query_one(f"#{control}", Input).value), None)
        if empty is None:
            self._start()
        elif self.query_one(f"#{empty}").has_focus:
            show_errors(self, {empty: IF_EMPTY[empty]})
        else:
            self.query_one(f"#{empty}").focus()

    @on(Button.Pressed, "#again")
    def again_pressed(self) -> None:
        self.action_start_again()

    @on(Button.Pressed, "#quit")
    async def quit_pressed(self) -> None:
        await self.app.action_quit()

    @on(Button.Pressed, ".other-way")
    def other_way_pressed(self, event: Button.Pressed) -> None:
        self._go(event.button)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return self._step is not None if action == "start_again" else True

    def action_start_again(self) -> None:
        if not self.busy:
            self._show_first_factor()

    def action_passkey(self) -> None:
        self._go(*self.query("#other-ways .passkey").results(Button))

    def action_create_account(self) -> None:
        self._go(*self.query("#other-ways .sign-up").results(Button))

    def action_provider(self, number: int) -> None:
        self._go(*list(self.query("#other-ways .provider").results(Button))[number : number + 1])

    def _go(self, *buttons: Button) -> None:
        """Go the way of a button, if it is there and nothing else is under way."""
        if buttons and not self.busy and self._step is None:
            self.query_one(OtherWays).begin(buttons[0])

    def _start(self) -> None:
        if self.wait_seconds == 0:
            self.submit(self._check)

    async def _check(self) -> None:
        try:
            self.query_one(Notice).say("Checking…", "muted")
            if not await self.is_open():
                return
            if self._step is None:
                name = self.query_one("#username", Input).value
                password = self.query_one("#password", SecretInput).take()
                self.admit(await self.account.sign_in(name, password))
            else:
                await self.account.enter_code(self._step, self.query_one("#code", CodeInput).take())
                self.app.show_console()
        except SignInExpired as error:
            self._show_first_factor()
            self.query_one(Notice).say(str(error), "warning")
        except TooManyAttempts as error:
            self.wait_seconds = int(error.retry_after.total_seconds())
        except GatekeyError as error:
            self.show_failure(error)

    def admit(self, step: SecondFactorNeeded | None) -> None:
        if step is None:
            self.app.show_console()
            return
        self._show_step(step)
        self.query_one(Notice).say(f"{sanitize(step.name)} has two-factor authentication.", "muted")
        self.query_one("#code").focus()

    def say(self, sentence: str, kind: str = "bad") -> None:
        self.query_one(Notice).say(sentence, kind)

    def ask_password(self, name: str) -> None:
        self.query_one("#username", Input).value = name
        self.query_one("#password").focus()

    def _show_first_factor(self) -> None:
        self._show_step(None)
        self.query_one(Notice).say("")
        self.query_one("#username").focus()

    def _show_step(self, step: SecondFactorNeeded | None) -> None:
        """Show the first factor, or the second one that `step` asks for."""
        self._step = step
        self.set_class(step is None, "-first")
        self.query_one("#sign-in", Button).label = "Sign in" if step is None else "Continue"
        self.refresh_bindings()

    async def _offer(self, ways: SignInOptions) -> None:
        if ways.sign_up is not None and ways.sign_up.limit:
            limit = self.query_one("#no-sign-up", Static)
            limit.update(sanitize(ways.sign_up.limit, 300))
            limit.remove_class("-hidden")
        await self.query_one(OtherWays).offer(ways)
