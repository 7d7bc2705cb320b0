"""The sign-in screen: password, then the second factor if it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Button, ContentSwitcher, Input, Static

from screens.account_modal import Notice
from screens.submit import SubmitOnce
from store.errors import GatekeyError, SignInExpired, TooManyAttempts
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_at_field
from tui.widgets.footer import KeyFooter
from tui.widgets.help_line import HelpLine
from tui.widgets.secret_input import CodeInput, SecretInput
from tui.widgets.small_screen import SmallScreenGuard
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.worker import Worker

    from store.values.sign_in import SecondFactorNeeded
    from tui.account import SignInOptions


class SignIn(SmallScreenGuard, SubmitOnce, Screen[None]):
    """Opens the data after its first picture. On a first run it shows `CreateAccount` instead."""

    HELP_TEXT: ClassVar[str] = (
        "Username and password first; if two-factor authentication is on, a code follows. Five wrong "
        "passwords lock the account for a while, and the seconds that are left are shown. A forgotten "
        "password is reset by the administrator: gatekey admin user reset-password NAME."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#username"

    wait_seconds: reactive[int] = reactive(0, init=False)
    """Seconds until a locked sign-in may be tried again."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__()
        self._sentence = sentence
        self._step: SecondFactorNeeded | None = None
        self._countdown: Timer | None = None
        self._opening: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        with Dialog("Gatekey", classes="narrow"):
            with ContentSwitcher(initial="first-factor"):
                with Dialog("", id="first-factor", classes="-bare"):
                    yield Static(self._greeting(), markup=False, classes="dialog-body")
                    yield Field("Username", TextInput(id="username"), help="Its case does not matter.")
                    yield Field("Password", SecretInput(id="password"), help="Typed characters are not shown.")
                    with Actions():
                        yield ActionButton("Sign in", id="sign-in", shortcut="enter", variant="primary")
                    yield Actions(id="other-ways", classes="-hidden")
                with Dialog("", id="second-factor", classes="-bare"):
                    yield Static("Enter the code your authenticator app shows.", classes="dialog-body")
                    yield Field("Code", CodeInput(id="code"), help="Six digits; or one of your backup recovery codes.")
                    with Actions():
                        yield ActionButton("Start again", id="again")
                        yield ActionButton("Continue", id="continue", shortcut="enter", variant="primary")
            yield Notice()
        yield HelpLine()
        yield KeyFooter()

    def _greeting(self) -> str:
        if demo := self.account.demo_credentials:
            return f"This is the demo. Sign in as {demo.name} with the password: {demo.password}"
        return "Sign in to your account."

    def on_mount(self) -> None:
        self.query_one(Notice).say(self._sentence, "warning")
        self.call_after_refresh(self._start_opening)

    def _start_opening(self) -> None:
        self._opening = self.open_data()

    @work(exclusive=True, group="open")
    async def open_data(self) -> None:
        try:
            is_first_run = await self.account.open()
            if is_first_run:
                self.app.show_first_run(self._sentence)
                return
            await self._offer(await self.account.sign_in_options())
        except GatekeyError as error:
            self.query_one(Notice).say(f"{error.title}. {error}")

    @on(Input.Changed, "#username")
    def name_changed(self) -> None:
        """End the countdown, which was for another name. The store decides whether this name has to wait too."""
        if self.wait_seconds:
            self.wait_seconds = 0
            self.query_one(Notice).say("")

    @on(Input.Submitted, "#username")
    def username_entered(self) -> None:
        self.query_one("#password").focus()

    @on(Input.Submitted, "#password")
    @on(Button.Pressed, "#sign-in")
    def password_entered(self) -> None:
        self._start()

    @on(Input.Submitted, "#code")
    @on(Button.Pressed, "#continue")
    def code_entered(self) -> None:
        self._start()

    @on(Button.Pressed, "#again")
    def start_again(self) -> None:
        self._show_first_factor()

    @on(Button.Pressed, ".passkey")
    def passkey_chosen(self) -> None:
        if not self.busy:
            self.sign_in_with_passkey()

    @on(Button.Pressed, ".provider")
    def provider_chosen(self, event: Button.Pressed) -> None:
        if not self.busy:
            self.sign_in_with_provider(event.button.name or "")

    def _start(self) -> None:
        if self.wait_seconds == 0:
            self.submit(self._check)

    async def _check(self) -> None:
        try:
            self.query_one(Notice).say("Checking…", "muted")
            if not await self._is_open():
                return
            if self._step is None:
                name = self.query_one("#username", Input).value
                password = self.query_one("#password", SecretInput).take()
                self._admit(await self.account.sign_in(name, password))
            else:
                await self.account.enter_code(self._step, self.query_one("#code", CodeInput).take())
                self.app.show_console()
        except SignInExpired as error:
            self._show_first_factor()
            self.query_one(Notice).say(str(error), "warning")
        except TooManyAttempts as error:
            self.wait_seconds = int(error.retry_after.total_seconds())
        except GatekeyError as error:
            self.query_one(Notice).say("" if show_at_field(self, error) else f"{error.title}. {error}")

    @work(exclusive=True, group="sign-in")
    async def sign_in_with_passkey(self) -> None:
        from screens.passkey_ceremony import PasskeyCeremony

        try:
            page = await self.account.begin_passkey_sign_in()
            if await self.app.push_screen_wait(PasskeyCeremony("Sign in with a passkey", page)):
                self._admit(await self.account.finish_passkey_sign_in(page))
        except GatekeyError as error:
            self.query_one(Notice).say(f"{error.title}. {error}")

    @work(exclusive=True, group="sign-in")
    async def sign_in_with_provider(self, slug: str) -> None:
        from screens.bind_provider import ProviderLogin

        notice = self.query_one(Notice)
        try:
            notice.say("Asking the provider for a code…", "muted")
            login = await self.account.begin_device_login(slug)
            notice.say("")
            identity = await self.app.push_screen_wait(ProviderLogin(login))
            if identity is not None:
                self._admit(await self.account.sign_in_with_identity(identity))
        except GatekeyError as error:
            self.query_one(Notice).say(f"{error.title}. {error}")

    async def _is_open(self) -> bool:
        """Wait until the data is open; returns whether it is. After a failure it is opened once more."""
        if self._opening is None or (self._opening.is_finished and not self.account.is_open):
            self._start_opening()
        if self._opening is not None:
            await self._opening.wait()
        return self.account.is_open

    def watch_wait_seconds(self, seconds: int) -> None:
        if seconds and self._countdown is None:
            self._countdown = self.set_interval(1, self._count_down)
        if not seconds and self._countdown is not None:
            self._countdown.stop()
            self._countdown = None
        for notice in self.query(Notice):  # none while the screen closes
            if seconds:
                notice.say(f"Too many attempts. Try again in {seconds // 60}:{seconds % 60:02d}.")
            else:
                notice.say("You can try again now.", "muted")

    def _count_down(self) -> None:
        self.wait_seconds = max(0, self.wait_seconds - 1)

    def _admit(self, step: SecondFactorNeeded | None) -> None:
        if step is None:
            self.app.show_console()
            return
        self._step = step
        self.query_one(ContentSwitcher).current = "second-factor"
        self.query_one(Notice).say(f"{sanitize(step.name)} has two-factor authentication.", "muted")
        self.query_one("#code").focus()

    def _show_first_factor(self) -> None:
        self._step = None
        self.query_one(ContentSwitcher).current = "first-factor"
        self.query_one(Notice).say("")
        self.query_one("#username").focus()

    async def _offer(self, ways: SignInOptions) -> None:
        row = self.query_one("#other-ways", Actions)
        buttons = [ActionButton("Use a passkey", classes="passkey")] if ways.passkeys else []
        buttons += [ActionButton(f"Use {each.name}", name=each.slug, classes="provider") for each in ways.providers]
        row.set_class(not buttons, "-hidden")
        await row.mount_all(buttons)
