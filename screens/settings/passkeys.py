"""Passkeys: list, register, rename, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.limited_text import reworded
from screens.passkey_ceremony import PasskeyCeremony
from screens.prompt import Prompt
from screens.relative_time import ago, clock
from screens.settings.overview_list import OverviewList
from screens.settings.register_on_page import RegisterOnPage
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.row_table import RowTable
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.values.passkeys import PasskeyInfo
    from tui.account import SecurityOverview

_TIME_CELLS: Final = 12
_COPIED: Final = (
    "One whose counter ran backwards may have been copied: it is refused from then on, and should be removed."
)


class Passkeys(OverviewList["PasskeyInfo"]):
    HELP_TEXT: ClassVar[str] = (
        "A passkey signs you in with a device instead of a password, and cannot be phished. "
        + _COPIED
        + " Remove it from the device as well."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "register", "Register", id="passkeys.register", tooltip="Register a passkey in your browser"),
        Binding("e", "rename", "Rename", id="passkeys.rename", tooltip="Give the passkey another label"),
        Binding("d", "remove", "Remove", id="passkeys.remove", tooltip="Remove the passkey under the cursor"),
    ]

    ACTS: ClassVar[tuple[str, ...]] = ("rename", "remove")

    @property
    def purpose(self) -> str:
        alarm = self.account.capabilities.no_passkey_alarm
        return reworded(self.HELP_TEXT, (alarm, _COPIED, alarm))

    def __init__(self, *, can_register: bool) -> None:
        super().__init__()
        self._can_register = can_register

    def compose(self) -> ComposeResult:
        can = self.account.capabilities
        with Dialog("Passkey Login"):
            yield Static(
                "Passwordless sign-in with device-based cryptographic credentials (WebAuthn). "
                + (can.no_passkey_registration or can.no_passkey_ceremony or "Registering runs in your own browser."),
                classes="dialog-body muted",
                markup=False,
            )
            if can.one_passkey:
                yield Static(can.one_passkey, id="one-passkey", classes="muted spaced", markup=False)
            yield RowTable(classes="spaced")
            yield Static("…", id="passkey", classes="muted two-lines", markup=False)
            yield Notice()
            with Actions():
                if not can.no_passkey_registration:
                    yield ActionButton("Register", id="register", shortcut="n", disabled=not self._can_register)
                if not can.no_passkey_labels:
                    yield ActionButton("Rename", id="rename", shortcut="e")
                yield ActionButton("Remove", id="remove", shortcut="d", variant="error")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def items_of(self, overview: SecurityOverview) -> tuple[PasskeyInfo, ...]:
        return overview.passkeys

    def show_item(self, item: PasskeyInfo | None) -> None:
        if self.account.capabilities.one_passkey:
            for button in self.query("#register").results(Button):
                button.display = item is None
        self.query_one("#passkey", Static).update(self._details(item))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        can = self.account.capabilities
        is_full = bool(can.one_passkey and self.items)
        if (action == "register" and (can.no_passkey_registration or is_full)) or (
            action == "rename" and can.no_passkey_labels
        ):
            return False
        if action == "register" and not self._can_register:
            return None
        return super().check_action(action, parameters)

    def columns(self, room: int) -> Sequence[tuple[str, int]]:
        label = room - 2 * _TIME_CELLS - 3 * 2
        return ("Label", label), ("Registered", _TIME_CELLS), ("Last used", _TIME_CELLS)

    def cells(self, item: PasskeyInfo) -> tuple[Content, ...]:
        now, label = self.account.now(), sanitize(item.label, 60)
        name = Content.styled(f"✗ {label}", "$text-error") if item.flagged_at else Content(label)
        registered = "" if self.account.capabilities.no_dates else ago(item.created_at, now)
        return name, Content(registered), Content(ago(item.last_used_at, now, "never used"))

    def _details(self, item: PasskeyInfo | None) -> str:
        if item is None:
            can_add = self._can_register and not self.account.capabilities.no_passkey_registration
            return "There are none yet." + (" Register your first with n." if can_add else "")
        copied = " It is refused: it may be copied. Remove it." if item.flagged_at else ""
        when = "" if self.account.capabilities.no_dates else f" on {clock(item.created_at, self.app.zone)}"
        return f"{sanitize(item.label, 80)}, registered{when}.{copied}"

    @on(Button.Pressed, "#register")
    def action_register(self) -> None:
        if self._can_register:
            self.run_exclusive(self._register)

    @on(Button.Pressed, "#rename")
    def action_rename(self) -> None:
        passkey = self.under_cursor
        if passkey is not None:
            self.run_exclusive(lambda: self._rename(passkey))

    @on(Button.Pressed, "#remove")
    def action_remove(self) -> None:
        passkey = self.under_cursor
        if passkey is not None:
            self.run_exclusive(lambda: self._remove(passkey))

    async def _register(self) -> None:
        if self.account.capabilities.no_passkey_ceremony:
            if await self.app.push_screen_wait(RegisterOnPage(self.account.server)):
                self.say("The passkey was registered.", "good")
            self.load()
            return
        label: str | None = ""
        if not self.account.capabilities.no_passkey_labels:
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
