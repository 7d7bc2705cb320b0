"""Columns of a table that fit any width: they fit their rows, shrink, and those of low importance are left out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
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
    fills: bool = False
    """True for a column that takes what is left of the width, up to its maximum."""
    is_told: Callable[[R], bool] | None = None
    """False for a row that tells nothing in this column. Where no row does, the column is an extra."""
    is_extra: bool = False
    """True for a column that is left out before another is cut."""
    wanted: int | None = None
    """Columns of less importance are left out before this one is narrower; None for its narrowest width."""

    @property
    def is_flexible(self) -> bool:
        """True if the width depends on the rows."""
        return self.minimum is not None or self.maximum is not None

    def fitted(self, need: int) -> "TableColumn[R]":
        """The column for rows of at most `need` cells."""
        if not self.is_flexible:
            return self
        width = min(need, self.widest)
        return replace(
            self,
            width=width,
            # A number is never cut: it would be another number.
            minimum=width if self.align == "right" else min(self.narrowest, width),
            maximum=self.maximum if self.fills else None,
            wanted=None if self.priority else min(self.width, width),
        )

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


class ColumnFit(Generic[R]):
    """The columns of one table, fitted to its width and to the rows that it has shown."""

    def __init__(self, columns: Sequence[TableColumn[R]]) -> None:
        self._columns = columns
        self._room = 0
        self._needs: list[int] | None = None
        self._told: set[int] = set()
        self.placed: list[PlacedColumn[R]] = []

    def resize(self, room: int) -> None:
        """Fit the columns to `room` cells."""
        self._room = room
        self._place()

    def forget(self) -> None:
        """Fit only the rows that come from now on."""
        self._needs, self._told = None, set()

    def see(self, rows: Iterable[R]) -> None:
        """Let the columns fit these rows too. A column never shrinks until `forget`."""
        needs = self._needs or [Content(column.label).cell_length for column in self._columns]
        for row in rows:
            for at, column in enumerate(self._columns):
                if column.is_flexible:
                    needs[at] = max(needs[at], column.cell(row).cell_length)
                if column.is_told is None or column.is_told(row):
                    self._told.add(at)
            self._needs = needs
        self._place()

    def _place(self) -> None:
        fitted = list(self._columns)
        if self._needs is not None:
            fitted = [column.fitted(need) for column, need in zip(self._columns, self._needs, strict=True)]
            untold = [column for at, column in enumerate(fitted) if at not in self._told]
            extras = [column for column in fitted if column.is_extra and column not in untold]
            for columns in (untold, extras):  # a column that tells nothing goes before one that does
                columns.sort(key=lambda column: column.priority)
                while columns and cells_of([column.width for column in fitted]) > self._room:
                    fitted.remove(columns.pop())
        self.placed = fit_columns(fitted, self._room)


def fit_columns(columns: Sequence[TableColumn[R]], room: int) -> list[PlacedColumn[R]]:
    """The columns that fit into `room` cells, in their order, with their widths.

    Columns are left out until the wanted or narrowest widths of the others fit. Then the columns grow to their natural
    widths, the most important first, and then to their maximum.
    """
    shown = list(columns)
    while len(shown) > 1 and cells_of([column.wanted or column.narrowest for column in shown]) > room:
        least = max(column.priority for column in shown)
        if least == 0:
            break
        shown = [column for column in shown if column.priority != least]
    widths = [column.narrowest for column in shown]
    spare = room - cells_of(widths)
    by_importance = sorted(range(len(shown)), key=lambda at: shown[at].priority)
    for goals in ([column.width for column in shown], [column.widest for column in shown]):
        for at in by_importance:
            more = max(0, min(spare, goals[at] - widths[at]))
            widths[at] += more
            spare -= more
    return [PlacedColumn(column, max(1, width)) for column, width in zip(shown, widths, strict=True)]


def cells_of(widths: Sequence[int]) -> int:
    """The cells that columns of these widths take, with the gaps between them."""
    return sum(widths) + GAP_CELLS * (len(widths) - 1)
