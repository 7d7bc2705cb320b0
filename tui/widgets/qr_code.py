"""An otpauth URI as a QR code that a phone can read off any terminal."""

from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

QUIET_ZONE: Final = 2
"""Light modules around the code. ISO/IEC 18004 asks for 4; phones read 2, and 80x24 has no room for more."""

BLACK_ON_WHITE: Final = Style(color="#000000", bgcolor="#ffffff")
"""Not theme colours: a code drawn light on dark is one most readers refuse."""

HALF_BLOCKS: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
"""The character for a dark (1) or light (0) module above another."""


class QrCode(Widget):
    """Draws `uri`, exactly `size_for(uri)` cells large; ask `fits` first, since half a code is none."""

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
        """Draws another URI, or nothing for an empty one. A new code takes about 10 ms."""
        self._rows = rows(uri) if uri else ()
        self.styles.width = len(self._rows[0]) if self._rows else 0
        self.styles.height = len(self._rows)
        self.refresh(layout=True)

    def get_line_filters(self) -> list[LineFilter]:
        """None: under NO_COLOR too the code is black on white, which is its message and no decoration."""
        return []

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self._rows[y], BLACK_ON_WHITE)], len(self._rows[y]))


def size_for(uri: str) -> tuple[int, int]:
    """The cells the code of `uri` takes: columns, rows."""
    lines = rows(uri)
    return len(lines[0]), len(lines)


def fits(uri: str, available: Size) -> bool:
    """Whether the whole code of `uri` can be drawn on `available` cells."""
    columns, lines = size_for(uri)
    return columns <= available.width and lines <= available.height


def rows(uri: str) -> tuple[str, ...]:
    """The code as lines of half blocks, quiet zone included, at error correction L.

    Raises `segno.DataOverflowError` for more than 2,953 bytes.
    """
    import segno

    modules = [list(row) for row in segno.make(uri, error="l", micro=False).matrix_iter(border=QUIET_ZONE)]
    if len(modules) % 2:
        modules.append([0] * len(modules[0]))
    return tuple(
        "".join(HALF_BLOCKS[bool(above), bool(below)] for above, below in zip(upper, lower, strict=True))
        for upper, lower in zip(modules[::2], modules[1::2], strict=True)
    )
