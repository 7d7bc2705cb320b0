"""One of a few words, drawn as one row: `• never   daily   weekly`."""

from collections.abc import Sequence
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


class OptionRow(Widget, can_focus=True):
    """Words side by side, of which one is chosen. `value` is its place."""

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose(-1)", "Previous", id="option-row.left", show=False, tooltip="Choose the word before"),
        Binding("right", "choose(1)", "Next", id="option-row.right", show=False, tooltip="Choose the word after"),
        Binding("space", "turn", "Choose", id="option-row.turn", tooltip="Choose the next word"),
    ]

    value: reactive[int] = reactive(0)

    def __init__(
        self,
        words: Sequence[str],
        *,
        value: int = 0,
        id: str | None = None,  # noqa: A002 (as every widget has it)
    ) -> None:
        super().__init__(id=id)
        self.words = tuple(sanitize(word) for word in words)
        self.set_reactive(OptionRow.value, value)

    def action_choose(self, by: int) -> None:
        self.value = max(0, min(self.value + by, len(self.words) - 1))

    def action_turn(self) -> None:
        self.value = (self.value + 1) % len(self.words)

    def on_click(self, event: Click) -> None:
        event.stop()
        left = 0
        for place, option in enumerate(self._options()):
            if left <= event.x < left + option.cell_length:
                self.value = place
                return
            left += option.cell_length + GAP_CELLS

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 (Widget's)
        return sum(option.cell_length for option in self._options()) + GAP_CELLS * (len(self.words) - 1)

    def render(self) -> RenderResult:
        return Content(" " * GAP_CELLS).join(self._options())

    def _options(self) -> list[Content]:
        return [
            Content.assemble(("● ", "$text-accent"), (word, "bold"))
            if place == self.value
            else Content.assemble(("○ ", "$foreground-muted"), (word, "$foreground-muted"))
            for place, word in enumerate(self.words)
        ]
