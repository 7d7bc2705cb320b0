"""Security Settings: access token, password, passkeys, second factor, sessions, activity, deletion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.relative_time import ago
from screens.settings.pane import Pane
from store.errors import PasskeysDisabled
from tui.widgets.action_button import ActionButton
from tui.widgets.confirm import Confirm
from tui.widgets.field import Field
from tui.widgets.section import Section
from tui.widgets.state import State, state_chip
from tui.widgets.tab_bar import TabBar

if TYPE_CHECKING:
    from textual.widgets.button import ButtonVariant

    from screens.account_modal import AccountModal
    from store.errors import GatekeyError
    from tui.account import SecurityOverview

_LOADING: Final = "…"
_PREPARING: Final = "Preparing a key and ten backup codes…"


@dataclass(frozen=True, slots=True)
class Words:
    """The help line of a row, its purpose in the words of the specification, and its consequence."""

    help: str
    about: str
    consequence: str = ""


_PASSWORD: Final = Words(
    "Rotate it from time to time; never reuse it.",
    "Change the password you sign in with. The original password must match, and the new one is entered twice.\n\n"
    "It is recommended to periodically rotate credentials and avoid reusing passwords across services.",
    "Takes effect immediately. Your other sessions are signed out.",
)
_PASSKEYS: Final = Words(
    "Sign in with your device instead of a password.",
    "Passkey Login enables passwordless authentication using device-based cryptographic credentials (WebAuthn).",
    "Reduces phishing risk and credential exposure.",
)
_TWO_FACTOR: Final = Words(
    "A code from your phone as well.",
    "A second factor when you sign in: a 6-digit code that your authenticator app renews every 30 seconds.\n\n"
    "You will  1 scan a QR code   2 save ten backup recovery codes   3 enter one code",
    "Takes about a minute; nothing changes before step 3. Any RFC 6238 app works, such as Google Authenticator or "
    "Microsoft Authenticator.",
)
_TOKEN: Final = Words(
    "A bearer token for your API. Store it securely, never in client-side code.",
    "A credential for privileged or internal API calls that require user-level authorization. It functions as a bearer "
    "token and grants access to API endpoints associated with your account.",
    "Generating a new token invalidates the previous one. Store it securely; never expose it in client-side code or "
    "public repositories.",
)
_SESSIONS: Final = Words(
    "Where you are signed in.",
    "Every place where you are signed in, and when it was last used.",
    "A session that is ended is out at its next action.",
)
_ACTIVITY: Final = Words(
    "What was done to your account, and from where.",
    "Sign-ins, failed ones too, and every change that protects the account, newest first.",
)
_EXPORT: Final = Words(
    "One JSON file with everything stored about you, without secrets.",
    "One JSON file with everything stored about you, without secrets.",
)
_DELETE: Final = Words(
    "Removes everything. It cannot be undone.",
    "All stored data will be permanently deleted. API keys, tokens and billing history will be removed.",
    "The operation cannot be reversed. Ensure all necessary data has been exported before proceeding.",
)


class SecurityPane(Pane):
    HELP_TEXT = (
        "Everything that protects the account. Each change asks for your password or a code, unless you gave one "
        "within the last five minutes, and signs out your other sessions."
    )

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self.overview: SecurityOverview | None = None

    def compose(self) -> ComposeResult:
        with Section("Password Management"):
            yield self._row("Password", "password", _PASSWORD, ("Change", "p"))
        with Section("Sign-in"):
            yield self._row("Passkey Login", "passkeys", _PASSKEYS, ("Manage", "y"))
            yield self._row("Two-Factor Authentication", "two-factor", _TWO_FACTOR, ("Enable", "f"))
        with Section("Access"):
            yield self._row("System Access Token", "token", _TOKEN, ("Generate", "t"))
            yield self._row("Sessions", "sessions", _SESSIONS, ("Show", "s"), ("Sign out others", "o", "others"))
            yield self._row("Activity", "activity", _ACTIVITY, ("Show", "a"))
        with Section("Danger zone", classes="-dangerous"):
            yield self._row("Export your data", "export", _EXPORT, ("Export", "e"))
            yield self._row("Delete Account", "delete", _DELETE, ("Delete account", "x"))
        yield Notice()

    def _row(self, label: str, name: str, words: Words, *buttons: tuple[str, ...]) -> Field:
        """A row with its state; a third item of a button is its name, if that is not the row's."""
        state, *actions = (
            Static(_LOADING, id=f"{name}-state", markup=False, classes="state muted"),
            *(self._button(*button, *() if len(button) > 2 else (name,)) for button in buttons),
        )
        return Field(
            label,
            state,
            *actions,
            classes="security-row",
            help=words.help,
            about=words.about,
            consequence=words.consequence,
        )

    def _button(self, label: str, key: str, name: str) -> ActionButton:
        variant: ButtonVariant = "error" if name == "delete" else "default"
        return ActionButton(label, id=f"{name}-action", name=name, shortcut=key, variant=variant)

    # -- showing ---------------------------------------------------------------------------------------------

    def reload(self) -> None:
        self.load_overview()

    @work(exclusive=True, group="load")
    async def load_overview(self) -> None:
        await self._read(holds_input=False)

    async def _read(self, *, holds_input: bool = True) -> SecurityOverview | None:
        """Read the state from the account and show it; returns None if that failed, after the reason was shown."""
        overview = await self.run_with_reauth(self.account.security, holds_input=holds_input)
        if overview is None:
            return None
        self.show_overview(overview.value)
        return overview.value

    def show_overview(self, overview: SecurityOverview) -> None:
        """Show the state of the account in the rows."""
        self.overview = overview
        now, token, two_factor = self.account.now(), overview.access_token, overview.two_factor
        if token is None:
            self._say("token", state_chip(State.OFF, "none yet"))
        else:
            used = "never used" if token.last_used_at is None else f"used {ago(token.last_used_at, now)}"
            age = f"made {ago(token.created_at, now)}, {used}"
            self._say("token", state_chip(State.ON, f"gk_…{token.last_four[:8]}", age))
        self._relabel("token", "Generate" if token is None else "Renew")
        if overview.has_password:
            self._say("password", state_chip(State.NEUTRAL, f"changed {ago(overview.password_changed_at, now)}"))
        else:
            self._say("password", state_chip(State.OFF, "none", "you sign in without one"))
        self._relabel("password", "Change" if overview.has_password else "Set")
        self._show_passkeys(overview)
        if two_factor.is_enabled:
            left = f"{two_factor.codes_left} of {two_factor.codes_total} backup codes left"
            self._say("two-factor", state_chip(State.ATTENTION if two_factor.codes_are_low else State.ON, "on", left))
        else:
            self._say("two-factor", state_chip(State.ATTENTION, "off", "a password alone is enough"))
        self._relabel("two-factor", "Manage" if two_factor.is_enabled else "Enable")
        others = len(overview.sessions) - 1
        self._say(
            "sessions",
            state_chip(State.ON, "this one" if others else "only this one", f"{others} more" if others else ""),
        )
        self.query_one("#others-action", Button).disabled = others == 0
        self._say("activity", state_chip(State.NEUTRAL, "sign-ins and changes"))
        self._say("export", Content.styled("all that is stored, one file", "$foreground-muted"))
        self._say("delete", Content.styled("permanent, cannot be undone", "$foreground-muted"))

    def _show_passkeys(self, overview: SecurityOverview) -> None:
        button = self.query_one("#passkeys-action", Button)
        button.display = overview.passkeys_enabled or bool(overview.passkeys)
        if not overview.passkeys_enabled:
            self._say("passkeys", state_chip(State.OFF, PasskeysDisabled.sentence))
            button.disabled = not overview.passkeys
            return
        button.disabled = False
        count = len(overview.passkeys)
        if any(passkey.flagged_at for passkey in overview.passkeys):
            self._say("passkeys", state_chip(State.FAILED, f"{count} registered", "one may be copied"))
        else:
            self._say(
                "passkeys", state_chip(State.ON if count else State.OFF, f"{count} registered" if count else "none")
            )
        self._relabel("passkeys", "Manage" if count else "Register")

    def _say(self, name: str, words: Content) -> None:
        line = self.query_one(f"#{name}-state", Static)
        line.update(words)
        line.remove_class("muted")

    def _relabel(self, name: str, label: str) -> None:
        button = self.query_one(f"#{name}-action", Button)
        button.label = Content(label)
        button.refresh(layout=True)

    def focus_control(self, control: str) -> None:
        for button in self.query(f"#{control}-action").results(Button):
            button.focus()

    # -- actions ---------------------------------------------------------------------------------------------

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        name = (event.button.name or "").replace("-", "_")
        match name:
            case "others":
                self.action_sign_out_others()
            case _:
                getattr(self, f"action_{name}")()

    def action_token(self) -> None:
        self.run_exclusive(self._renew_token)

    def action_password(self) -> None:
        self.run_exclusive(self._change_password)

    def action_passkeys(self) -> None:
        self.run_exclusive(self._manage_passkeys)

    def action_two_factor(self) -> None:
        self.run_exclusive(self._manage_two_factor)

    def action_sessions(self) -> None:
        self.run_exclusive(self._show_sessions)

    def action_activity(self) -> None:
        self.run_exclusive(self._show_activity)

    def action_sign_out_others(self) -> None:
        self.run_exclusive(self._end_others)

    def action_export(self) -> None:
        self.run_exclusive(self._export)

    def action_delete(self) -> None:
        self.run_exclusive(self._delete)

    async def _show(self, dialog: AccountModal[Any]) -> None:
        await self.app.push_screen_wait(dialog)
        self._changed()

    async def _change_password(self) -> None:
        overview = self.overview or await self._read()
        if overview is None:
            return
        from screens.settings.change_password import ChangePassword

        await self._show(ChangePassword(has_password=overview.has_password))

    async def _manage_passkeys(self) -> None:
        overview = await self._read()
        if overview is None:
            return
        if not overview.passkeys_enabled and not overview.passkeys:
            self.query_one(Notice).say(PasskeysDisabled.sentence, "warning")
            return
        from screens.settings.passkeys import Passkeys

        await self._show(Passkeys(can_register=overview.passkeys_enabled))

    async def _manage_two_factor(self) -> None:
        overview = await self._read()
        if overview is None:
            return
        if overview.two_factor.is_enabled:
            from screens.settings.two_factor_manage import TwoFactorManage

            await self._show(TwoFactorManage())
        else:
            await self._enable_two_factor()

    async def _show_sessions(self) -> None:
        from screens.settings.sessions import SessionList

        await self._show(SessionList())

    async def _show_activity(self) -> None:
        from screens.settings.activity import Activity

        await self._show(Activity())

    async def _renew_token(self) -> None:
        overview = await self._read()
        if overview is None:
            return
        from screens.settings.access_token import AccessToken

        exists = overview.access_token is not None
        question = Confirm(
            "Generate a new System Access Token?",
            "The token grants access to the API of your account. "
            + (
                "The present token stops working at once; every program that uses it must be given the new one."
                if exists
                else "It is shown once, when it is made."
            ),
            "Generate",
            dangerous=exists,
        )
        if not await self.app.push_screen_wait(question):
            return
        made = await self.run_with_reauth(self.account.generate_access_token, holds_input=True)
        if made is not None:
            await self.app.push_screen_wait(AccessToken(made.value))
            self._changed()

    async def _enable_two_factor(self) -> None:
        from screens.settings.two_factor_setup import TwoFactorSetup

        notice = self.query_one(Notice)
        notice.say(_PREPARING, "muted")
        enrolment = await self.run_with_reauth(self.account.begin_two_factor, holds_input=True)
        if str(notice.content) == _PREPARING:
            notice.say("")
        if enrolment is None:
            return
        enabled = await self.app.push_screen_wait(TwoFactorSetup(enrolment.value))
        if enabled:
            notice.say("Two-factor authentication is on. Other sessions were signed out.", "good")
            self._leave_row()
        self._changed()

    async def _end_others(self) -> None:
        overview = await self._read()
        if overview is None:
            return
        if len(overview.sessions) < 2:
            self.query_one(Notice).say("There is no other session.", "muted")
            return
        if await self.app.push_screen_wait(
            Confirm("Sign out other sessions?", "Every session of yours but this one ends at once.", "Sign out")
        ):
            ended = await self.run_with_reauth(self.account.sign_out_others)
            if ended is not None:
                ended_count = "1 session was" if ended.value == 1 else f"{ended.value} sessions were"
                self.query_one(Notice).say(f"{ended_count} signed out.", "good")
                self._changed()

    async def _export(self) -> None:
        from screens.save_file import save_file, saved_sentence

        path = await save_file(self, "Export your data", "gatekey-export.json", self.account.export_to)
        if path is not None:
            self.query_one(Notice).say(saved_sentence(path), "good")

    async def _delete(self) -> None:
        from screens.settings.delete_account import DeleteAccount

        keeps_old_rows = await self.run_with_reauth(self.account.check_deletable, holds_input=True)
        if keeps_old_rows is None:
            return
        who = await self.run_with_reauth(self.account.summary, holds_input=True)
        if who is None:
            return
        if await self.app.push_screen_wait(DeleteAccount(who.value.name, keeps_old_rows=keeps_old_rows.value)):
            self.app.show_sign_in("Your account and everything stored about it was deleted.")

    def _leave_row(self) -> None:
        """Focus the tabs. The last digit completes the setup, and an Enter that follows by habit must open nothing."""
        self.screen.query_one(TabBar).focus()

    def _changed(self) -> None:
        self.reload()
        self.tell_console()

    def show_failure(self, error: GatekeyError) -> None:
        self.query_one(Notice).say(f"{error.title}. {error}")
