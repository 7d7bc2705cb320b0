"""Change Password."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.limited_text import reworded
from screens.password_strength import MIN_PASSWORD_CHARS, rules, show_match, show_strength
from store.errors import GatekeyError, PasswordRefused, PasswordsDoNotMatch, WrongOriginalPassword
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.secret_input import SecretInput
from tui.widgets.show_secrets import SHOW_KEY, ShowSecrets

IF_EMPTY: Final = {
    "original-password": "Enter the password you use now.",
    "new-password": "Enter the password you want.",
    "confirmation": "Enter the new password once more.",
}
"""The sentences at an empty field, from the first one to the last."""


class ChangePassword(AccountModal[bool], ShowSecrets):
    """Result: True if the password was changed. A toast has said so then."""

    HELP_TEXT: ClassVar[str] = (
        "The original password, if you have one, proves that it is you. The new one needs at least the strength the "
        "rules ask for, and twice the same. It works at once, and every other session is signed out."
    )
    AUTO_FOCUS: ClassVar[str | None] = "SecretInput"

    @property
    def purpose(self) -> str:
        stay = self.account.capabilities.other_sessions_stay
        return reworded(self.HELP_TEXT, (stay, ", and every other session is signed out.", f". {stay}"))

    def __init__(self, *, has_password: bool = True) -> None:
        """Without a password there is no field for the original one, and the account asks for another proof."""
        super().__init__()
        self._has_password = has_password
        self._others: int | None = None
        """The other sessions of the account, once they were counted."""

    def compose(self) -> ComposeResult:
        title = "Change Password" if self._has_password else "Set a Password"
        with Dialog(title, subtitle=rules(MIN_PASSWORD_CHARS, self.account.capabilities.longest_password)):
            if self._has_password:
                yield Field("Original password", SecretInput(id="original-password"), reserve_error=True)
            yield Field("New password", SecretInput(id="new-password"), reserve_error=True)
            yield Field("Confirm new password", SecretInput(id="confirmation"), reserve_error=True)
            yield Static(self._consequence, id="consequence", markup=False, classes="muted")
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Show", id="show", shortcut=SHOW_KEY)
                label = "Change password" if self._has_password else "Set password"
                yield ActionButton(label, id="change", shortcut="enter", variant="primary")

    def on_mount(self) -> None:
        self.show_rules()
        self.count_sessions()

    @work(group="rules")
    async def show_rules(self) -> None:
        shortest = await self.run_with_reauth(self.account.minimum_password_length)
        if shortest is not None:
            self.query_one(Dialog).subtitle = rules(shortest.value, self.account.capabilities.longest_password)

    @property
    def _consequence(self) -> str:
        stay = self.account.capabilities.other_sessions_stay
        return f"Takes effect immediately. {stay}" if stay else _consequence(self._others)

    @work(group="sessions")
    async def count_sessions(self) -> None:
        """Say how many sessions the change ends, where that can be known."""
        can = self.account.capabilities
        if can.no_sessions or can.other_sessions_stay:
            return
        try:
            overview = await self.account.security()
        except GatekeyError:
            return  # the sentence without a number stays, and the change reports the failure
        self._others = len(overview.sessions) - 1
        self.query_one("#consequence", Static).update(self._consequence)

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        new, confirmation = self._text("new-password"), self._text("confirmation")
        if event.input.id == "new-password":
            self.measure()
        if event.input.id != "original-password":
            show_match(self._field("confirmation"), new, confirmation)

    @work(exclusive=True, group="strength")
    async def measure(self) -> None:
        await show_strength(self.account, self._field("new-password"), self._text("new-password"))

    @on(Input.Submitted)
    def entered(self) -> None:
        """Do what the button does, or go to the first field that is still empty."""
        empty = next(
            (field.control.id or "" for field in self.query(Field) if not self._text(field.control.id or "")), ""
        )
        if empty:
            show_errors(self, {empty: IF_EMPTY[empty]})
        else:
            self.submit(self._change)

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
            stay = self.account.capabilities.other_sessions_stay
            self.app.notify(f"Password changed. {stay}" if stay else _success(self._others), markup=False)
            self.dismiss(True)

    async def _problems(self) -> dict[str, str]:
        """Every error of the form, by field."""
        original, new = self._text("original-password"), self._text("new-password")
        problems = {}
        if not new:
            problems["new-password"] = IF_EMPTY["new-password"]
        else:
            try:
                await self.account.check_new_password(new)
            except PasswordRefused as error:
                problems["new-password"] = str(error)
        if new != self._text("confirmation"):
            problems["confirmation"] = PasswordsDoNotMatch.sentence
        if self._has_password and not original:
            problems["original-password"] = IF_EMPTY["original-password"]
        elif self._has_password and problems and not self.account.capabilities.asks_no_proof:
            # `change_password` would check it, but is not called.
            try:
                await self.account.prove_with_password(original)
            except WrongOriginalPassword as error:
                problems["original-password"] = str(error)
        return problems

    def _text(self, name: str) -> str:
        """The value of a field, or "" if there is no such field."""
        return next((field.value for field in self.query(f"#{name}").results(SecretInput)), "")

    def _field(self, name: str) -> Field:
        return next(field for field in self.query(Field) if field.control.id == name)


def _sessions(others: int) -> str:
    return "other session" if others == 1 else f"{others} other sessions"


def _consequence(others: int | None) -> str:
    """The effect of the change on the `others`; None while they are not counted."""
    if others == 0:
        return "Takes effect immediately. You have no other sessions."
    told = "other sessions are" if others is None else f"{_sessions(others)} {'is' if others == 1 else 'are'}"
    return f"Takes effect immediately. Your {told} signed out."


def _success(others: int | None) -> str:
    if others is None:
        return "Password changed. Your other sessions were signed out."
    told = f"{others} other {'session was' if others == 1 else 'sessions were'} signed out."
    return f"Password changed. {told}" if others else "Password changed."
