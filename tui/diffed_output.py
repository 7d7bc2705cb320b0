"""Diffed output: keep a shadow of the terminal's cells and send only the cells that changed.

Textual paints a dirty region as whole segments, and each segment sets and resets every attribute. Most of those bytes
repeat what the screen already shows. `DiffedOutput` compares each frame with its shadow and writes the difference; it
changes the attributes (the pen, SGR) only where they differ.

It parses the one form that a compositor update has: "position, segments" repeated, then "position" for the cursor. Any
other output is written unchanged and drops the shadow, which costs bytes but is never wrong.

Sources: ECMA-48 8.3.21 (CUP), 8.3.9 (CHA), 8.3.38 (ECH), 8.3.39 (ED), 8.3.41 (EL), 8.3.117 (SGR); terminfo(5) on `bce`.
"""

from collections import Counter
from functools import lru_cache
from typing import Final
from unicodedata import category

from tui.compositor_frame import CONTINUATION, UnknownFrameError, read_frame, read_segments
from tui.pen_order import Run, shortest
from tui.sgr import is_background, pen_on_blank, transition

_HOME: Final = "\x1b[H"
_ERASE_BELOW: Final = "\x1b[J"

_MIN_ENDS: Final = 4
"""From so many blank cells on, an erasure of the end of the line (EL) takes fewer bytes than spaces."""
_MIN_BLANKS: Final = 12
"""From so many blank cells on, an erasure of cells (ECH), and the jump behind it, take fewer bytes than spaces."""

_UNKNOWN: Final = "\0"
"""The value of a cell whose content is not known. No frame contains it, so such a cell always differs."""


class _Row:
    """One line of the shadow."""

    __slots__ = ("cells", "painted", "pens")

    def __init__(self, width: int) -> None:
        self.cells: list[str] = [_UNKNOWN] * width
        self.pens: list[str] = [""] * width
        self.painted: list[tuple[int, str]] = []
        """The runs last written to this row: the same runs again change nothing."""


