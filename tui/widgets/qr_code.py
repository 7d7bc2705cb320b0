"""QR codes that a phone can read from any terminal."""

from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

QUIET_ZONE_MODULES: Final = 2
"""Light modules around the code. ISO/IEC 18004 asks for 4; phones read 2, and 80x24 has no room for more."""

BLACK_ON_WHITE: Final = Style(color="#000000", bgcolor="#ffffff")
"""No theme colours: most readers refuse a light code on a dark background."""

HALF_BLOCKS: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
"""The character for two modules, one above the other; 1 is dark."""


class QrCode(Widget):
    """Draws `uri` in `size_for(uri)` cells. Check `fits` first: a part of a code cannot be read."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(
        self,
        uri: str = "",
        *,
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.draw(uri)

    def draw(self, uri: str) -> None:
        """Draw another URI, or nothing for "". A new code takes about 10 ms."""
        self._rows = rows(uri) if uri else ()
        self.styles.width = len(self._rows[0]) if self._rows else 0
        self.styles.height = len(self._rows)
        self.refresh(layout=True)

    def get_line_filters(self) -> list[LineFilter]:
        """No filters: under NO_COLOR the code stays black on white, because it cannot be read without."""
        return []

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self._rows[y], BLACK_ON_WHITE)], len(self._rows[y]))


def size_for(uri: str) -> tuple[int, int]:
    """Columns and rows of the code of `uri`."""
    lines = rows(uri)
    return len(lines[0]), len(lines)


def fits(uri: str, available: Size) -> bool:
    """True if the code of `uri` fits into `available` cells."""
    columns, lines = size_for(uri)
    return columns <= available.width and lines <= available.height


def rows(uri: str) -> tuple[str, ...]:
    """The code as lines of half blocks, with the quiet zone, at error correction level L.

    Raises `segno.DataOverflowError` for more than 2,953 bytes.
    """
    import segno

    modules = [list(row) for row in segno.make(uri, error="l", micro=False).matrix_iter(border=QUIET_ZONE_MODULES)]
    if len(modules) % 2:
        modules.append([0] * len(modules[0]))
    return tuple(
        "".join(HALF_BLOCKS[bool(above), bool(below)] for above, below in zip(upper, lower, strict=True))
        for upper, lower in zip(modules[::2], modules[1::2], strict=True)
    )
