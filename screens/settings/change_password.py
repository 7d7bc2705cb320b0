"""Change Password: three fields, every error at once, and the strength while typing."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from tui.widgets.action_button import ActionButton
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.secret_input import SecretInput
from tui.widgets.strength import StrengthMeter


class ChangePassword(AccountModal[bool]):
    """Result: True once the password was changed."""

    HELP_TEXT: ClassVar[str] = (
        "The original password proves that it is you. The new one needs at least the strength the rules "
        "ask for, and twice the same. It works at once, and every other session is signed out."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#original-password"

    def compose(self) -> ComposeResult:
        with Dialog("Change Password"):
            yield Static(
                "The change takes effect at once, and your other sessions are signed out.", classes="dialog-body muted"
            )
            yield Field("Original password", SecretInput(id="original-password"))
            yield Field("New password", SecretInput(id="new-password"))
            yield Field("Confirm new password", SecretInput(id="confirmation"))
            yield Field("Strength", StrengthMeter())
            yield Static("At least 8 characters and not easy to guess. Use it nowhere else.", classes="muted")
            yield Notice()
            with Horizontal(classes="actions"):
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Change password", id="change", shortcut="enter", variant="primary")

    @on(Button.Pressed, "#cancel")
    def cancel_pressed(self) -> None:
        self.action_cancel()

    @on(Input.Changed, "#new-password")
    def new_password_changed(self) -> None:
        self.measure()

    @work(exclusive=True, group="strength")
    async def measure(self) -> None:
        password, meter = self._text("new-password"), self.query_one(StrengthMeter)
        if not password:
            meter.score, meter.hint = None, ""
            return
        strength = await self.account.estimate_password(password)
        meter.score, meter.hint = strength.score, strength.advice

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "confirmation":
            self.change_pressed()
        else:
            self.focus_next()

    @on(Button.Pressed, "#change")
    def change_pressed(self) -> None:
        if not self.busy and not show_errors(self, self._problems()) and not self._problems():
            self.busy = True
            self.change()

    @work(exclusive=True, group="change")
    async def change(self) -> None:
        self.say("Changing your password…", "muted")
        original, new, confirmation = (
            self._text(name) for name in ("original-password", "new-password", "confirmation")
        )
        try:
            done = await self.attempt(lambda: self.account.change_password(original, new, confirmation))
        finally:
            self.busy = False
        if done is not None:
            for secret in self.query(SecretInput):
                secret.clear()
            self.dismiss(True)

    def _problems(self) -> dict[str, str]:
        """What can be told without the account; the rest it says itself."""
        problems = {}
        if not self._text("original-password"):
            problems["original-password"] = "Enter the password you use now."
        if not self._text("new-password"):
            problems["new-password"] = "Enter the password you want."
        if self._text("new-password") != self._text("confirmation"):
            problems["confirmation"] = "The new password and its confirmation do not match."
        return problems

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", SecretInput).value
