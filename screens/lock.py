"""The lock screen."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from screens.account_actions import AccountActions
from screens.account_modal import Notice
from screens.failure_text import failure_text
from screens.limited_text import reworded
from screens.proof import give_proof
from store.errors import GatekeyError, SessionEnded
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_at_field
from tui.widgets.footer import KeyFooter
from tui.widgets.secret_input import CodeInput, SecretInput
from tui.widgets.show_secrets import SHOW_KEY, ShowSecrets
from tui.widgets.small_screen import SmallScreenGuard


class LockScreen(SmallScreenGuard, AccountActions, Screen[bool], ShowSecrets):
    """Covers every screen, with its unsaved edits, until a proof is given. Result: True."""

    HELP_TEXT: ClassVar[str] = (
        "The console is locked: nothing of the account is shown, and what was not saved is kept. Give "
        "your password or a code to go on, or sign out with Esc."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#password"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "sign_out", "Sign out", id="lock.sign-out", tooltip="Leave this account"),
    ]

    @property
    def purpose(self) -> str:
        by_password = self.account.capabilities.no_code_unlock
        return reworded(self.HELP_TEXT, (by_password, "your password or a code", "your password"))

    def __init__(self) -> None:
        super().__init__()
        self.gone = asyncio.Event()
        """Set when the lock has closed, by a proof or by signing out."""

    def on_unmount(self) -> None:
        self.gone.set()

    def compose(self) -> ComposeResult:
        with Dialog("Locked", classes="narrow"):
            yield Static(self._greeting(), id="greeting", markup=False, classes="muted")
            yield Field(
                "Password", SecretInput(id="password"), help="The password you sign in with.", reserve_error=True
            )
            yield Field(
                "or authenticator code",
                CodeInput(id="code"),
                help="Six digits, or a backup code.",
                reserve_error=True,
                classes="-hidden" if self.account.capabilities.no_code_unlock else None,
            )
            yield Notice()
            with Actions():
                yield ActionButton("Sign out", id="sign-out", shortcut="esc")
                yield ActionButton("Show", id="show", shortcut=SHOW_KEY)
                yield ActionButton("Unlock", id="unlock", shortcut="enter", variant="primary")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.lock_session()

    @work(group="lock")
    async def lock_session(self) -> None:
        try:
            await self.account.lock()
        except SessionEnded as error:
            # No message if the person is signing out.
            if not any(worker.group == "leave" and worker.is_running for worker in self.workers):
                self.app.session_ended(error)
        except GatekeyError:
            # The screen stays covered, and unlocking reports the database.
            self.query_one(Notice).say("The database does not answer; the console is locked all the same.", "warning")

    @on(Input.Submitted)
    @on(Button.Pressed, "#unlock")
    def unlock_asked(self) -> None:
        self.unlock()

    @on(Button.Pressed, "#sign-out")
    def sign_out_pressed(self) -> None:
        self.action_sign_out()

    def action_sign_out(self) -> None:
        self.leave()

    @work(exclusive=True, group="unlock")
    async def unlock(self) -> None:
        if await give_proof(self):
            self.dismiss(True)

    def show_failure(self, error: GatekeyError) -> None:
        sentence = failure_text(error)
        self.query_one(Notice).say("" if show_at_field(self, error, sentence=sentence) else sentence)

    @work(exclusive=True, group="leave")
    async def leave(self) -> None:
        if await self.confirm_leave():
            await self.app.end_session()

    async def confirm_leave(self) -> bool:
        """Ask before unsaved edits are lost, without naming them; returns whether to sign out. Call it in a worker."""
        if not self._hides_unsaved():
            return True
        # A proof that succeeds now would close the question instead of the lock.
        self.workers.cancel_group(self, "unlock")
        question = Confirm(
            "Sign out and discard?",
            "Something is not saved yet, and signing out discards it. To keep it, stay and unlock.",
            "Sign out",
            cancel="Stay",
            dangerous=True,
        )
        return await self.app.push_screen_wait(question)

    def _hides_unsaved(self) -> bool:
        return any(getattr(screen, "unsaved", False) for screen in self.app.screen_stack)

    def _greeting(self) -> str:
        if demo := self.account.demo_credentials:
            return f"This is the demo. Its password is: {demo.password}"
        return "Enter your password to go on. What you had not saved is still there."
