"""Diffed output: keep a shadow of the terminal's cells and send only those that changed.

Textual paints a dirty region as whole segments, and each segment sets every attribute and resets them
again. Over SSH most of those bytes say what the screen already shows. `DiffedOutput` reads each frame on its
way to the terminal, compares it with its shadow and writes what differs, changing the pen (SGR) only where it
changes.

It understands the one shape that a compositor update has: "place, segments" repeated, then "place" for the
cursor. Anything else goes through untouched and the shadow is dropped, so that the worst a surprise can cost
is bytes.

Sources: ECMA-48 8.3.21 (CUP), 8.3.9 (CHA), 8.3.117 (SGR).
"""

import re
from functools import lru_cache
from typing import Final
from unicodedata import category

from rich.cells import split_graphemes

from tui.sgr import on_a_blank, transition

_PLACE: Final = re.compile(r"\x1b\[(\d+);(\d+)H")
_PLAIN: Final = r"[^\x00-\x1f\x7f-\x9f]"
_SEGMENT: Final = re.compile(
    rf"(?:\x1b\]8;(id=[^;\x00-\x1f\x7f-\x9f]*;{_PLAIN}+)\x1b\\)?"  # link on
    r"(?:\x1b\[([\d;]+)m)?"  # pen on
    rf"({_PLAIN}*)"  # Textual writes empty segments too
    r"(\x1b\[0m)?"  # pen off
    r"(\x1b\]8;;\x1b\\)?"  # link off
)
_ONE_CELL_EACH: Final = re.compile("[ -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u2500-\u25fc\u2800-\u28ff]+")
"""Text in which every code point fills one cell: Latin, Greek, Cyrillic, boxes and blocks, Braille."""

_LONGEST_BRIDGE: Final = 4
"""Unchanged cells in the present pen are written again up to here: jumping (CHA) takes 4 to 6 bytes."""

_UNKNOWN: Final = "\0"
"""What a cell shows when nobody can tell; no frame contains it, so such a cell always differs."""

_CONTINUATION: Final = ""
"""The second cell of a wide character."""


class NotUnderstoodError(Exception):
    """A frame was not in the shape of a compositor update."""


class _Row:
    """One line of the shadow."""

    __slots__ = ("cells", "painted", "pens")

    def __init__(self, width: int) -> None:
        self.cells: list[str] = [_UNKNOWN] * width
        self.pens: list[str] = [""] * width
        self.painted: list[tuple[int, str]] = []
        """The runs that last touched this row: the same runs again change nothing."""


