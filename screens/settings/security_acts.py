"""The acts of the Security tab: what each asks, does and says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from screens.account_modal import Notice
from screens.settings.pane import Pane
from screens.settings.security_limits import count_word, others_ended
from store.errors import PasskeysDisabled
from store.text import pluralize, sanitize
from tui.widgets.tab_bar import TabBar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from screens.account_modal import AccountModal
    from tui.account import SecurityOverview

T = TypeVar("T")
_PREPARING: Final = "Preparing a key and {} backup codes…"


class SecurityActs(Pane):
    """The base of the tab. Each act reads the state first, because it may have changed somewhere else."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self.overview: SecurityOverview | None = None

    def show_overview(self, overview: SecurityOverview) -> None:
        """Show the state of the account."""
        raise NotImplementedError

    async def _read(self) -> SecurityOverview | None:
        """Read the state from the account and show it; returns None if that failed, after the reason was shown."""
        overview = await self.run_with_reauth(self.account.security, holds_input=True)
        if overview is None:
            return None
        self.show_overview(overview.value)
        return overview.value

    def _start(self, steps: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begin an act. The sentence of the one before goes."""
        self.query_one(Notice).clear_sentence()
        self.run_exclusive(steps)

    async def _show(self, dialog: AccountModal[T]) -> T | None:
        result = await self.app.push_screen_wait(dialog)
        self._changed()
        return result

    def _said(self, sentence: str) -> None:
        """Say that an act has succeeded, wherever the page is scrolled to."""
        self.app.notify(sanitize(sentence), markup=False)

    async def _change_password(self) -> None:
        overview = self.overview or await self._read()
        if overview is None:
            return
        from screens.settings.change_password import ChangePassword

        if await self._show(ChangePassword(has_password=overview.has_password)):
            stay = self.account.capabilities.other_sessions_stay
            self._said(f"The password was changed. {stay or 'Your other sessions were signed out.'}")

    async def _manage_passkeys(self) -> None:
        overview = await self._read()
        if overview is None:
            return
        if not overview.passkeys_enabled and not overview.passkeys:
            self.query_one(Notice).say(PasskeysDisabled.sentence, "warning")
            return
        from screens.settings.passkeys import Passkeys

        await self._show(Passkeys(can_register=overview.passkeys_enabled))

    async def _manage_ssh_keys(self) -> None:
        from screens.settings.ssh_keys import SshKeys

        await self._show(SshKeys())

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
        from tui.widgets.confirm import Confirm

        exists, is_unknown = overview.access_token is not None, bool(self.account.capabilities.no_token_status)
        question = Confirm(
            "Generate a new System Access Token?",
            "The token grants access to the API of your account. "
            + (
                "The present token stops working at once; every program that uses it must be given the new one."
                if exists
                else "If there is one already, it stops working at once, in every program that uses it."
                if is_unknown
                else "It is shown once, when it is made."
            ),
            "Generate",
            dangerous=exists or is_unknown,
        )
        if not await self.app.push_screen_wait(question):
            return
        made = await self.run_with_reauth(self.account.generate_access_token, holds_input=True)
        if made is not None:
            await self._show(AccessToken(made.value))
            self._said(
                "The new token is in place." + (" The one before no longer works." if exists or is_unknown else "")
            )

    async def _revoke_token(self) -> None:
        overview = await self._read()
        if overview is None:
            return
        if overview.access_token is None:
            self.query_one(Notice).say("There is no token to revoke.", "muted")
            return
        from tui.widgets.confirm import Confirm

        question = Confirm(
            "Revoke the System Access Token?",
            "It stops working at once, in every program that uses it. You can generate a new one at any time.",
            "Revoke",
            dangerous=True,
        )
        if not await self.app.push_screen_wait(question):
            return
        if await self.run_with_reauth(self.account.revoke_access_token) is not None:
            self._said("The token was revoked. It no longer works.")
        self._changed()

    async def _enable_two_factor(self) -> None:
        from screens.settings.two_factor_setup import TwoFactorSetup

        notice = self.query_one(Notice)
        preparing = _PREPARING.format(count_word(self.account.capabilities))
        notice.say(preparing, "muted")
        enrolment = await self.run_with_reauth(self.account.begin_two_factor, holds_input=True)
        if str(notice.content) == preparing:
            notice.say("")
        if enrolment is None:
            return
        enabled = await self.app.push_screen_wait(TwoFactorSetup(enrolment.value))
        if enabled:
            self._said(f"Two-factor authentication is on. {others_ended(self.account.capabilities)}")
            self._leave_row()
        self._changed()

    async def _end_others(self) -> None:
        overview = await self._read()
        if overview is None:
            return
        if len(overview.sessions) < 2:
            self.query_one(Notice).say("No other sessions.", "muted")
            return
        from tui.widgets.confirm import Confirm

        if await self.app.push_screen_wait(
            Confirm("Sign out other sessions?", "Every session of yours but this one ends at once.", "Sign out")
        ):
            ended = await self.run_with_reauth(self.account.sign_out_others)
            if ended is not None:
                was = "was" if ended.value == 1 else "were"
                self._said(f"{pluralize(ended.value, 'session')} {was} signed out.")
                self._changed()

    async def _show_drawer(self) -> None:
        from screens.settings.drawer import DrawerList

        await self._show(DrawerList())

    async def _export(self) -> None:
        from screens.save_file import FILES_ARE_OFF, save_file, saved_sentence

        if not self.account.files.are_allowed:
            self.query_one(Notice).say(FILES_ARE_OFF, "warning")
            return
        path = await save_file(self, "Export your data", "gatekey-export.json", self.account.export_to)
        if path is not None:
            self._said(saved_sentence(self.account, path))
            if self.account.files.go_to_drawer:
                self.reload()

    async def _delete(self) -> None:
        from screens.settings.delete_account import DeleteAccount

        keeps_old_rows = await self.run_with_reauth(self.account.check_deletable, holds_input=True)
        if keeps_old_rows is None:
            return
        who = await self.run_with_reauth(self.account.summary, holds_input=True)
        if who is None:
            return
        if await self.app.push_screen_wait(DeleteAccount(who.value.name, keeps_old_rows=keeps_old_rows.value)):
            kept = self.account.capabilities.deletion_keeps
            self.app.show_sign_in(
                "Your account was deleted." if kept else "Your account and everything stored about it was deleted."
            )

    def _leave_row(self) -> None:
        """Focus the tabs. The last digit completes the setup, and an Enter that follows by habit must open nothing."""
        self.screen.query_one(TabBar).focus()

    def _changed(self) -> None:
        self.reload()
        self.tell_console()
