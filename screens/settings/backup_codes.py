"""The list of backup recovery codes, with buttons to reveal, copy and save them."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from screens.account_actions import AccountActions
from screens.save_file import FILES_ARE_OFF, save_file, saved_sentence, write_text
from tui.clipboard import copy
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.auto_hide import AutoHide

CODE_KEYS: Final[tuple[BindingType, ...]] = (
    Binding("ctrl+y,c", "copy_codes", "Copy", id="codes.copy", tooltip="Send it to the clipboard"),
    Binding("ctrl+s,w", "save_codes", "Save as file", id="codes.save", tooltip="Write it to a file only you can read"),
    Binding(
        "ctrl+r,v", "reveal_codes", "Reveal or hide", id="codes.reveal", show=False, tooltip="Show or hide the codes"
    ),
)
"""The keys of a dialog with a `BackupCodeList`. They are control keys first: a code is typed beside the list."""
FILE_NAME: Final = "gatekey-backup-codes.txt"
_MASK: Final = "••••-••••-••••-••••"


class BackupCodeList(AutoHide, AccountActions, Vertical):
    """Two columns of codes, masked until they are revealed."""

    ALLOW_SELECT: ClassVar[bool] = False

    class Said(Message):
        """A copy or a save has ended; `sentence` is its result."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__(classes="backup-codes")
        self._codes = codes
        self.is_revealed = False
        self.was_taken = False
        """True if the person copied, saved or revealed them. Codes that a dialog reveals may not have been read."""

    def compose(self) -> ComposeResult:
        yield Static("", id="codes", markup=False)
        with Actions(classes="-together"):
            yield ActionButton("Reveal", id="reveal-codes", shortcut="^r")
            yield ActionButton("Copy all codes", id="copy-codes", shortcut="^y")
            if self.account.files.are_allowed:
                yield ActionButton("Save as file", id="save-codes", shortcut="^s")
            else:
                yield Static(FILES_ARE_OFF, classes="muted files-off")

    def on_mount(self) -> None:
        self._draw()

    def on_unmount(self) -> None:
        self._codes = ()

    def reveal(self) -> None:
        self.is_revealed = True
        self.hide_later()
        self._draw()

    def hide(self) -> None:
        if self.is_revealed:
            self.is_revealed = False
            self._draw()

    def flip(self) -> None:
        """Reveal the codes, or hide them."""
        if self.is_revealed:
            self.hide()
        else:
            self.reveal()
            self.was_taken = True

    @on(Button.Pressed, "#reveal-codes")
    def reveal_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.flip()

    @on(Button.Pressed, "#copy-codes")
    def copy_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.copy_codes()

    @on(Button.Pressed, "#save-codes")
    def save_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.save_codes()

    @work(exclusive=True)
    async def copy_codes(self) -> None:
        copied = await copy(self.app, self._text())
        self.was_taken = True
        otherwise = "save them as a file" if self.account.files.are_allowed else "write them down"
        self.post_message(self.Said(f"{copied.sentence}. If they did not arrive, {otherwise}."))

    @work(exclusive=True)
    async def save_codes(self) -> None:
        path = await save_file(self, "Save backup codes", FILE_NAME, write_text(self.account, self._text()))
        if path is not None:
            self.was_taken = True
            self.post_message(self.Said(saved_sentence(self.account, path)))

    def _text(self) -> str:
        return "Gatekey backup recovery codes. Each can be used once.\n\n" + "\n".join(self._codes) + "\n"

    def _draw(self) -> None:
        shown = self._codes if self.is_revealed else tuple(_MASK for _ in self._codes)
        half = (len(shown) + 1) // 2
        rows = [
            f"{number + 1:>2}  {left}    {number + half + 1:>2}  {right}"
            for number, (left, right) in enumerate(zip(shown[:half], shown[half:], strict=True))
        ]
        for codes in self.query("#codes").results(Static):  # none while the dialog closes
            codes.update("\n".join(rows))
        for button in self.query("#reveal-codes").results(Button):
            button.label = Content("Hide" if self.is_revealed else "Reveal")
            button.refresh(layout=True)
