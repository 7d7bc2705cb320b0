"""Two questions: a confirmation, and the choice for unsaved edits."""

from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from store.text import sanitize_lines
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.small_screen import SmallScreenGuard


class Confirm(SmallScreenGuard, ModalScreen[bool]):
    """A question with yes and no. Result: True after `y` or the confirming button. The other button has the focus."""

    HELP_TEXT: ClassVar[str] = (
        "A question before something that matters. Only y or the confirming button does it; "
        "Enter, n and Esc leave everything as it is."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f1,question_mark",
            "app.help",
            "Help",
            id="confirm.help",
            key_display="?",
            tooltip="What this asks, and its keys",
        ),
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Do what the question asks"),
        Binding("n,escape", "answer(False)", "No", id="confirm.no", tooltip="Leave everything as it is"),
    ]

    def __init__(
        self,
        title: str,
        body: str,
        confirm: str = "Yes",
        *,
        cancel: str = "Cancel",
        dangerous: bool = False,
    ) -> None:
        """`confirm` is the verb on the button. `dangerous` marks what cannot be undone."""
        super().__init__(classes="modal")
        self._title, self._body = title, body
        self._confirm, self._cancel = confirm, cancel
        self._dangerous = dangerous

    def compose(self) -> ComposeResult:
        with Dialog(self._title, classes="-dangerous" if self._dangerous else None):
            yield Static(sanitize_lines(self._body), markup=False, classes="dialog-body")
            with Actions():
                yield ActionButton(self._cancel, id="no", shortcut="esc")
                yield ActionButton(
                    self._confirm, id="yes", shortcut="y", variant="error" if self._dangerous else "primary"
                )

    @on(Button.Pressed)
    def answer_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


class Decision(Enum):
    """The choice for unsaved edits."""

    SAVE = "save"
    DISCARD = "discard"
    STAY = "stay"


class Choice(SmallScreenGuard, ModalScreen[Decision]):
    """The question for unsaved edits. The button Stay has the focus."""

    HELP_TEXT: ClassVar[str] = (
        "There are edits that are not saved. s saves them and goes on, d throws them away and goes on, "
        "Esc goes back to them."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#stay"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f1,question_mark",
            "app.help",
            "Help",
            id="choice.help",
            key_display="?",
            tooltip="What this asks, and its keys",
        ),
        Binding("s", "decide('save')", "Save", id="choice.save", tooltip="Save the edits, then go on"),
        Binding("d", "decide('discard')", "Discard", id="choice.discard", tooltip="Throw the edits away and go on"),
        Binding("escape", "decide('stay')", "Stay", id="choice.stay", tooltip="Go back to the edits"),
    ]

    def __init__(
        self,
        title: str = "Unsaved changes",
        body: str = "There are changes that are not saved yet.",
        *,
        save: str = "Save",
        discard: str = "Discard",
        stay: str = "Stay",
    ) -> None:
        super().__init__(classes="modal")
        self._title, self._body = title, body
        self._labels = (stay, save, discard)

    def compose(self) -> ComposeResult:
        stay, save, discard = self._labels
        with Dialog(self._title):
            yield Static(sanitize_lines(self._body), markup=False, classes="dialog-body")
            with Actions():
                yield ActionButton(stay, id="stay", shortcut="esc")
                yield ActionButton(discard, id="discard", shortcut="d", variant="error")
                yield ActionButton(save, id="save", shortcut="s", variant="primary")

    @on(Button.Pressed)
    def decision_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(Decision(event.button.id))

    def action_decide(self, decision: str) -> None:
        self.dismiss(Decision(decision))
