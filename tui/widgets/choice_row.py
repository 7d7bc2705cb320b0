"""A choice between two values, drawn as one row: `(•) mine  1.00 USD    ( ) saved  5.00 USD`."""

from typing import ClassVar, Final

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from store.text import sanitize

GAP_CELLS: Final = 2
"""Cells between the two values on one row."""


class ChoiceRow(Widget, can_focus=True):
    """Two named values side by side, or one below the other where they do not fit. One of them is chosen."""

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "switch", "Switch", id="choice-row.switch", tooltip="Choose the other value"),
        Binding("left", "choose(0)", "First", id="choice-row.left", show=False, tooltip="Choose the first value"),
        Binding("right", "choose(1)", "Second", id="choice-row.right", show=False, tooltip="Choose the second value"),
    ]

    chosen: reactive[int] = reactive(0)
    """0 for the first value, 1 for the second."""

    def __init__(
        self,
        first: tuple[str, str],
        second: tuple[str, str],
        *,
        chosen: int = 0,
        id: str | None = None,  # noqa: A002 (as every widget has it)
    ) -> None:
        """Each value is a name and a text."""
        super().__init__(id=id)
        self._values = tuple((sanitize(name), sanitize(text)) for name, text in (first, second))
        self.set_reactive(ChoiceRow.chosen, chosen)

    def action_switch(self) -> None:
        self.chosen = 1 - self.chosen

    def action_choose(self, index: int) -> None:
        self.chosen = index

    def on_click(self, event: Click) -> None:
        event.stop()
        parts = self._parts(self.content_size.width)
        if len(parts) == 1:
            self.chosen = int(event.x >= self.content_size.width // 2)
        else:
            self.chosen = int(event.y >= parts[0].plain.count("\n") + 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 (Widget's)
        return sum(part.plain.count("\n") + 1 for part in self._parts(width))

    def render(self) -> RenderResult:
        return Content("\n").join(self._parts(self.content_size.width))

    def _parts(self, width: int) -> list[Content]:
        """The rows: one with both values if each fits into its half, else each value in full."""
        both = [self._option(index) for index in range(2)]
        half = (width - GAP_CELLS) // 2
        if all(option.cell_length <= half for option in both):
            return [Content.assemble(both[0].pad_right(half - both[0].cell_length + GAP_CELLS), both[1])]
        return [Content("\n").join(option.wrap(max(1, width))) for option in both]

    def _option(self, index: int) -> Content:
        name, text = self._values[index]
        is_chosen = index == self.chosen
        mark = Content.styled("(•) ", "$text-accent") if is_chosen else Content.styled("( ) ", "$foreground-muted")
        return Content.assemble(mark, (name, "bold" if is_chosen else ""), ("  ", ""), (text, "$foreground-muted"))
