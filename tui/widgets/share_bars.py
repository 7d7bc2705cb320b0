"""Amounts by name, each with a bar: the dearest first, the rest together. One widget draws all of them."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from store.text import sanitize

_GAP: Final = "  "
_MIN_BAR_CELLS: Final = 4
_MAX_BAR_CELLS: Final = 28


@dataclass(frozen=True, slots=True)
class Share:
    """One row. `shown` is `amount` in words."""

    name: str
    amount: int
    shown: str
    is_rest: bool = False
    """True for the rows of all other names together."""


class ShareBars(Widget):
    """The bars end where the largest amount ends."""

    ALLOW_SELECT: ClassVar[bool] = False

    shares: reactive[tuple[Share, ...]] = reactive((), layout=True)
    note: reactive[str] = reactive("…", layout=True)
    """A sentence in the place of the rows; empty to draw them."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 (Widget's)
        return 1 if self.note else max(1, len(self.shares))

    def render(self) -> RenderResult:
        if self.note or not self.shares:
            return Content.styled(self.note, "$foreground-muted")
        width = self.content_size.width
        values = max(len(share.shown) for share in self.shares)
        names = [Content(sanitize(share.name, 200)) for share in self.shares]
        rest = width - values - 2 * len(_GAP)
        longest = max(name.cell_length for name in names)
        label = max(1, min(longest, rest - _MIN_BAR_CELLS, max(10, rest * 3 // 5)))
        room = max(0, min(_MAX_BAR_CELLS, rest - label))
        most = max((share.amount for share in self.shares), default=0) or 1
        return Content("\n").join(
            [_line(share, name, label, room, most, values) for share, name in zip(self.shares, names, strict=True)]
        )


def _line(share: Share, name: Content, label: int, room: int, most: int, values: int) -> Content:
    cut = name.truncate(label, ellipsis=True)
    cells = max(int(share.amount > 0), share.amount * room // most)
    style, bar = ("$foreground-muted", "$foreground-muted") if share.is_rest else ("$foreground", "$primary")
    return Content.assemble(
        cut.pad_right(label - cut.cell_length).stylize_before(style),
        _GAP,
        ("█" * min(cells, room), bar),
        " " * (room - min(cells, room)),
        _GAP,
        (share.shown.rjust(values), style if share.is_rest else "bold"),
    )
