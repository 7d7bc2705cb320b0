"""SSH keys: list, add, rename, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.widgets import Button, DataTable, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.prompt import Prompt
from screens.relative_time import ago, clock
from screens.settings.add_ssh_key import AddSshKey
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.row_table import RowTable
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from store.values.ssh_keys import SshKeyInfo

_TIME_CELLS: Final = 12
_FINGERPRINT_CELLS: Final = 18


class SshKeys(AccountModal[None]):
    HELP_TEXT: ClassVar[str] = (
        "An SSH key opens your console over SSH without the password; a code is still asked for where two-factor "
        "authentication is on. The key opens nothing else: not the API, and no shell. Compare the fingerprint with "
        "what ssh-keygen -l prints. Remove the key of a machine that is lost at once."
    )
    AUTO_FOCUS: ClassVar[str | None] = "RowTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", "Add", id="ssh-keys.add", tooltip="Add the public key of a machine"),
        Binding("e", "rename", "Rename", id="ssh-keys.rename", tooltip="Give the key another name"),
        Binding("d", "remove", "Remove", id="ssh-keys.remove", tooltip="Remove the key under the cursor"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[SshKeyInfo, ...] = ()

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

    def on_mount(self) -> None:
        self._draw()
        self.load()

    def on_resize(self, _event: Resize) -> None:
        self._draw()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        overview = await self.run_with_reauth(self.account.security)
        # The dialog may have closed meanwhile.
        if overview is None or not self.query(RowTable):
            return
        self._keys = overview.value.ssh_keys
        self._draw()
        self._show_key(self.query_one(RowTable).cursor_row)
        for button in self.query("#rename, #remove").results(Button):
            button.disabled = not self._keys

    def _draw(self) -> None:
        """Draw the table again, with columns that fill the dialog."""
        table, room = self.query_one(RowTable), min(self.app.size.width, 76) - 9
        at = table.cursor_row
        name = room - _FINGERPRINT_CELLS - _TIME_CELLS - 3 * 2
        columns = (("Name", name), ("Fingerprint", _FINGERPRINT_CELLS), ("Last used", _TIME_CELLS))
        table.show_columns(columns, [self._cells(key) for key in self._keys])
        table.move_cursor(row=min(at, max(0, len(self._keys) - 1)))

    def _cells(self, key: SshKeyInfo) -> tuple[Content, ...]:
        used = ago(key.last_used_at, self.account.now(), "never used")
        return Content(sanitize(key.name, 64)), Content(sanitize(key.fingerprint, _FINGERPRINT_CELLS)), Content(used)

    @on(DataTable.RowHighlighted)
    def moved(self, event: DataTable.RowHighlighted) -> None:
        self._show_key(event.cursor_row)

    def _show_key(self, row: int) -> None:
        """Show the key of a row in full below the table."""
        lines = self.query_one("#ssh-key-details", Static)
        if not self._keys:
            lines.update("There are none yet. Add your first with n.")
        elif 0 <= row < len(self._keys):
            key = self._keys[row]
            used = "" if key.last_used_at is None else f" Last used from {sanitize(key.last_used_from, 60)}."
            lines.update(
                f"{sanitize(key.fingerprint, 60)}\n"
                f"{sanitize(key.name, 64)}, {sanitize(key.algorithm, 40)}, added on "
                f"{clock(key.added_at, self.app.zone)}.{used}"
            )

    @on(Button.Pressed, "#add")
    def action_add(self) -> None:
        self.run_exclusive(self._add)

    @on(Button.Pressed, "#rename")
    def action_rename(self) -> None:
        key = self._under_cursor()
        if key is not None:
            self.run_exclusive(lambda: self._rename(key))

    @on(Button.Pressed, "#remove")
    def action_remove(self) -> None:
        key = self._under_cursor()
        if key is not None:
            self.run_exclusive(lambda: self._remove(key))

    async def _add(self) -> None:
        added = await self.app.push_screen_wait(AddSshKey(reads_files=self.account.files.are_allowed))
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

    def _under_cursor(self) -> SshKeyInfo | None:
        row = self.query_one(RowTable).cursor_row
        return self._keys[row] if 0 <= row < len(self._keys) else None


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
