"""The row of buttons below a form or a question: in as many lines as it needs."""

from collections.abc import Iterable

from textual.containers import Horizontal
from textual.geometry import Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.layouts.horizontal import HorizontalLayout
from textual.widget import Widget


class LinesLayout(HorizontalLayout):
    """Side by side, and what is too wide for the line begins the next one."""

    name = "lines"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        placements = super().arrange(parent, children, size, greedy)
        # Most rows have two buttons and fit. A width of 0 asks how wide the row would like to be.
        if not size.width or all(placement.region.right <= size.width for placement in placements):
            return placements
        return list(_in_lines(placements, size.width))


class Actions(Horizontal):
    """Where the buttons of a screen, a pane or a dialog stand. Its look is that of the class `actions`."""

    def __init__(self, *children: Widget, id: str | None = None, classes: str = "") -> None:  # noqa: A002 (Widget's)
        super().__init__(*children, id=id, classes=f"actions {classes}")
        self._lines = LinesLayout()

    @property
    def layout(self) -> Layout:
        return self._lines


def _in_lines(placements: Iterable[WidgetPlacement], width: int) -> Iterable[WidgetPlacement]:
    """Each placement, moved left and down into the first line with room for it, and never wider than a line."""
    left = top = below = 0
    for placement in placements:
        region = placement.region
        if region.right - left > width:
            left, top = region.x, below
        moved = Region(region.x - left, region.y + top, min(region.width, width), region.height)
        below = max(below, moved.bottom)
        yield placement._replace(region=moved)
