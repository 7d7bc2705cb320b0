"""The other ways to sign in than by name and password: a passkey, an identity provider, and a new account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from textual import work
from textual.binding import Binding
from textual.widgets import Button

from screens.account_actions import AccountActions
from store.errors import GatekeyError
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions

if TYPE_CHECKING:
    from store.values.sign_in import SecondFactorNeeded
    from tui.account import SignInOptions, SignUp

PASSKEY_KEY: Final = "f3"
SIGN_UP_KEY: Final = "ctrl+n"
PROVIDER_KEYS: Final = ("f4", "f5", "f6", "f7", "f8")
"""Keys of the identity providers, in their order. Letters are text here, and these reach a program in tmux too."""

WAY_KEYS: Final = (
    Binding(
        PASSKEY_KEY,
        "passkey",
        "Passkey",
        id="sign-in.passkey",
        show=False,
        tooltip="Sign in with a passkey, in a browser",
    ),
    *(
        Binding(
            key,
            f"provider({number})",
            f"Provider {number + 1}",
            id=f"sign-in.provider-{number + 1}",
            show=False,
            tooltip=f"Sign in at identity provider {number + 1}",
        )
        for number, key in enumerate(PROVIDER_KEYS)
    ),
    Binding(
        SIGN_UP_KEY,
        "create_account",
        "Create account",
        id="sign-in.create-account",
        show=False,
        tooltip="Create an account on this server",
    ),
)


class SignInForm(Protocol):
    """The screen around the buttons."""

    def admit(self, step: SecondFactorNeeded | None) -> None:
        """Show the console, or ask for the second factor."""
        ...

    def say(self, sentence: str, kind: str = "bad") -> None:
        """Show a sentence below the form."""
        ...

    def ask_password(self, name: str) -> None:
        """Go to the password of an account with that name."""
        ...


class OtherWays(AccountActions, Actions):
    """A button of class `other-way` for each way. Hidden while there is none."""

    def __init__(self, form: SignInForm) -> None:
        super().__init__(id="other-ways", classes="-together -hidden")
        self._form = form
        self._sign_up: SignUp | None = None
        """None where nobody may create an account from here."""

    def on_mount(self) -> None:
        self.border_title = "or"

    async def offer(self, ways: SignInOptions) -> None:
        """Show the buttons of these ways."""
        buttons = []
        if ways.passkeys:
            buttons.append(ActionButton("Passkey", shortcut=PASSKEY_KEY, classes="other-way passkey"))
        keys = (*PROVIDER_KEYS, *[""] * len(ways.providers))
        for each, key in zip(ways.providers, keys, strict=False):
            buttons.append(ActionButton(each.name, shortcut=key, name=each.slug, classes="other-way provider"))
        if ways.sign_up is not None and not ways.sign_up.limit:
            self._sign_up = ways.sign_up
            buttons.append(ActionButton("Create account", shortcut="^n", classes="other-way sign-up"))
        self.set_class(not buttons, "-hidden")
        await self.mount_all(buttons)

    def begin(self, button: Button) -> None:
        """Go the way of a button."""
        if button.has_class("passkey"):
            self.sign_in_with_passkey()
        elif button.has_class("provider"):
            self.sign_in_with_provider(button.name or "")
        elif self._sign_up is not None:
            self.create_account(self._sign_up)

    @work(exclusive=True, group="sign-in")
    async def sign_in_with_passkey(self) -> None:
        from screens.passkey_ceremony import PasskeyCeremony

        try:
            page = await self.account.begin_passkey_sign_in()
            if await self.app.push_screen_wait(PasskeyCeremony("Sign in with a passkey", page)):
                self._form.admit(await self.account.finish_passkey_sign_in(page))
        except GatekeyError as error:
            self._form.say(f"{error.title}. {error}")

    @work(exclusive=True, group="sign-in")
    async def sign_in_with_provider(self, slug: str) -> None:
        from screens.bind_provider import ProviderLogin

        try:
            self._form.say("Asking the provider for a code…", "muted")
            login = await self.account.begin_device_login(slug)
            self._form.say("")
            identity = await self.app.push_screen_wait(ProviderLogin(login))
            if identity is not None:
                self._form.admit(await self.account.sign_in_with_identity(identity))
        except GatekeyError as error:
            self._form.say(f"{error.title}. {error}")

    @work(exclusive=True, group="sign-in")
    async def create_account(self, sign_up: SignUp) -> None:
        from screens.sign_up import SignUpForm

        made = await self.app.push_screen_wait(SignUpForm(sign_up))
        if made is None:
            return
        if not made.failure:
            self._form.admit(made.step)
            return
        self._form.ask_password(made.name)
        self._form.say(f"The account was created. {made.failure}", "warning")
