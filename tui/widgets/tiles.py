"""A row of tiles: figures, each with a title and notes below. One widget draws all of them."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

_BOX_ROWS: Final = 2
_GAP_CELLS: Final = 1
_UNREAD: Final = Content.styled("…", "$foreground-muted")


@dataclass(frozen=True)
class Tile:
    """One figure. A text that is too long ends in an ellipsis."""

    title: str
    value: Content = _UNREAD
    notes: tuple[tuple[Content, ...], ...] = ()
    """Each note in one wording or several, the longest first: the first that fits is shown."""


class Tiles(Widget):
    """The tiles share the width. They stand in boxes where the height of the style has room for them."""

    ALLOW_SELECT: ClassVar[bool] = False

    tiles: reactive[tuple[Tile, ...]] = reactive((), always_update=True)
    """Drawn whenever they are set: contents with the same text are equal, whatever their colours."""

    def __init__(self, titles: tuple[str, ...], *, notes: int = 0, id: str | None = None) -> None:  # noqa: A002 (Widget's)
        """`notes` is the number of notes of a tile, so that the tiles have their shape before they are read."""
        super().__init__(id=id)
        unread = ((Content(""),),) * notes
        self.set_reactive(Tiles.tiles, tuple(Tile(title, notes=unread) for title in titles))

    def render(self) -> RenderResult:
        width, height = self.content_size
        count = len(self.tiles)
        each, rest = divmod(width - _GAP_CELLS * (count - 1), count) if count else (0, 0)
        if each < 1:
            return Content("")
        rows = max(len(tile.notes) for tile in self.tiles) + 1
        draw = _box if height >= rows + _BOX_ROWS else _plain
        columns = [draw(tile, each + int(at < rest), height) for at, tile in enumerate(self.tiles)]
        gap = Content(" " * _GAP_CELLS)
        return Content("\n").join([gap.join(line) for line in zip(*columns, strict=True)])


def _plain(tile: Tile, width: int, height: int) -> list[Content]:
    title, value = Content.styled(tile.title, "$foreground-muted"), tile.value.stylize_before("bold")
    lines = [title, value, *_notes(tile, width - 1)]
    return [_fit(line, width - 1).pad_right(1) for line in _filled(lines, height)]


def _box(tile: Tile, width: int, height: int) -> list[Content]:
    inner = width - 4
    title = _cut(Content.styled(tile.title, "bold"), inner - 2)
    edge = "$border-blurred"
    rule = "─" * max(0, width - title.cell_length - 5)
    top = Content.assemble(("╭─ ", edge), title, (f" {rule}╮", edge))
    body = _filled([tile.value.stylize_before("bold"), *_notes(tile, inner)], height - _BOX_ROWS)
    side = Content.styled("│", edge)
    lines = [Content.assemble(side, " ", _fit(line, inner), " ", side) for line in body]
    return [top, *lines, Content.styled(f"╰{'─' * (width - 2)}╯", edge)]


def _notes(tile: Tile, width: int) -> list[Content]:
    return [next((one for one in note if one.cell_length <= width), note[-1]) for note in tile.notes]


def _filled(lines: list[Content], height: int) -> list[Content]:
    return (lines + [Content("")] * height)[:height]


def _cut(content: Content, width: int) -> Content:
    return content.truncate(max(0, width), ellipsis=True)


def _fit(content: Content, width: int) -> Content:
    cut = _cut(content, width)
    return cut.pad_right(max(0, width - cut.cell_length))
