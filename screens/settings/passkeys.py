"""Passkeys: list, register, rename, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from screens.account_modal import AccountModal, Notice
from screens.passkey_ceremony import PasskeyCeremony
from screens.prompt import Prompt
from screens.relative_time import ago
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from store.values.passkeys import PasskeyInfo


class Passkeys(AccountModal[None]):
    HELP_TEXT: ClassVar[str] = (
        "A passkey signs you in with a device instead of a password, and cannot be phished. One whose "
        "counter ran backwards may have been copied: it is refused from then on, and should be removed. "
        "Remove it from the device as well."
    )
    AUTO_FOCUS: ClassVar[str | None] = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "register", "Register", id="passkeys.register", tooltip="Register a passkey in your browser"),
        Binding("e", "rename", "Rename", id="passkeys.rename", tooltip="Give the passkey another label"),
        Binding("d", "remove", "Remove", id="passkeys.remove", tooltip="Remove the passkey under the cursor"),
    ]

    def __init__(self, *, can_register: bool) -> None:
        super().__init__()
        self._can_register = can_register
        self._passkeys: tuple[PasskeyInfo, ...] = ()

    def compose(self) -> ComposeResult:
        with Dialog("Passkey Login"):
            yield Static(
                "Passwordless sign-in with device-based cryptographic credentials (WebAuthn). Registering runs in your "
                "own browser.",
                classes="dialog-body muted",
            )
            yield OptionList(compact=True, markup=False)
            yield Notice()
            with Actions():
                yield ActionButton("Register", id="register", shortcut="n", disabled=not self._can_register)
                yield ActionButton("Rename", id="rename", shortcut="e")
                yield ActionButton("Remove", id="remove", shortcut="d", variant="error")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def on_mount(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        overview = await self.run_with_reauth(self.account.security)
        # The dialog may have closed meanwhile.
        options = next(iter(self.query(OptionList)), None)
        if overview is None or options is None:
            return
        self._passkeys, now = overview.value.passkeys, self.account.now()
        options.clear_options()
        for passkey in self._passkeys:
            used = f"used {ago(passkey.last_used_at, now)}" if passkey.last_used_at else "never used"
            note = "  refused: may be copied" if passkey.flagged_at else ""
            made = f"made {ago(passkey.created_at, now)}"
            options.add_option(Option(Content(f"{sanitize(passkey.label, 28):<29} {made:<20} {used}{note}")))
        if not self._passkeys:
            options.add_option(Option("There are none yet. Register your first with n.", disabled=True))
        options.highlighted = 0 if self._passkeys else None
        for button in self.query("#rename, #remove").results(Button):
            button.disabled = not self._passkeys

    @on(Button.Pressed, "#register")
    def action_register(self) -> None:
        if self._can_register:
            self.run_exclusive(self._register)

    @on(Button.Pressed, "#rename")
    def action_rename(self) -> None:
        passkey = self._under_cursor()
        if passkey is not None:
            self.run_exclusive(lambda: self._rename(passkey))

    @on(Button.Pressed, "#remove")
    def action_remove(self) -> None:
        passkey = self._under_cursor()
        if passkey is not None:
            self.run_exclusive(lambda: self._remove(passkey))

    async def _register(self) -> None:
        label = await self.app.push_screen_wait(PasskeyLabel("Register a passkey", ""))
        if label is None:
            return
        page = await self.run_with_reauth(lambda: self.account.begin_passkey_registration(label), holds_input=True)
        if page is not None:
            if await self.app.push_screen_wait(PasskeyCeremony("Register a passkey", page.value)):
                self.say(f"The passkey {sanitize(label)} was registered.", "good")
            self.load()

    async def _rename(self, passkey: PasskeyInfo) -> None:
        label = await self.app.push_screen_wait(PasskeyLabel("Rename the passkey", passkey.label))
        if label is not None and await self.act(lambda: self.account.rename_passkey(passkey.id, label)):
            self.say("It was renamed.", "good")
            self.load()

    async def _remove(self, passkey: PasskeyInfo) -> None:
        question = Confirm(
            "Remove this passkey?",
            f"You will no longer sign in with {sanitize(passkey.label)}. Remove it from the device as well.",
            "Remove",
            dangerous=True,
        )
        if await self.app.push_screen_wait(question):
            if await self.act(lambda: self.account.remove_passkey(passkey.id)) is not None:
                self.say("It was removed.", "good")
            self.load()

    def _under_cursor(self) -> PasskeyInfo | None:
        index = self.query_one(OptionList).highlighted
        return self._passkeys[index] if index is not None and index < len(self._passkeys) else None


class PasskeyLabel(Prompt):
    """Result: the label, or None."""

    HELP_TEXT: ClassVar[str] = (
        "A name by which you will know the passkey again, such as the device it is on. Only you see it."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#passkey-label"
    DIALOG_CLASSES = "narrow"
    IF_EMPTY = "Enter a label."

    def __init__(self, title: str, label: str) -> None:
        super().__init__(title)
        self._label = label

    def fields(self) -> ComposeResult:
        yield Field("Label", TextInput(self._label, id="passkey-label", max_length=64))
        yield Static("Such as: laptop, phone, blue key.", classes="muted")

    def take(self) -> str:
        return self.query_one("#passkey-label", Input).value.strip()
