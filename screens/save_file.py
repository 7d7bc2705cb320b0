"""Saving something only its owner may read: asks where, and writes a new file of mode 0600."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from store.errors import InvalidInput
from store.text import plain
from tui.clipboard import save_secret_file, suggest_path
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class SaveFile(AccountModal[Path | None]):
    """Result: where it was written, or None."""

    HELP_TEXT: ClassVar[str] = (
        "Where to write the file. It is new, readable by you alone (mode 0600), and never takes the place "
        "of one that is there. A path that begins with ~ is in your home folder."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#path"

    def __init__(self, title: str, name: str, write: Callable[[Path], Awaitable[int]]) -> None:
        """`name` is the suggested file name; `write` puts the content into a new file and returns its size."""
        super().__init__()
        self._title, self._suggested, self._write = title, name, write

    def compose(self) -> ComposeResult:
        with Dialog(self._title):
            yield Static("Only you will be able to read the file.", classes="dialog-body muted")
            yield Field("File", TextInput(str(suggest_path(self._suggested)), id="path"))
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Save", id="save", shortcut="enter", variant="primary")

    @on(Button.Pressed, "#cancel")
    def cancel_pressed(self) -> None:
        self.action_cancel()

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def save_asked(self) -> None:
        if not self.busy:
            self.busy = True
            self.save()

    @work(exclusive=True)
    async def save(self) -> None:
        path = Path(self.query_one("#path", Input).value.strip())
        self.say("Writing…", "muted")
        try:
            done = await self.attempt(lambda: self._write_to(path))
        finally:
            self.busy = False
        if done is not None:
            self.dismiss(path)

    async def _write_to(self, path: Path) -> int:
        if not path.name:
            raise InvalidInput("Enter the name of the file.", field="path")
        return await self._write(path)


def write_text(text: str) -> Callable[[Path], Awaitable[int]]:
    """How `SaveFile` writes a text that is at hand."""

    async def write(path: Path) -> int:
        return await asyncio.to_thread(save_secret_file, path, text)

    return write


def saved_sentence(path: Path) -> str:
    """What to say once a secret is in a file."""
    return f"Saved to {plain(path, 120)}, readable by you alone."
