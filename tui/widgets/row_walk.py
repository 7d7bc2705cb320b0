"""Arrow keys walk the rows of a page or a dialog."""

from itertools import groupby
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

MOVE: Final = Binding.Group("Move")
"""The keys that walk rows are one hint of the footer."""


class RowWalk(Widget):
    """Mix into a container or a screen, before it. Controls at the same height are one row.

    Lists and tables have these keys themselves, and an input takes letters as text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "walk(-1)", "Up", id="rows.up", group=MOVE, tooltip="Go to the row above"),
        Binding("down,j", "walk(1)", "Down", id="rows.down", group=MOVE, tooltip="Go to the row below"),
        Binding("left", "walk_across(-1)", "Left", id="rows.left", show=False, tooltip="Go to the control to the left"),
        Binding(
            "right", "walk_across(1)", "Right", id="rows.right", show=False, tooltip="Go to the control to the right"
        ),
    ]

    def action_walk(self, by: int) -> None:
        """Focus the control of the next row that is nearest to the left edge of the focused one."""
        rows = self._rows()
        focused = self.screen.focused
        at = next((index for index, row in enumerate(rows) if focused in row), -1 if by > 0 else len(rows))
        if 0 <= at + by < len(rows):
            row = rows[at + by]
            left = focused.region.x if focused is not None else 0
            self.screen.set_focus(min(row, key=lambda control: abs(control.region.x - left)))

    def action_walk_across(self, by: int) -> None:
        """Focus the next control of the same row."""
        focused = self.screen.focused
        row = next((row for row in self._rows() if focused in row), [])
        if focused is not None and 0 <= (at := row.index(focused) + by) < len(row):
            self.screen.set_focus(row[at])

    def _rows(self) -> list[list[Widget]]:
        inside = [control for control in self.screen.focus_chain if self in control.ancestors]
        inside.sort(key=lambda control: (control.region.y, control.region.x))
        return [list(row) for _, row in groupby(inside, key=lambda control: control.region.y)]


def is_typing(focused: Widget | None) -> bool:
    """True if the focused widget takes letters and digits as text."""
    return isinstance(focused, Input) or getattr(focused, "TAKES_TEXT", False)
