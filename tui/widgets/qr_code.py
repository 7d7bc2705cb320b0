"""QR codes that a phone can read from any terminal."""

from collections.abc import Mapping
from typing import ClassVar, Final, cast

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
        self.styles.width, self.styles.height = self.size_of_code
        self.refresh(layout=True)

    @property
    def size_of_code(self) -> Size:
        """Columns and rows of the code, which the widget has after the next layout."""
        return Size(len(self._rows[0]) if self._rows else 0, len(self._rows))

    def get_line_filters(self) -> list[LineFilter]:
        """No filters: under NO_COLOR the code stays black on white, because it cannot be read without."""
        return []

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self._rows[y], BLACK_ON_WHITE)], len(self._rows[y]))


def size_for(uri: str) -> tuple[int, int]:
    """Columns and rows of the code of `uri`."""
    lines = rows(uri)
    return len(lines[0]), len(lines)


def capacity(available: Size) -> int:
    """The number of bytes of the largest code that fits into `available` cells; 0 if none fits.

    ISO/IEC 18004: a code has 17 + 4 * version modules a side. Its data begins with 4 bits for the mode and 8 bits for
    the length, 16 from version 10 on.
    """
    from segno import consts

    bits = cast("Mapping[int, Mapping[int, int]]", consts.SYMBOL_CAPACITY)
    largest = 0
    for version in range(1, 41):
        side = 17 + 4 * version + 2 * QUIET_ZONE_MODULES
        if side <= available.width and (side + 1) // 2 <= available.height:
            header_bits = 4 + (8 if version < 10 else 16)
            largest = max(largest, (bits[version][consts.ERROR_LEVEL_L] - header_bits) // 8)
    return largest


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
