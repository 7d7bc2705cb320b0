"""A chart of one bar for each day, with an axis of amounts and one of dates. Textual draws it.

No plotting library for the terminal fits. plotext 5.3 under textual-plotext takes 30 to 100 ms to import and 8 to 30 ms
for each picture, on the event loop; it keeps its figure in the module, and its bars for 30 days touch in 70 cells.
plotext 6 takes 180 to 500 ms to import. textual-plot takes 160 to 230 ms and brings numpy, 70 MB.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
_STEPS: Final = (10, 12, 16, 20, 24, 30, 40, 50, 60, 80)
"""The axis ends at one of these times a power of ten, so that its middle is a round number too."""
_AXIS_ROWS: Final = 2
_USUAL_EDGE_CELLS: Final = 12
"""Cells for the words of the axis when it is decided how many days a bar stands for."""
_WIDEST_BAR: Final = 7
_FILLED: Final = 0.85
"""The part of the width that bars without gaps fill at least."""
_MIDDLE_FROM_CELLS: Final = 36


@dataclass(frozen=True, slots=True)
class Bar:
    """One day."""

    label: str
    value: int


class BarChart(Widget):
    """Bars in steps of an eighth of a row. Where there are more days than cells, a bar stands for several days."""

    ALLOW_SELECT: ClassVar[bool] = False

    bars: reactive[tuple[Bar, ...]] = reactive(())
    """Oldest first."""
    note: reactive[str] = reactive("…")
    """A sentence in the place of the bars; empty to draw them."""

    def __init__(self, show: Callable[[int], str], *, id: str | None = None) -> None:  # noqa: A002 (Widget's)
        """`show` writes a value at the axis."""
        super().__init__(id=id)
        self._show = show

    def render(self) -> RenderResult:
        width, height = self.content_size
        rows = height - _AXIS_ROWS
        if self.note or rows < 1 or not self.bars:
            return Content.styled(self.note, "$foreground-muted")
        # The room beside the axis depends on its words, and these on the highest bar.
        groups, of = gathered(self.bars, max(1, width - _USUAL_EDGE_CELLS))
        top = axis_top(max(bar.value for bar in groups))
        at_rows = {0: self._show(top), rows: self._show(0)}
        if rows >= 4 and rows % 2 == 0:
            at_rows[rows // 2] = self._show(top // 2)
        edge = max(map(len, at_rows.values()))
        room = width - edge - 2
        if room < len(groups):
            return Content("")
        wide, starts = places(len(groups), room)
        if starts[-1] == len(groups) - 1 > 0:
            room = len(groups)  # bars without gaps end here, and the axis with them
        heights = [_eighths(bar.value, top, rows) for bar in groups]
        lines = [
            Content.assemble(
                (f"{at_rows.get(row, ''):>{edge}} {'┤' if row in at_rows else '│'}", "$foreground-muted"),
                (_bars_in_row(heights, rows - 1 - row, wide, starts), "$primary"),
            )
            for row in range(rows)
        ]
        ticks, dates = _dates(groups, of, [start + wide // 2 for start in starts], room)
        lines.append(Content.styled(f"{at_rows[rows]:>{edge}} └{ticks}", "$foreground-muted"))
        lines.append(Content.styled(f"{'':>{edge}}  {dates}", "$foreground-muted"))
        return Content("\n").join(lines)


def axis_top(highest: int) -> int:
    """The round value at the end of the axis: at least `highest`, and at least 10."""
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= highest:
                return step * power
        power *= 10


def gathered(bars: tuple[Bar, ...], room: int) -> tuple[list[Bar], int]:
    """The bars that fit into `room` cells, and the days that each stands for. The last one is always whole."""
    of = -(-len(bars) // room)
    if of == 1:
        return list(bars), 1
    # Bars without a gap that leave much of the width empty: fewer bars with gaps fill it.
    while room / 2 < -(-len(bars) // of) < _FILLED * room:
        of += 1
    first = len(bars) % of
    cuts = [0, *range(first or of, len(bars) + 1, of)]
    parts = [bars[start:end] for start, end in pairwise(cuts)]
    # The first bar is labelled by the day on which the range begins, the last one by the day on which it ends.
    labels = [*(part[0].label for part in parts[:-1]), parts[-1][-1].label]
    return [Bar(label, sum(bar.value for bar in part)) for label, part in zip(labels, parts, strict=True)], of


def places(count: int, room: int) -> tuple[int, list[int]]:
    """The cells of a bar, and where each of `count` bars begins. Bars with gaps reach from the axis to the end."""
    for wide in range(_WIDEST_BAR, 0, -1):
        between = (room - wide) / max(1, count - 1)
        if between >= wide + 1:
            return wide, [round(place * between) for place in range(count)]
    return 1, list(range(count))


def _eighths(value: int, top: int, rows: int) -> int:
    """The height of a bar. A value above zero is always seen."""
    return max(int(value > 0), (value * rows * 8 + top // 2) // top)


def _bars_in_row(heights: list[int], row: int, wide: int, starts: list[int]) -> str:
    """The cells of all bars in a row, which is counted from the axis."""
    drawn = ""
    for start, eighths in zip(starts, heights, strict=True):
        drawn = drawn.ljust(start) + _cell(eighths, row) * wide
    return drawn


def _cell(eighths: int, row: int) -> str:
    return _EIGHTHS[max(0, min(8, eighths - 8 * row))]


def _dates(groups: list[Bar], of: int, middles: list[int], room: int) -> tuple[str, str]:
    """The axis with a tick below each labelled bar, whose middles are given, and the labels."""
    ticks, dates = ["─"] * room, [" "] * room
    last = len(groups) - 1
    labelled: Iterable[int] = (
        (0, last // 2, last) if room >= _MIDDLE_FROM_CELLS and of == 1 and not last % 2 else (0, last)
    )
    for at in dict.fromkeys(labelled):
        label, middle = groups[at].label, middles[at]
        start = max(0, min(room - len(label), middle - len(label) // 2))
        ticks[middle] = "┬"
        dates[start : start + len(label)] = label
    if of > 1:
        words = f"{of} days a bar"
        start = (room - len(words)) // 2
        if not "".join(dates[start - 1 : start + len(words) + 1]).strip():
            dates[start : start + len(words)] = words
    return "".join(ticks), "".join(dates)
