"""Prompts: dialogs that ask for one line of text."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input

from screens.account_modal import AccountModal, Notice
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog


class Prompt(AccountModal[str | None]):
    """Result: the entered text, or None if the dialog was closed without one."""

    DIALOG_CLASSES: ClassVar[str | None] = None
    IF_EMPTY: ClassVar[str] = ""
    """The sentence for an empty text."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def fields(self) -> ComposeResult:
        """The field, and the words around it."""
        raise NotImplementedError

    def take(self) -> str:
        """The text that was entered."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Dialog(self._title, classes=self.DIALOG_CLASSES):
            yield from self.fields()
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Continue", id="continue", shortcut="enter", variant="primary")

    @on(Input.Submitted)
    @on(Button.Pressed, "#continue")
    def entered(self) -> None:
        text = self.take()
        if text:
            self.dismiss(text)
        else:
            self.say(self.IF_EMPTY)
