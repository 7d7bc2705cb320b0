"""Changed cells as runs of one pen, and the order in which writing them takes the fewest bytes.

A row of a frame changes its colours many times, and a change of a 24-bit colour (SGR) takes more bytes than a jump of
the cursor (CUP). `shortest` therefore compares the order of reading with the order by pens, where each pen is taken
once. Both write the same cells: no run overlaps another, and each holds what its cells show in the end.

Sources: ECMA-48 8.3.21 (CUP), 8.3.9 (CHA), 8.3.117 (SGR).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from tui.compositor_frame import ONE_CELL_EACH
from tui.sgr import on_background_of, pen_on_blank, transition

_MAX_REWRITTEN_CELLS: Final = 4
"""Up to so many unchanged cells in the present pen are written again: a jump (CHA) takes 4 to 6 bytes."""

Rows = Mapping[int, tuple[Sequence[str], Sequence[str]]]
"""The cells of each row that changes, as they will be, and their pens."""


class Run(NamedTuple):
    """Neighbouring cells that one pen draws."""

    y: int
    x: int
    text: str
    """What to write at the first of them."""
    pen: str
    end: int | None
    """The column of the cursor behind it; None if terminals disagree."""
    is_blank: bool
    """True for spaces and erasures: any pen with the same background draws them."""


class _Writing:
    """The text for runs in one order."""

    def __init__(self, rows: Rows, pen: str, at: tuple[int, int] | None) -> None:
        self._rows = rows
        self._out: list[str] = []
        self._pen = pen
        self._at = at

    def add(self, run: Run) -> None:
        self._go(run.y, run.x)
        if not self._shows(run.pen, is_blank=run.is_blank):
            pen = on_background_of(self._pen, run.pen) if run.is_blank else run.pen
            self._out.append(transition(self._pen, pen))
            self._pen = pen
        self._out.append(run.text)
        self._at = None if run.end is None else (run.y, run.end)

    def ended_at(self, cursor: tuple[int, int]) -> str:
        """The text, with the default pen and the cursor in its place behind it."""
        if self._pen:
            self._out.append(transition(self._pen, ""))
        if self._at != cursor:
            self._out.append(place(*cursor))
        return "".join(self._out)

    def _shows(self, pen: str, *, is_blank: bool) -> bool:
        """True if the present pen draws a cell of `pen` as it is."""
        return pen == self._pen or (is_blank and pen == pen_on_blank(self._pen))

    def _go(self, y: int, x: int) -> None:
        """Move the cursor to a cell with the fewest bytes."""
        if self._at == (y, x):
            return
        if self._at is None or self._at[0] != y:
            self._out.append(place(y, x))
            return
        start = self._at[1]
        if 0 < x - start <= _MAX_REWRITTEN_CELLS:
            cells, pens = (each[start:x] for each in self._rows[y])
            rewritten = "".join(cells)
            if (
                all(self._shows(pen, is_blank=cell == " ") for cell, pen in zip(cells, pens, strict=True))
                and ONE_CELL_EACH.fullmatch(rewritten)
                and len(rewritten) == x - start
            ):
                self._out.append(rewritten)
                return
        self._out.append(f"\x1b[{x + 1}G")


def shortest(runs: Sequence[Run], rows: Rows, pen: str, at: tuple[int, int] | None, cursor: tuple[int, int]) -> str:
    """The text that writes `runs`, from `pen` with the cursor at `at`, and ends in the default pen at `cursor`."""
    orders = [runs]
    # The width of some characters is unknown: the cells behind them are written after them.
    if all(run.end is not None for run in runs):
        groups = _by_pen(runs)
        if len(groups) < len(runs):
            orders.append(_in_near_order(groups, pen))
    texts = []
    for order in orders:
        writing = _Writing(rows, pen, at)
        for run in order:
            writing.add(run)
        texts.append(writing.ended_at(cursor))
    return min(texts, key=len)


def _by_pen(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs of each pen, from the top to the bottom. Blank ones are with a pen that has their background."""
    groups: dict[str, list[Run]] = {}
    blanks = []
    for run in runs:
        if run.is_blank:
            blanks.append(run)
        else:
            groups.setdefault(run.pen, []).append(run)
    pens = {pen_on_blank(pen): pen for pen in reversed(groups)}
    for run in blanks:
        groups.setdefault(pens.get(run.pen, run.pen), []).append(run)
    return groups


def _in_near_order(groups: dict[str, list[Run]], pen: str) -> list[Run]:
    """The runs of all pens, each pen followed by the one that takes the fewest bytes from there."""
    order: list[Run] = []
    left = dict(groups)
    while left:
        before = pen
        pen = min(left, key=lambda each: len(transition(before, each)))
        order += sorted(left.pop(pen), key=lambda run: (run.y, run.x))
    return order


def place(y: int, x: int) -> str:
    """The sequence for a cursor position (CUP), without parameters that are 1."""
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
