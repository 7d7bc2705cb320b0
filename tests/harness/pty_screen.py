"""The screen of a terminal: cells with their colours, the alternate screen, and the screen as a picture."""

import copy
import io
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

import pyte
from PIL import Image, ImageDraw

_XTERM: Final = {
    "black": "000000",
    "red": "cd0000",
    "green": "00cd00",
    "brown": "cdcd00",
    "blue": "0000ee",
    "magenta": "cd00cd",
    "cyan": "00cdcd",
    "white": "e5e5e5",
    "brightblack": "7f7f7f",
    "brightred": "ff0000",
    "brightgreen": "00ff00",
    "brightbrown": "ffff00",
    "brightblue": "5c5cff",
    "brightmagenta": "ff00ff",
    "brightcyan": "00ffff",
    "brightwhite": "ffffff",
}
"""xterm's default palette of the 16 colours, by pyte's names."""

_INKED: Final = {
    "\N{FULL BLOCK}": (0, 0, 1, 1),
    "\N{UPPER HALF BLOCK}": (0, 0, 1, 0.5),
    "\N{LOWER HALF BLOCK}": (0, 0.5, 1, 1),
    "\N{LEFT HALF BLOCK}": (0, 0, 0.5, 1),
    "\N{RIGHT HALF BLOCK}": (0.5, 0, 1, 1),
}
"""The part of the cell (left, top, right, bottom) that a block character fills with the foreground."""


class Cell(NamedTuple):
    """One cell as the terminal shows it."""

    text: str
    """The grapheme; "" in the second cell of a wide one."""
    foreground: str
    """"default", one of pyte's names of the 16 colours, or six hex digits."""
    background: str
    bold: bool
    dim: bool
    italic: bool
    underline: bool
    strike: bool
    reverse: bool

    @classmethod
    def of(cls, char: pyte.screens.Char) -> Self:
        """The cell for pyte's character; pyte 0.8.2 spells one of its colours "bfightmagenta"."""
        return cls(
            char.data,
            char.fg,
            char.bg.replace("bfight", "bright"),
            char.bold,
            char.blink,
            char.italics,
            char.underscore,
            char.strikethrough,
            char.reverse,
        )


class Screen(pyte.Screen):
    """pyte's screen with an alternate screen (xterm's mode 1049), with dim, kept in its blink flag, and with `bce`."""

    def __init__(self, columns: int, lines: int) -> None:
        self._main: tuple[Any, pyte.screens.Cursor] | None = None
        super().__init__(columns, lines)

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        """Erase in the background of the pen, as a terminal with `bce`; pyte (0.8.2) leaves out cells never written."""
        super().erase_in_display(how, *args, **kwargs)
        below, above = range(self.cursor.y + 1, self.lines), range(self.cursor.y)
        for y in {0: below, 1: above}.get(how, range(self.lines)):
            self.buffer[y].update(dict.fromkeys(range(self.columns), self.cursor.attrs))

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private") and 1049 in modes and self._main is None:
            self._main = (copy.deepcopy(self.buffer), copy.copy(self.cursor))
            self.buffer.clear()
        super().set_mode(*modes, **kwargs)

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private") and 1049 in modes and self._main is not None:
            (self.buffer, self.cursor), self._main = self._main, None
        super().reset_mode(*modes, **kwargs)

    def select_graphic_rendition(self, *attrs: int) -> None:
        translated: list[int] = []
        left = iter(attrs)
        for attr in left:
            translated.append(attr)
            if attr in (38, 48):
                kind = next(left, 0)
                translated += [kind, *(next(left, 0) for _ in range(3 if kind == 2 else 1))]
            elif attr == 2:
                translated[-1] = 5
            elif attr == 22:
                translated.append(25)
        super().select_graphic_rendition(*translated)

    @property
    def cells(self) -> list[list[Cell]]:
        """The screen, by line and column."""
        return [[Cell.of(self.buffer[y][x]) for x in range(self.columns)] for y in range(self.lines)]


def to_png(
    cells: Sequence[Sequence[Cell]], *, scale: int = 6, foreground: str = "e5e5e5", background: str = "000000"
) -> bytes:
    """Draw cells as a PNG in which a QR code of half blocks can be scanned.

    Block characters fill their part of the cell; any other character leaves its cell to the background.

    Args:
        cells: a screen by line and column, or a part of one.
        scale: pixels per cell across; a cell is twice as high.
        foreground: six hex digits for the default foreground of the terminal drawn.
        background: six hex digits for its default background.
    """
    defaults = {"default": (foreground, background)}
    image = Image.new("RGB", (scale * max(map(len, cells)), 2 * scale * len(cells)))
    draw = ImageDraw.Draw(image)
    for y, line in enumerate(cells):
        for x, cell in enumerate(line):
            ink = defaults.get(cell.foreground, (_XTERM.get(cell.foreground, cell.foreground), ""))[0]
            paper = defaults.get(cell.background, ("", _XTERM.get(cell.background, cell.background)))[1]
            if cell.reverse:
                ink, paper = paper, ink
            left, top = x * scale, y * 2 * scale
            draw.rectangle((left, top, left + scale - 1, top + 2 * scale - 1), f"#{paper}")
            if part := _INKED.get(cell.text):
                x1, y1, x2, y2 = part
                corners = (
                    left + x1 * scale,
                    top + y1 * 2 * scale,
                    left + x2 * scale - 1,
                    top + y2 * 2 * scale - 1,
                )
                draw.rectangle(corners, f"#{ink}")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
