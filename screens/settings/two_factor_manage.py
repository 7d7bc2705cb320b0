"""Two-factor authentication that is on: its state, new backup codes, disabling."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Static

from screens.account_modal import AccountModal, Notice
from screens.relative_time import clock
from screens.settings.ask_password import AskPassword
from screens.settings.backup_codes import CODE_KEYS, BackupCodeList
from screens.settings.security_limits import count_word, others_ended
from store.errors import PasswordNeeded
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.state import State, state_chip


class TwoFactorManage(AccountModal[None]):
    """The tab reads the state again afterwards."""

    HELP_TEXT: ClassVar[str] = (
        "New codes replace all ten backup codes at once; those you stored before no longer work. "
        "Disabling removes the key and the codes: signing in needs only your password then."
    )

    @property
    def purpose(self) -> str:
        return self.HELP_TEXT.replace("all ten backup", f"all {count_word(self.account.capabilities)} backup")

    AUTO_FOCUS: ClassVar[str | None] = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "renew", "New codes", id="two-factor.renew", tooltip="Replace every backup code"),
        Binding("d", "disable", "Disable", id="two-factor.disable", tooltip="Switch two-factor authentication off"),
    ]

    def compose(self) -> ComposeResult:
        with Dialog("Two-Factor Authentication"):
            yield Static("…", id="state", markup=False, classes="dialog-body")
            yield Notice()
            with Actions():
                yield ActionButton("New backup codes", id="renew", shortcut="n")
                yield ActionButton("Disable", id="disable", shortcut="d", variant="error")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def on_mount(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        overview = await self.run_with_reauth(self.account.security)
        # The dialog may have closed meanwhile.
        if overview is None or not self.query("#state"):
            return
        status = overview.value.two_factor
        if status.enabled_at is None:
            self.dismiss(None)
            return
        since = "" if self.account.capabilities.no_dates else f"since {clock(status.enabled_at, self.app.zone)}"
        chip = state_chip(State.ON, "on", since)
        left = f"{status.codes_left} of {status.codes_total} backup recovery codes are left."
        advice = Content.styled(" Make new ones soon.", "$text-warning") if status.codes_are_low else ""
        self.query_one("#state", Static).update(Content.assemble(chip, "\n", left, advice))

    @on(Button.Pressed, "#renew")
    def action_renew(self) -> None:
        self.run_exclusive(self._renew)

    @on(Button.Pressed, "#disable")
    def action_disable(self) -> None:
        self.run_exclusive(self._disable)

    async def _renew(self) -> None:
        question = Confirm("Make new backup codes?", "The old ones stop working at once.", "Make new codes")
        if not await self.app.push_screen_wait(question):
            return
        self.say(f"Making {count_word(self.account.capabilities)} new codes…", "muted")
        codes = await self.act(self.account.renew_backup_codes, holds_input=True)
        if codes is not None:
            self.say("")
            await self.app.push_screen_wait(NewBackupCodes(codes.value))
            self.load()

    async def _disable(self) -> None:
        question = Confirm(
            "Disable two-factor authentication?",
            "Your password alone will be enough to sign in. The key and the backup codes are removed.",
            "Disable",
            dangerous=True,
        )
        if not await self.app.push_screen_wait(question):
            return
        password: str | None = ""
        while password is not None:
            reason = await self.act(partial(self._try_to_disable, password))
            if reason is None:
                return
            if not reason.value:
                sentence = f"Two-factor authentication is off. {others_ended(self.account.capabilities)}"
                self.app.notify(sentence, markup=False)
                self.dismiss(None)
                return
            password = await self.app.push_screen_wait(AskPassword(reason.value))

    async def _try_to_disable(self, password: str) -> str:
        """Disable it, or return the reason why the password has to be entered for this."""
        try:
            await self.account.disable_two_factor(password)
        except PasswordNeeded as error:
            return str(error)
        return ""


class NewBackupCodes(AccountModal[None]):
    """New codes, which are shown once."""

    HELP_TEXT: ClassVar[str] = (
        "Each code signs you in once in place of the authenticator. They are shown here and never again: "
        "take all of them now, and keep them offline."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#save-codes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stored", "I have stored them", id="codes.stored", tooltip="Close: the codes are kept somewhere"),
        *CODE_KEYS,
    ]

    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__()
        self._codes = codes

    def compose(self) -> ComposeResult:
        with Dialog("New Backup Recovery Codes"):
            yield Static("They are shown once. Each can be used once; store them offline.", classes="dialog-body")
            yield BackupCodeList(self._codes)
            yield Notice()
            with Actions():
                yield ActionButton("I have stored them", id="stored", shortcut="s", variant="primary")

    def on_mount(self) -> None:
        self.query_one(BackupCodeList).reveal()
        if not self.account.files.are_allowed:
            self.query_one("#copy-codes").focus()

    def on_unmount(self) -> None:
        self._codes = ()

    @on(BackupCodeList.Said)
    def said(self, event: BackupCodeList.Said) -> None:
        self.say(event.sentence, "good")

    @property
    def unsaved(self) -> bool:
        """True if the codes would be lost with this dialog."""
        return not self.query_one(BackupCodeList).was_taken

    async def confirm_leave(self) -> bool:
        """Ask if the codes would be lost; returns whether the dialog may close. Call it in a worker."""
        question = Confirm(
            "Close without keeping them?", "They are never shown again.", "Close", cancel="Stay", dangerous=True
        )
        return not self.unsaved or await self.app.push_screen_wait(question)

    @on(Button.Pressed, "#stored")
    def action_stored(self) -> None:
        # Nothing to ask: the button says that the codes are stored, perhaps on paper.
        self.dismiss(None)

    def action_copy_codes(self) -> None:
        self.query_one(BackupCodeList).copy_codes()

    def action_save_codes(self) -> None:
        self.query_one(BackupCodeList).save_codes()

    def action_reveal_codes(self) -> None:
        self.query_one(BackupCodeList).flip()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "save_codes" and not self.account.files.are_allowed:
            return False
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        self.close()

    @work(exclusive=True)
    async def close(self) -> None:
        if await self.confirm_leave():
            self.dismiss(None)
