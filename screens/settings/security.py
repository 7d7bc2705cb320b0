"""Security Settings: access token, password, passkeys, second factor, sessions, activity, deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.relative_time import ago
from screens.settings.pane import Pane
from store.errors import PasskeysDisabled
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.confirm import Confirm
from tui.widgets.field import Field

if TYPE_CHECKING:
    from screens.account_modal import AccountModal
    from store.errors import GatekeyError
    from tui.account import SecurityOverview

_LOADING: Final = "…"
_PREPARING: Final = "Preparing a key and ten backup codes…"
_BEARER_HELP: Final = "A bearer token for your API. Store it securely, never in client-side code."


class SecurityPane(Pane):
    HELP_TEXT = (
        "Everything that protects the account. Each change asks for your password or a code, unless you gave one "
        "within the last five minutes, and signs out your other sessions."
    )

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self.overview: SecurityOverview | None = None

    def compose(self) -> ComposeResult:
        yield self._row("System Access Token", "token", "Generate new token", "t", _BEARER_HELP)
        yield self._row("Password", "password", "Change password", "p", "Rotate it from time to time; never reuse it.")
        yield self._row("Passkey Login", "passkeys", "Manage", "k", "Sign in with your device instead of a password.")
        yield self._row("Two-Factor Authentication", "two-factor", "Enable", "f", "A code from your phone as well.")
        yield self._row("Sessions", "sessions", "Show", "s", "Where you are signed in.")
        yield self._row("", "others", "Sign out others", "o", "End every session but this one.")
        yield self._row("Activity", "activity", "Show", "a", "What was done to your account, and from where.")
        yield self._row("Delete Account", "delete", "Delete account", "x", "Removes everything. It cannot be undone.")
        yield Notice()

    def _row(self, label: str, name: str, button: str, key: str, help_text: str) -> Field:
        return Field(
            label,
            Static(_LOADING, id=f"{name}-state", markup=False, classes="state"),
            ActionButton(
                button, id=f"{name}-action", name=name, shortcut=key, variant="error" if name == "delete" else "default"
            ),
            classes="security-row",
            help=help_text,
        )

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
            self._say("token", "none yet", "muted")
        else:
            used = "never used" if token.last_used_at is None else f"used {ago(token.last_used_at, now)}"
            self._say("token", f"gk_…{sanitize(token.last_four, 8)} · {used}\nmade {ago(token.created_at, now)}")
        if overview.has_password:
            self._say("password", f"changed {ago(overview.password_changed_at, now)}")
        else:
            self._say("password", "none: you sign in without one", "muted")
        self._relabel("password", "Change password" if overview.has_password else "Set password")
        self._show_passkeys(overview)
        if two_factor.is_enabled:
            left = f"on · {two_factor.codes_left} of {two_factor.codes_total} backup codes left"
            self._say("two-factor", left, "warning" if two_factor.codes_are_low else "good")
        else:
            self._say("two-factor", "off", "warning")
        self._relabel("two-factor", "Manage" if two_factor.is_enabled else "Enable")
        others = len(overview.sessions) - 1
        self._say("sessions", "only this one" if others == 0 else f"this one and {others} more")
        self._say("others", "" if others else "there are none", "muted")
        self.query_one("#others-action", Button).disabled = others == 0
        self._say("activity", "sign-ins and changes", "muted")
        self._say("delete", "permanent", "muted")

    def _show_passkeys(self, overview: SecurityOverview) -> None:
        button = self.query_one("#passkeys-action", Button)
        button.display = overview.passkeys_enabled or bool(overview.passkeys)
        if not overview.passkeys_enabled:
            self._say("passkeys", PasskeysDisabled.sentence, "muted")
            button.disabled = not overview.passkeys
            return
        button.disabled = False
        flagged = any(passkey.flagged_at for passkey in overview.passkeys)
        count = len(overview.passkeys)
        words = "none registered" if count == 0 else f"{count} registered"
        self._say("passkeys", f"{words} · one may be copied" if flagged else words, "bad" if flagged else "")
        self._relabel("passkeys", "Manage" if count else "Register")

    def _say(self, name: str, words: str, kind: str = "") -> None:
        line = self.query_one(f"#{name}-state", Static)
        line.update(words)
        line.set_classes(f"state field-control {kind}")

    def _relabel(self, name: str, label: str) -> None:
        from textual.content import Content

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

    def _changed(self) -> None:
        self.reload()
        self.tell_console()

    def show_failure(self, error: GatekeyError) -> None:
        self.query_one(Notice).say(f"{error.title}. {error}")
