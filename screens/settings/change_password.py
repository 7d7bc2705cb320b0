"""Change Password."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.password_strength import MIN_PASSWORD_CHARS, show_strength
from store.errors import PasswordRefused, PasswordsDoNotMatch, WrongOriginalPassword
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.secret_input import SecretInput
from tui.widgets.strength import StrengthMeter

RULES: Final = "At least {} characters and not easy to guess. Use it nowhere else."


class ChangePassword(AccountModal[bool]):
    """Result: True if the password was changed."""

    HELP_TEXT: ClassVar[str] = (
        "The original password, if you have one, proves that it is you. The new one needs at least the strength the "
        "rules ask for, and twice the same. It works at once, and every other session is signed out."
    )
    AUTO_FOCUS: ClassVar[str | None] = "SecretInput"

    def __init__(self, *, has_password: bool = True) -> None:
        """Without a password there is no field for the original one, and the account asks for another proof."""
        super().__init__()
        self._has_password = has_password

    def compose(self) -> ComposeResult:
        with Dialog("Change Password" if self._has_password else "Set a Password"):
            yield Static(
                "The change takes effect at once, and your other sessions are signed out.", classes="dialog-body muted"
            )
            if self._has_password:
                yield Field("Original password", SecretInput(id="original-password"))
            yield Field("New password", SecretInput(id="new-password"))
            yield Field("Confirm new password", SecretInput(id="confirmation"))
            yield Field("Strength", StrengthMeter())
            yield Static(RULES.format(MIN_PASSWORD_CHARS), id="rules", classes="muted")
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                label = "Change password" if self._has_password else "Set password"
                yield ActionButton(label, id="change", shortcut="enter", variant="primary")

    def on_mount(self) -> None:
        self.show_rules()

    @work(group="rules")
    async def show_rules(self) -> None:
        shortest = await self.run_with_reauth(self.account.minimum_password_length)
        if shortest is not None:
            self.query_one("#rules", Static).update(RULES.format(shortest.value))

    @on(Input.Changed, "#new-password")
    def new_password_changed(self) -> None:
        self.measure()

    @work(exclusive=True, group="strength")
    async def measure(self) -> None:
        await show_strength(self.account, self.query_one(StrengthMeter), self._text("new-password"))

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "confirmation":
            self.change_pressed()
        else:
            self.focus_next()

    @on(Button.Pressed, "#change")
    def change_pressed(self) -> None:
        self.submit(self._change)

    async def _change(self) -> None:
        original, new, confirmation = (
            self._text(name) for name in ("original-password", "new-password", "confirmation")
        )
        self.say("Changing your password…", "muted")
        checked = await self.run_with_reauth(self._problems)
        if checked is None:
            return
        if checked.value:
            self.say("")
            show_errors(self, checked.value)
            return
        done = await self.run_with_reauth(lambda: self.account.change_password(original, new, confirmation))
        if done is not None:
            for secret in self.query(SecretInput):
                secret.clear()
            self.dismiss(True)

    async def _problems(self) -> dict[str, str]:
        """Every error of the form, by field."""
        original, new = self._text("original-password"), self._text("new-password")
        problems = {}
        if not new:
            problems["new-password"] = "Enter the password you want."
        else:
            try:
                await self.account.check_new_password(new)
            except PasswordRefused as error:
                problems["new-password"] = str(error)
        if new != self._text("confirmation"):
            problems["confirmation"] = PasswordsDoNotMatch.sentence
        if self._has_password and not original:
            problems["original-password"] = "Enter the password you use now."
        elif self._has_password and problems:
            # `change_password` would check it, but is not called.
            try:
                await self.account.prove_with_password(original)
            except WrongOriginalPassword as error:
                problems["original-password"] = str(error)
        return problems

    def _text(self, name: str) -> str:
        """The value of a field, or "" if there is no such field."""
        return next((field.value for field in self.query(f"#{name}").results(SecretInput)), "")
