"""The dialog after something was put into the drawer: the command that fetches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static

from screens.account_modal import AccountModal, Notice
from store.text import sanitize
from tui.clipboard import copy
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from store.values.drawer import DrawerOverview

ASKED: Final = "It asks for your password, and for a code where two-factor authentication is on."
"""Added where no key opened the account."""


class InDrawer(AccountModal[None]):
    HELP_TEXT: ClassVar[str] = (
        "Over SSH nothing is written to the server's disk. What you save is kept encrypted in your drawer, and you "
        "fetch it from your own machine with scp or sftp: once, within an hour. The Security tab lists what is there."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#copy"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy command", id="in-drawer.copy", tooltip="Send the command to the clipboard"),
    ]

    def __init__(self, name: str, drawer: DrawerOverview) -> None:
        super().__init__()
        self._item_name, self._command = name, drawer.command(name)
        self._asks_password = drawer.place.asks_password

    def compose(self) -> ComposeResult:
        with Dialog("Saved to your drawer"):
            yield Static(
                f"{sanitize(self._item_name, 64)} is kept encrypted for one hour, and can be fetched once. On your own "
                "machine:",
                classes="dialog-body",
                markup=False,
            )
            yield Static(sanitize(self._command, 400), id="fetch-command", classes="spaced", markup=False)
            if self._asks_password:
                yield Static(ASKED, classes="muted")
            yield Notice()
            with Actions():
                yield ActionButton("Copy command", id="copy", shortcut="c")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        self.copy_command()

    @work(exclusive=True)
    async def copy_command(self) -> None:
        copied = await copy(self.app, self._command)
        self.say(f"{copied.sentence}.", "good")