class DiffedOutput:
    """The shadow of one terminal. Not thread-safe, except for `forget`."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._size = (0, 0)
        self._cursor: tuple[int, int] | None = None
        self._forgotten = True
        self._out: list[str] = []
        self._pen = ""
        self._at: tuple[int, int] | None = None

    def forget(self) -> None:
        """Drop the shadow: the next frame is written whole. Safe from a signal handler or another thread."""
        self._forgotten = True

    def render(self, frame: str, size: tuple[int, int]) -> str:
        """Turn a frame into the bytes that make the terminal show it.

        Args:
            frame: a compositor update as Textual writes it, ending with the cursor's place.
            size: columns and rows the application believes the terminal has; a new size drops the shadow.

        Returns:
            What to write: "" when nothing changed, the frame itself when it was not understood. The pen is
            left at its default, so that whoever writes next starts clean.
        """
        if self._forgotten or size != self._size:
            self._forgotten = False
            self._size = size
            self._rows = [_Row(size[0]) for _ in range(size[1])]
            self._cursor = None
        self._out, self._pen, self._at = [], "", self._cursor
        try:
            touched, cursor = _read(frame)
            for y, runs in touched.items():
                self._paint_row(y, runs)
        except NotUnderstoodError:
            self.forget()
            return frame
        if self._pen:
            self._out.append(transition(self._pen, ""))
        if self._at != cursor:
            self._out.append(_place(*cursor))
        self._cursor = cursor
        return "".join(self._out)

    def _paint_row(self, y: int, runs: list[tuple[int, str]]) -> None:
        if y >= len(self._rows):
            raise NotUnderstoodError
        row = self._rows[y]
        if row.painted == runs:
            return
        cells, pens = row.cells.copy(), row.pens.copy()
        width = len(cells)
        low, high = width, 0
        for x, body in runs:
            new_cells, new_pens = _read_segments(body)
            end = x + len(new_cells)
            if end == x:
                continue
            if end > width:
                raise NotUnderstoodError
            low, high = min(low, x), max(high, end)
            # The half of a wide character that a write leaves behind is blank, for a terminal and for Textual.
            if x < width and cells[x] == _CONTINUATION:
                cells[x - 1] = " "
                low = min(low, x - 1)
            if end < width and cells[end] == _CONTINUATION:
                cells[end] = " "
                high = max(high, end + 1)
            cells[x:end] = new_cells
            pens[x:end] = new_pens
        self._write_changes(y, row, cells, pens, range(low, high))
        row.cells, row.pens, row.painted = cells, pens, runs

    def _write_changes(self, y: int, row: _Row, cells: list[str], pens: list[str], span: range) -> None:
        old_cells, old_pens = row.cells, row.pens
        x, end = span.start, span.stop
        while x < end:
            cell = cells[x]
            if cell == old_cells[x] and pens[x] == old_pens[x]:
                x += 1
                continue
            width = 2 if x + 1 < len(cells) and cells[x + 1] == _CONTINUATION else 1
            self._go(y, x, cells, pens)
            if not self._shows(cell, pens[x]):
                self._out.append(transition(self._pen, pens[x]))
                self._pen = pens[x]
            if _width_is_settled(cell, width):
                self._out.append(cell)
                self._at = (y, x + width)
            else:
                # Terminals disagree on how far such a character moves the cursor; some fill one cell of two.
                self._out.append(f"{' ' * width}\x1b[{x + 1}G{cell}")
                self._at = None
            x += width

    def _shows(self, cell: str, pen: str) -> bool:
        """Whether the pen in force draws this cell as its own pen would."""
        return pen == self._pen or (cell == " " and pen == on_a_blank(self._pen))

    def _go(self, y: int, x: int, cells: list[str], pens: list[str]) -> None:
        """Put the cursor at a cell by the shortest way; `cells` are the row as it will be."""
        if self._at == (y, x):
            return
        if self._at is None or self._at[0] != y:
            self._out.append(_place(y, x))
            return
        start = self._at[1]
        bridge = "".join(cells[start:x])
        if (
            0 < x - start <= _LONGEST_BRIDGE
            and all(map(self._shows, cells[start:x], pens[start:x]))
            and _ONE_CELL_EACH.fullmatch(bridge)
            and len(bridge) == x - start
        ):
            self._out.append(bridge)
        else:
            self._out.append(f"\x1b[{x + 1}G")


def _read(frame: str) -> tuple[dict[int, list[tuple[int, str]]], tuple[int, int]]:
    """Split a frame into runs (column, segments) by row, and the cursor's place (row, column) at its end."""
    parts = _PLACE.split(frame)
    if len(parts) < 4 or parts[0].strip("\n") or parts[-1]:
        raise NotUnderstoodError
    touched: dict[int, list[tuple[int, str]]] = {}
    for row, column, body in zip(parts[1:-3:3], parts[2:-3:3], parts[3:-3:3], strict=True):
        # Every line break is followed by a place, so it moves nothing.
        if segments := body.rstrip("\n"):
            touched.setdefault(int(row) - 1, []).append((int(column) - 1, segments))
    return touched, (int(parts[-3]) - 1, int(parts[-2]) - 1)


def _read_segments(body: str) -> tuple[list[str], list[str]]:
    """Cells and their pens, one each per column."""
    cells: list[str] = []
    pens: list[str] = []
    position = 0
    for match in _SEGMENT.finditer(body):
        link, sgr, text, sgr_off, link_off = match.groups("")
        if match.start() != position or bool(sgr) != bool(sgr_off) or bool(link) != bool(link_off):
            raise NotUnderstoodError
        position = match.end()
        new_cells = text if _ONE_CELL_EACH.fullmatch(text) else _graphemes(text)
        pen = f"{sgr}\x1b{link}" if link else sgr
        blank = on_a_blank(pen)
        cells.extend(new_cells)
        # What a space does not show is no difference.
        pens.extend([blank if cell == " " else pen for cell in new_cells] if blank != pen else [pen] * len(new_cells))
    if position != len(body):
        raise NotUnderstoodError
    return cells, pens


@lru_cache(maxsize=1024)
def _graphemes(text: str) -> tuple[str, ...]:
    """One entry per cell: a grapheme, then a continuation if it is wide. Raises NotUnderstoodError."""
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        if width not in (1, 2):
            raise NotUnderstoodError
        cells.append(text[start:end])
        if width == 2:
            cells.append(_CONTINUATION)
    return tuple(cells)


@lru_cache(maxsize=4096)
def _width_is_settled(cell: str, width: int) -> bool:
    """Whether every terminal moves its cursor by `width` for this grapheme."""
    return len(cell) == 1 and (width == 1 or category(cell) == "Lo")


def _place(y: int, x: int) -> str:
    """Cursor position, leaving out what is 1 by default."""
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
