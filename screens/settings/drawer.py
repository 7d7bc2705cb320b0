"""The drawer: what waits to be fetched, the command that fetches it, and its removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.in_drawer import ASKED
from screens.relative_time import until
from screens.settings.overview_list import OverviewList
from store.text import sanitize
from tui.clipboard import copy
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.values.drawer import DrawerItem, DrawerOverview
    from tui.account import SecurityOverview

EMPTY: Final = (
    "It is empty. What you save in this console comes here: your data, backup codes, a new key. Then this shows the "
    "command that fetches it."
)
_SIZE_CELLS: Final = 9
_GONE_CELLS: Final = 9


class DrawerList(OverviewList["DrawerItem"]):
    HELP_TEXT: ClassVar[str] = (
        "Over SSH nothing is written to the server's disk. What you save is kept encrypted here for an hour. Fetch it "
        "from your own machine with scp, or with sftp on the same port: once, then it is gone. Whoever fetches it has "
        "to sign in as you do."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy command", id="drawer.copy", tooltip="Send the command to the clipboard"),
        Binding("d", "remove", "Remove", id="drawer.remove", tooltip="Remove what is under the cursor"),
    ]

    ACTS: ClassVar[tuple[str, ...]] = ("copy", "remove")

    def __init__(self) -> None:
        super().__init__()
        self._drawer: DrawerOverview | None = None

    def compose(self) -> ComposeResult:
        with Dialog("Drawer"):
            yield Static(
                "What you saved, encrypted, for one hour. Each can be fetched once, from your own machine.",
                classes="dialog-body muted",
            )
            yield RowTable(classes="spaced")
            yield Static("…", id="drawer-details", markup=False)
            yield Notice()
            with Actions():
                yield ActionButton("Copy command", id="copy", shortcut="c")
                yield ActionButton("Remove", id="remove", shortcut="d", variant="error")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def items_of(self, overview: SecurityOverview) -> tuple[DrawerItem, ...]:
        self._drawer = overview.drawer
        return () if overview.drawer is None else overview.drawer.items

    def columns(self, room: int) -> Sequence[tuple[str, int]]:
        return ("Name", room - _SIZE_CELLS - _GONE_CELLS - 3 * 2), ("Size", _SIZE_CELLS), ("Gone", _GONE_CELLS)

    def cells(self, item: DrawerItem) -> tuple[Content, ...]:
        gone = until(item.expires_at, self.account.now())
        return Content(sanitize(item.name, 64)), Content(size_words(item.size_bytes)), Content(gone)

    def show_item(self, item: DrawerItem | None) -> None:
        lines = self.query_one("#drawer-details", Static)
        if item is None or self._drawer is None:
            lines.update(EMPTY)
            return
        password = f"\n{ASKED}" if self._drawer.place.asks_password else ""
        lines.update(f"{sanitize(self._drawer.command(item.name), 400)}{password}")

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        item = self.under_cursor
        if item is not None and self._drawer is not None:
            self.copy_command(self._drawer.command(item.name))

    @on(Button.Pressed, "#remove")
    def action_remove(self) -> None:
        item = self.under_cursor
        if item is not None:
            self.run_exclusive(lambda: self._remove(item))

    @work(exclusive=True)
    async def copy_command(self, command: str) -> None:
        copied = await copy(self.app, command)
        self.say(f"{copied.sentence}.", "good")

    async def _remove(self, item: DrawerItem) -> None:
        question = Confirm(
            "Remove it from the drawer?",
            f"{sanitize(item.name, 64)} was not fetched yet, and cannot be brought back.",
            "Remove",
            dangerous=True,
        )
        if await self.app.push_screen_wait(question):
            if await self.act(lambda: self.account.remove_from_drawer(item.id)) is not None:
                self.say("It was removed.", "good")
            self.load()


def size_words(size_bytes: int) -> str:
    """`999 B`, `12.3 KiB`, `4.5 MiB`."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    kib = size_bytes / 1024
    return f"{kib:.1f} KiB" if kib < 1024 else f"{kib / 1024:.1f} MiB"
