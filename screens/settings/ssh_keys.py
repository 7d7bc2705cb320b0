"""SSH keys: list, add, rename, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.prompt import Prompt
from screens.relative_time import ago, clock
from screens.settings.add_ssh_key import AddSshKey
from screens.settings.overview_list import OverviewList
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

    from store.values.ssh_keys import SshKeyInfo
    from tui.account import SecurityOverview

_TIME_CELLS: Final = 12
_FINGERPRINT_CELLS: Final = 18


class SshKeys(OverviewList["SshKeyInfo"]):
    HELP_TEXT: ClassVar[str] = (
        "An SSH key opens your console over SSH without the password; a code is still asked for where two-factor "
        "authentication is on. The key opens nothing else: not the API, and no shell. Compare the fingerprint with "
        "what ssh-keygen -l prints. Remove the key of a machine that is lost at once."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", "Add", id="ssh-keys.add", tooltip="Add the public key of a machine"),
        Binding("e", "rename", "Rename", id="ssh-keys.rename", tooltip="Give the key another name"),
        Binding("d", "remove", "Remove", id="ssh-keys.remove", tooltip="Remove the key under the cursor"),
    ]

    ACTS: ClassVar[tuple[str, ...]] = ("rename", "remove")

    def compose(self) -> ComposeResult:
        with Dialog("SSH keys"):
            yield Static(
                "Sign in over SSH with a key instead of the password. Only the fingerprint of the public key is kept.",
                classes="dialog-body muted",
            )
            yield RowTable(classes="spaced")
            yield Static("…", id="ssh-key-details", classes="muted", markup=False)
            yield Notice()
            with Actions():
                yield ActionButton("Add", id="add", shortcut="n")
                yield ActionButton("Rename", id="rename", shortcut="e")
                yield ActionButton("Remove", id="remove", shortcut="d", variant="error")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def items_of(self, overview: SecurityOverview) -> tuple[SshKeyInfo, ...]:
        return overview.ssh_keys

    def columns(self, room: int) -> Sequence[tuple[str, int]]:
        name = room - _FINGERPRINT_CELLS - _TIME_CELLS - 3 * 2
        return ("Name", name), ("Fingerprint", _FINGERPRINT_CELLS), ("Last used", _TIME_CELLS)

    def cells(self, item: SshKeyInfo) -> tuple[Content, ...]:
        used = ago(item.last_used_at, self.account.now(), "never used")
        return Content(sanitize(item.name, 64)), Content(sanitize(item.fingerprint, _FINGERPRINT_CELLS)), Content(used)

    def show_item(self, item: SshKeyInfo | None) -> None:
        lines = self.query_one("#ssh-key-details", Static)
        if item is None:
            lines.update("There are none yet. Add your first with n.")
            return
        used = "" if item.last_used_at is None else f" Last used from {sanitize(item.last_used_from, 60)}."
        lines.update(
            f"{sanitize(item.fingerprint, 60)}\n"
            f"{sanitize(item.name, 64)}, {sanitize(item.algorithm, 40)}, added on "
            f"{clock(item.added_at, self.app.zone)}.{used}"
        )

    @on(Button.Pressed, "#add")
    def action_add(self) -> None:
        self.run_exclusive(self._add)

    @on(Button.Pressed, "#rename")
    def action_rename(self) -> None:
        key = self.under_cursor
        if key is not None:
            self.run_exclusive(lambda: self._rename(key))

    @on(Button.Pressed, "#remove")
    def action_remove(self) -> None:
        key = self.under_cursor
        if key is not None:
            self.run_exclusive(lambda: self._remove(key))

    async def _add(self) -> None:
        added = await self.app.push_screen_wait(AddSshKey(reads_files=self.account.files.have_paths))
        if added is not None:
            self.say(f"The SSH key {sanitize(added.name)} was added. Your other sessions were signed out.", "good")
            self.load()

    async def _rename(self, key: SshKeyInfo) -> None:
        name = await self.app.push_screen_wait(SshKeyName(key.name))
        if name is not None and await self.act(lambda: self.account.rename_ssh_key(key.id, name)):
            self.say("It was renamed.", "good")
            self.load()

    async def _remove(self, key: SshKeyInfo) -> None:
        question = Confirm(
            "Remove this SSH key?",
            f"{sanitize(key.name)} will no longer open your console. Your other sessions are signed out, among them "
            "those that it opened.",
            "Remove",
            dangerous=True,
        )
        if await self.app.push_screen_wait(question):
            if await self.act(lambda: self.account.remove_ssh_key(key.id)) is not None:
                self.say("It was removed.", "good")
            self.load()


class SshKeyName(Prompt):
    """Result: the name, or None."""

    HELP_TEXT: ClassVar[str] = (
        "A name by which you will know the key again, such as the machine that it is on. Only you see it."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#ssh-key-name"
    DIALOG_CLASSES = "narrow"
    IF_EMPTY = "Enter a name."

    def __init__(self, name: str) -> None:
        super().__init__("Rename the SSH key")
        self._name_now = name

    def fields(self) -> ComposeResult:
        yield Field("Name", TextInput(self._name_now, id="ssh-key-name", max_length=64))
        yield Static("Such as: laptop, phone, blue key.", classes="muted")

    def take(self) -> str:
        return self.query_one("#ssh-key-name", Input).value.strip()
