"""The row of buttons below a form or a question. It wraps into several lines where it has to.

In a dialog the last button, which is the primary one, stands at the right edge, but in a row of class `-together`. A
single button stands there if it is the primary one.
"""

from collections.abc import Iterable

from textual.containers import Horizontal
from textual.geometry import Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.layouts.horizontal import HorizontalLayout
from textual.widget import Widget

from tui.widgets.dialog import is_in_dialog


class LinesLayout(HorizontalLayout):
    """Widgets side by side; one that does not fit into the line begins the next."""

    name = "lines"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        placements = super().arrange(parent, children, size, greedy)
        # Most rows fit. A width of 0 is a question for the preferred width.
        if not size.width:
            return placements
        if any(placement.region.right > size.width for placement in placements):
            placements = list(_in_lines(placements, size.width))
        if placements and not parent.has_class("-together") and is_in_dialog(parent):
            *others, last = placements
            if others or last.widget.has_class("-primary"):
                placements = [*others, _at_the_right(last, size.width)]
        return placements


class Actions(Horizontal):
    """The buttons of a screen, a pane or a dialog."""

    def __init__(self, *children: Widget, id: str | None = None, classes: str = "") -> None:  # noqa: A002 (Widget's)
        super().__init__(*children, id=id, classes=f"actions {classes}")
        self._lines = LinesLayout()

    @property
    def layout(self) -> Layout:
        return self._lines


def _in_lines(placements: Iterable[WidgetPlacement], width: int) -> Iterable[WidgetPlacement]:
    """Each placement, moved to the line where it fits, and at most as wide as a line."""
    left = top = below = 0
    for placement in placements:
        region = placement.region
        if region.right - left > width:
            left, top = region.x, below
        moved = Region(region.x - left, region.y + top, min(region.width, width), region.height)
        below = max(below, moved.bottom)
        yield placement._replace(region=moved)


def _at_the_right(placement: WidgetPlacement, width: int) -> WidgetPlacement:
    region = placement.region
    return placement._replace(region=Region(max(0, width - region.width), region.y, region.width, region.height))
