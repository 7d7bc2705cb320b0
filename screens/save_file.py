"""The dialog that saves a new file of mode 0600."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from screens.account_actions import AccountActions
    from tui.account import AccountService

FILES_ARE_OFF: Final = "Saving to a file is off here."
"""Shown instead of the button."""


class SaveFile(AccountModal[Path | None]):
    """Result: the path of the file, or None."""

    HELP_TEXT: ClassVar[str] = (
        "Where to write the file. A name alone goes into the folder that Gatekey was started in; a path that begins "
        "with ~ is in your home folder. The file is new and readable by you alone (mode 0600): it never takes the "
        "place of one that is there, and never lies in a folder that begins with a dot or is Gatekey's own."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#path"

    def __init__(self, title: str, suggested: str, write: Callable[[Path], Awaitable[Path]]) -> None:
        """`suggested` is an unused name; `write` creates the file and returns its path."""
        super().__init__()
        self._title, self._suggested, self._write = title, suggested, write

    def compose(self) -> ComposeResult:
        with Dialog(self._title):
            yield Static("Only you will be able to read the file.", classes="dialog-body muted")
            yield Field("File", TextInput(self._suggested, id="path"))
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Save", id="save", shortcut="enter", variant="primary")

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def save_asked(self) -> None:
        self.submit(self._save)

    async def _save(self) -> None:
        path = Path(self.query_one("#path", Input).value.strip())
        self.say("Writing…", "muted")
        done = await self.run_with_reauth(lambda: self._write(path))
        if done is not None:
            self.dismiss(done.value)


async def save_file(
    screen: AccountActions, title: str, name: str, write: Callable[[Path], Awaitable[Path]]
) -> Path | None:
    """Ask for a path and write the file, by default as `name`; returns its path, or None. Call it in a worker.

    Where files go to the drawer, nothing is asked: the name is a part of the program, and a dialog tells the way to it.
    """
    suggested = await screen.account.files.suggest(name)
    if screen.account.files.go_to_drawer:
        put = await screen.run_with_reauth(lambda: write(Path(suggested)))
        if put is None:
            return None
        await show_in_drawer(screen, put.value.name)
        return put.value
    return await screen.app.push_screen_wait(SaveFile(title, suggested, write))


def write_text(account: AccountService, text: str | bytes) -> Callable[[Path], Awaitable[Path]]:
    """The `write` argument of `SaveFile` for a text, or for bytes."""
    return lambda path: account.files.save(path, text)


async def show_in_drawer(screen: AccountActions, name: str) -> None:
    """Tell how to fetch an item that was put into the drawer. Call it in a worker."""
    drawer = await screen.run_with_reauth(screen.account.drawer)
    if drawer is not None:
        from screens.in_drawer import InDrawer

        await screen.app.push_screen_wait(InDrawer(name, drawer.value))


def saved_sentence(account: AccountService, path: Path) -> str:
    """The sentence after something was saved."""
    if account.files.go_to_drawer:
        return f"Saved to your drawer as {sanitize(path.name, 64)}, for one hour."
    return f"Saved to {sanitize(path, 120)}, readable by you alone."
