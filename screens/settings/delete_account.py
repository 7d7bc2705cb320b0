"""Delete Account."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.save_file import FILES_ARE_OFF, save_file, saved_sentence
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.text_input import TextInput

VACUUM_SENTENCE: Final = (
    "PostgreSQL keeps old versions of deleted rows in its files until they are vacuumed. The administrator does that "
    "with: gatekey admin vacuum"
)

IN_DRAWER: Final = "The export goes to your drawer, which is deleted with the account: fetch it before you confirm."


_REMOVED: Final = "All stored data will be permanently deleted. API keys, tokens and billing history will be removed."
_EXPORT_FIRST: Final = "Ensure all necessary data has been exported before proceeding."


class DeleteAccount(AccountModal[bool]):
    """Result: True if the account was deleted. The confirming button is disabled until the exact username is typed."""

    HELP_TEXT: ClassVar[str] = (
        "The export, where files may be saved, is one JSON file with everything stored about you, without secrets. "
        "Confirm works once the username is typed exactly. Afterwards nothing is left and nothing can be brought back."
    )

    @property
    def purpose(self) -> str:
        kept = self.account.capabilities.deletion_keeps
        return f"Confirm works once the username is typed exactly. {kept}" if kept else self.HELP_TEXT

    AUTO_FOCUS: ClassVar[str | None] = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "export", "Export", id="delete.export", tooltip="Save everything that is stored about you"),
    ]

    def __init__(self, name: str, *, keeps_old_rows: bool = False) -> None:
        super().__init__()
        self._username = name
        self._keeps_old_rows = keeps_old_rows

    def compose(self) -> ComposeResult:
        can = self.account.capabilities
        with Dialog("Delete Account", classes="-dangerous"):
            yield Static(
                f"{can.deletion_keeps or _REMOVED} The operation cannot be reversed.",
                classes="dialog-body bad",
                markup=False,
            )
            if self._keeps_old_rows:
                yield Static(VACUUM_SENTENCE, classes="dialog-body spaced")
            yield Static(can.no_export or _EXPORT_FIRST, classes="dialog-body spaced", markup=False)
            if can.no_export:
                pass  # nothing to say of the file
            elif not self.account.files.are_allowed:
                yield Static(f"{FILES_ARE_OFF} Ask the administrator for your data.", classes="muted files-off")
            elif self.account.files.go_to_drawer:
                yield Static(IN_DRAWER, classes="spaced")
            yield Static(f"To confirm, enter your username: {sanitize(self._username)}", markup=False, classes="spaced")
            yield Field("Username", TextInput(id="username"), reserve_error=True)
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                if self._can_export:
                    yield ActionButton("Export everything first", id="export", shortcut="e")
                yield ActionButton("Confirm", id="confirm", shortcut="enter", variant="error", disabled=True)

    @property
    def _can_export(self) -> bool:
        return self.account.files.are_allowed and not self.account.capabilities.no_export

    @on(Input.Changed, "#username")
    def name_changed(self, event: Input.Changed) -> None:
        fits = event.value == self._username
        self.query_one("#confirm", Button).disabled = not fits
        if not event.value:
            note = Content("")
        elif fits:
            note = Content.styled("✓ this is your username", "$text-success")
        else:
            note = Content.styled("○ not your username yet", "$foreground-muted")
        self.query_one(Field).note = note

    @on(Input.Submitted, "#username")
    def name_entered(self, event: Input.Submitted) -> None:
        if event.value == self._username:
            self.confirm_pressed()

    @on(Button.Pressed, "#export")
    def action_export(self) -> None:
        self.export()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "export" and not self._can_export:
            return False
        return super().check_action(action, parameters)

    @on(Button.Pressed, "#confirm")
    def confirm_pressed(self) -> None:
        self.submit(self._delete)

    @work(exclusive=True, group="export")
    async def export(self) -> None:
        path = await save_file(self, "Export everything", "gatekey-export.json", self.account.export_to)
        if path is not None:
            self.say(saved_sentence(self.account, path), "good")

    async def _delete(self) -> None:
        typed = self.query_one("#username", Input).value
        self.say("Deleting…", "warning")
        done = await self.run_with_reauth(lambda: self.account.delete_account(typed))
        if done is not None:
            self.dismiss(True)
