"""The dialog that chooses a model or a payer: type to filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, OptionList
from textual.widgets.option_list import Option

from screens.account_modal import AccountModal
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.row_walk import MOVE
from tui.widgets.text_input import TextInput


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the list."""

    value: str
    label: str
    note: str = ""
    """The remark at the right of it."""
    is_marked: bool = False
    """True if the note calls for attention."""


class ListFilter(TextInput):
    """The field above the list, whose lines its up and down keys choose."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.move(-1)", "Up", id="choose.up", group=MOVE, tooltip="The line above"),
        Binding("down", "screen.move(1)", "Down", id="choose.down", group=MOVE, tooltip="The line below"),
    ]


class ChooseFromList(AccountModal[str | None]):
    """Result: the value of the chosen line, or None. With `takes_any`, a text that no line has is a value too."""

    AUTO_FOCUS: ClassVar[str | None] = "#filter"
    HELP_TEXT: ClassVar[str] = (
        "A list to choose from: type a part of a name to see fewer lines, choose with up and down, and Enter takes "
        "the line."
    )

    def __init__(self, title: str, choices: list[Choice], *, chosen: str, takes_any: str = "") -> None:
        """`takes_any` is the note of a typed value that no line has; empty: only lines can be chosen."""
        super().__init__()
        self._title, self._choices, self._chosen, self._takes_any = title, choices, chosen, takes_any
        self._shown: list[Choice] = []

    def compose(self) -> ComposeResult:
        with Dialog(self._title):
            yield ListFilter(id="filter", placeholder="type to filter", max_length=200)
            yield OptionList(id="choices", compact=True, markup=False)
            with Actions(classes="-apart"):
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Choose", id="choose", shortcut="enter", variant="primary")

    def on_mount(self) -> None:
        self._show("")

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_up() if by < 0 else options.action_cursor_down()

    @on(Input.Changed, "#filter")
    def filter_changed(self, event: Input.Changed) -> None:
        self._show(event.value.strip())

    @on(Input.Submitted)
    @on(Button.Pressed, "#choose")
    def take_line(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None and index < len(self._shown):
            self.dismiss(self._shown[index].value)

    @on(OptionList.OptionSelected)
    def line_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index].value)

    def _show(self, typed: str) -> None:
        words = typed.casefold().split()
        self._shown = [each for each in self._choices if all(word in each.label.casefold() for word in words)]
        if self._takes_any and typed and all(each.value != typed for each in self._choices):
            self._shown.append(Choice(typed, typed, self._takes_any, is_marked=True))
        options = self.query_one(OptionList)
        width = max((_label(each).cell_length for each in self._shown), default=0)
        options.set_options([Option(_line(each, width)) for each in self._shown])
        chosen = next((index for index, each in enumerate(self._shown) if each.value == self._chosen), 0)
        options.highlighted = chosen if self._shown else None


def _label(choice: Choice) -> Content:
    return Content(sanitize(choice.label, 60))


def _line(choice: Choice, width: int) -> Content:
    """The label, padded to `width` cells, and the note."""
    label = _label(choice)
    note = Content.styled(f"  {choice.note}", "$text-warning" if choice.is_marked else "$foreground-muted")
    return Content.assemble(label.pad_right(width - label.cell_length), note)