class DiffedOutput:
    """The shadow of one terminal. Not thread-safe, except for `forget`."""

    def __init__(self, *, erases_in_background: bool = False) -> None:
        """`erases_in_background` tells that the terminal erases with the background of the pen (terminfo's `bce`)."""
        self._erases_in_background = erases_in_background
        self._rows: list[_Row] = []
        self._size = (0, 0)
        self._cursor: tuple[int, int] | None = None
        self._forgotten = True
        self._runs: list[Run] = []

    def forget(self) -> None:
        """Drop the shadow, so that the next frame is written whole. Safe from a signal handler or another thread."""
        self._forgotten = True

    def render(self, frame: str, size: tuple[int, int]) -> str:
        """The text to write so that the terminal shows a frame.

        Args:
            frame: a compositor update as Textual writes it, ending with the position of the cursor.
            size: columns and rows that the application assumes; a new size drops the shadow.

        Returns:
            "" if nothing changed, and the frame itself if it has an unknown form. The text ends with the default pen.
        """
        if self._forgotten or size != self._size:
            self._forgotten = False
            self._size = size
            self._rows = [_Row(size[0]) for _ in range(size[1])]
            self._cursor = None
            is_fresh = True
        else:
            is_fresh = False
        self._runs = []
        erased: str | None = None
        try:
            touched, cursor = read_frame(frame)
            if is_fresh and self._erases_in_background:
                erased = self._clear(touched)
            for y, runs in touched.items():
                self._paint_row(y, runs)
        except UnknownFrameError:
            self.forget()
            return frame
        rows = {y: (self._rows[y].cells, self._rows[y].pens) for y in touched}
        if erased is None:
            text = shortest(self._runs, rows, "", self._cursor, cursor)
        else:
            clearance = f"{_HOME}{transition('', erased)}{_ERASE_BELOW}"
            text = clearance + shortest(self._runs, rows, erased, (0, 0), cursor)
        self._cursor = cursor
        return text

    def _clear(self, touched: dict[int, list[tuple[int, str]]]) -> str | None:
        """Fill the shadow with the background that most blanks of a frame have, if the frame paints every cell of it.

        Returns that pen; None if the screen is not to be erased.
        """
        width, height = self._size
        blanks: Counter[str] = Counter()
        for y in range(height):
            painted = 0
            for x, body in sorted(touched.get(y, ())):
                cells, pens = read_segments(body)
                if x > painted:
                    return None
                painted = max(painted, x + len(cells))
                blanks.update(pen for cell, pen in zip(cells, pens, strict=True) if cell == " " and is_background(pen))
            if painted < width:
                return None
        if not blanks:
            return None
        [(pen, _count)] = blanks.most_common(1)
        for row in self._rows:
            row.cells, row.pens = [" "] * width, [pen] * width
        return pen

    def _paint_row(self, y: int, runs: list[tuple[int, str]]) -> None:
        if y >= len(self._rows):
            raise UnknownFrameError
        row = self._rows[y]
        if row.painted == runs:
            return
        cells, pens = row.cells.copy(), row.pens.copy()
        width = len(cells)
        low, high = width, 0
        for x, body in runs:
            new_cells, new_pens = read_segments(body)
            end = x + len(new_cells)
            if end == x:
                continue
            if end > width:
                raise UnknownFrameError
            low, high = min(low, x), max(high, end)
            # A write over one half of a wide character makes the other half blank, in a terminal and in Textual.
            if x < width and cells[x] == CONTINUATION:
                cells[x - 1] = " "
                low = min(low, x - 1)
            if end < width and cells[end] == CONTINUATION:
                cells[end] = " "
                high = max(high, end + 1)
            cells[x:end] = new_cells
            pens[x:end] = new_pens
        self._find_changes(y, row, cells, pens, range(low, high))
        row.cells, row.pens, row.painted = cells, pens, runs

    def _find_changes(self, y: int, row: _Row, cells: list[str], pens: list[str], span: range) -> None:
        """Collect the runs that turn the cells of `row` in `span` into the new ones."""
        old_cells, old_pens = row.cells, row.pens
        x, end = span.start, span.stop
        blank_to = x
        while x < end:
            cell, pen = cells[x], pens[x]
            if cell == old_cells[x] and pen == old_pens[x]:
                x += 1
                continue
            if cell == " " and x >= blank_to:
                blank_to = _blank_to(x, cells, pens)
                changed = sum(cells[at] != old_cells[at] or pens[at] != old_pens[at] for at in range(x, blank_to))
                if erasure := self._erasure(range(x, blank_to), changed, pen, len(cells)):
                    self._runs.append(Run(y, x, erasure, pen, x, is_blank=True))
                    x = blank_to
                    continue
            width = 2 if x + 1 < len(cells) and cells[x + 1] == CONTINUATION else 1
            if _width_is_settled(cell, width):
                self._add(Run(y, x, cell, pen, x + width, is_blank=cell == " "))
            else:
                # Terminals disagree on the width of such a character: some move the cursor by one cell, some by two.
                self._runs.append(Run(y, x, f"{' ' * width}\x1b[{x + 1}G{cell}", pen, None, is_blank=False))
            x += width

    def _add(self, new: Run) -> None:
        """Join a cell to the run before it if one pen draws both, else begin a run with it."""
        last = self._runs[-1] if self._runs else None
        if last is not None and last.y == new.y and last.end == new.x and last.x < new.x:
            if last.pen == new.pen or (new.is_blank and new.pen == pen_on_blank(last.pen)):
                pen = last.pen
            elif last.is_blank and last.pen == pen_on_blank(new.pen):
                pen = new.pen
            else:
                self._runs.append(new)
                return
            blank = last.is_blank and new.is_blank
            self._runs[-1] = Run(last.y, last.x, last.text + new.text, pen, new.end, is_blank=blank)
            return
        self._runs.append(new)

    def _erasure(self, blanks: range, changed: int, pen: str, width: int) -> str:
        """The sequence that erases blank cells of one pen; "" if the terminal cannot, or if spaces take fewer bytes."""
        is_end = blanks.stop == width
        can_erase = self._erases_in_background or (is_end and not pen)
        if not can_erase or changed < (_MIN_ENDS if is_end else _MIN_BLANKS) or not is_background(pen):
            return ""
        return "\x1b[K" if is_end else f"\x1b[{len(blanks)}X"


@lru_cache(maxsize=4096)
def _width_is_settled(cell: str, width: int) -> bool:
    """True if every terminal moves its cursor by `width` for this grapheme."""
    return len(cell) == 1 and (width == 1 or category(cell) == "Lo")


def _blank_to(x: int, cells: list[str], pens: list[str]) -> int:
    """The end of the blank cells from column `x` on that have the pen of the first."""
    end, pen = x + 1, pens[x]
    while end < len(cells) and cells[end] == " " and pens[end] == pen:
        end += 1
    return end
