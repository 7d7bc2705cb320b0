"""Columns of a table that fit any width: they shrink, and those of low importance are left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from textual.content import Content

R = TypeVar("R")

GAP_CELLS: Final = 2
"""Cells between two columns."""
EDGE_CELLS: Final = 2
"""Cells before the first column: the mark of the cursor and a blank."""
_SKELETON: Final = "▁"


@dataclass(frozen=True)
class TableColumn(Generic[R]):
    """One column. The widths are in cells."""

    label: str
    cell: Callable[[R], Content]
    """The cell of a row. A text that is too long for the column ends in an ellipsis."""
    width: int
    """The natural width."""
    minimum: int | None = None
    """The narrowest width; None for the natural one."""
    maximum: int | None = None
    """The width up to which the column grows where there is room; None for the natural one."""
    align: Literal["left", "right"] = "left"
    priority: int = 0
    """The columns with the highest priority number are left out first, together. 0 is never left out."""

    @property
    def narrowest(self) -> int:
        return self.width if self.minimum is None else self.minimum

    @property
    def widest(self) -> int:
        return self.width if self.maximum is None else self.maximum


@dataclass(frozen=True, slots=True)
class PlacedColumn(Generic[R]):
    """A column that is shown, and its width in cells."""

    column: TableColumn[R]
    width: int

    def draw(self, content: Content) -> Content:
        """`content` in exactly the cells of the column."""
        cut = content.truncate(self.width, ellipsis=True)
        room = self.width - cut.cell_length
        return cut.pad_left(room) if self.column.align == "right" else cut.pad_right(room)

    def draw_skeleton(self) -> Content:
        """The place of a content that is not known yet."""
        return self.draw(Content.styled(_SKELETON * max(1, self.width * 2 // 3), "$border-blurred"))


def join_cells(mark: str, cells: Sequence[Content]) -> Content:
    """One line: `mark` is the sign of the cursor or a blank."""
    return Content.assemble(f"{mark} ", Content(" " * GAP_CELLS).join(cells))


def fit_columns(columns: Sequence[TableColumn[R]], room: int) -> list[PlacedColumn[R]]:
    """The columns that fit into `room` cells, in their order, with their widths.

    Columns are left out until the narrowest widths of the others fit. Then the columns grow to their natural widths,
    the most important first, and then to their maximum.
    """
    shown = list(columns)
    while len(shown) > 1 and _cells(shown) > room:
        least = max(column.priority for column in shown)
        if least == 0:
            break
        shown = [column for column in shown if column.priority != least]
    widths = [column.narrowest for column in shown]
    spare = room - _cells(shown)
    by_importance = sorted(range(len(shown)), key=lambda at: shown[at].priority)
    for goals in ([column.width for column in shown], [column.widest for column in shown]):
        for at in by_importance:
            more = max(0, min(spare, goals[at] - widths[at]))
            widths[at] += more
            spare -= more
    return [PlacedColumn(column, max(1, width)) for column, width in zip(shown, widths, strict=True)]


def _cells(columns: Sequence[TableColumn[R]]) -> int:
    return sum(column.narrowest for column in columns) + GAP_CELLS * (len(columns) - 1)
