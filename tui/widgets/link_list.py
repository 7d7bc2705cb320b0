"""A short list of lines that each lead somewhere. It keeps its cursor when its lines are replaced."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList

from tui.widgets.row_walk import MOVE


class LinkList(OptionList):
    """Arrows walk the lines, and leave the list at its ends."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="link-list.open", tooltip="Go to what the line is about"),
        Binding("up,k", "walk_line(-1)", "Up", id="link-list.up", group=MOVE, tooltip="Go to the line above"),
        Binding("down,j", "walk_line(1)", "Down", id="link-list.down", group=MOVE, tooltip="Go to the line below"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (as every widget has it)
        super().__init__(id=id, compact=True, markup=False)
        self._shown: tuple[Content, ...] = ()

    def show_lines(self, lines: tuple[Content, ...]) -> None:
        """Replace the lines. Without a change nothing is drawn."""
        if len(lines) == len(self._shown):
            for at, (line, before) in enumerate(zip(lines, self._shown, strict=True)):
                if not line.is_same(before):
                    self.replace_option_prompt_at_index(at, line)
        else:
            cursor = self.highlighted
            self.clear_options()
            self.add_options(lines)
            if lines and self.has_focus:
                self.highlighted = min(cursor or 0, len(lines) - 1)
        self._shown = lines

    def on_focus(self) -> None:
        if self.highlighted is None and self._shown:
            self.highlighted = 0

    def action_walk_line(self, by: int) -> None:
        """Go to the next line, or past the last one to the next control of the page."""
        at = (self.highlighted if self.highlighted is not None else -1) + by
        if 0 <= at < len(self._shown):
            self.highlighted = at
        elif by < 0:
            self.screen.focus_previous()
        else:
            self.screen.focus_next()
