"""Compositor updates as Textual writes them: "position, segments" repeated, then "position" for the cursor."""

import re
from functools import lru_cache
from typing import Final

from rich.cells import split_graphemes

from tui.sgr import pen_on_blank

_PLACE: Final = re.compile(r"\x1b\[(\d+);(\d+)H")
_PLAIN: Final = r"[^\x00-\x1f\x7f-\x9f]"
_SEGMENT: Final = re.compile(
    rf"(?:\x1b\]8;(id=[^;\x00-\x1f\x7f-\x9f]*;{_PLAIN}+)\x1b\\)?"  # link on
    r"(?:\x1b\[([\d;]+)m)?"  # pen on
    rf"({_PLAIN}*)"  # Textual writes empty segments too
    r"(\x1b\[0m)?"  # pen off
    r"(\x1b\]8;;\x1b\\)?"  # link off
)
ONE_CELL_EACH: Final = re.compile("[ -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u2500-\u25fc\u2800-\u28ff]+")
"""Text in which every code point fills one cell: Latin, Greek, Cyrillic, boxes and blocks, Braille."""

CONTINUATION: Final = ""
"""The second cell of a wide character."""


class UnknownFrameError(Exception):
    """A frame did not have the form of a compositor update."""


def read_frame(frame: str) -> tuple[dict[int, list[tuple[int, str]]], tuple[int, int]]:
    """Split a frame into runs (column, segments) by row, and the position (row, column) of the cursor at its end."""
    parts = _PLACE.split(frame)
    if len(parts) < 4 or parts[0].strip("\n") or parts[-1]:
        raise UnknownFrameError
    touched: dict[int, list[tuple[int, str]]] = {}
    for row, column, body in zip(parts[1:-3:3], parts[2:-3:3], parts[3:-3:3], strict=True):
        # A line break is followed by a position, so it has no effect.
        if segments := body.rstrip("\n"):
            touched.setdefault(int(row) - 1, []).append((int(column) - 1, segments))
    return touched, (int(parts[-3]) - 1, int(parts[-2]) - 1)


def read_segments(body: str) -> tuple[list[str], list[str]]:
    """The cells of a run and their pens, one each per column."""
    cells: list[str] = []
    pens: list[str] = []
    position = 0
    for match in _SEGMENT.finditer(body):
        link, sgr, text, sgr_off, link_off = match.groups("")
        if match.start() != position or bool(sgr) != bool(sgr_off) or bool(link) != bool(link_off):
            raise UnknownFrameError
        position = match.end()
        new_cells = text if ONE_CELL_EACH.fullmatch(text) else _graphemes(text)
        pen = f"{sgr}\x1b{link}" if link else sgr
        blank = pen_on_blank(pen)
        cells.extend(new_cells)
        # Attributes that a space does not show make no difference.
        pens.extend([blank if cell == " " else pen for cell in new_cells] if blank != pen else [pen] * len(new_cells))
    if position != len(body):
        raise UnknownFrameError
    return cells, pens


@lru_cache(maxsize=1024)
def _graphemes(text: str) -> tuple[str, ...]:
    """One entry per cell: a grapheme, then a continuation if it is wide. Raises UnknownFrameError."""
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        if width not in (1, 2):
            raise UnknownFrameError
        cells.append(text[start:end])
        if width == 2:
            cells.append(CONTINUATION)
    return tuple(cells)
