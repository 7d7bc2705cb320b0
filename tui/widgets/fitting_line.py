"""One line whose words depend on the room: a number that is cut would be another number."""

from typing import ClassVar

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class FittingLine(Widget):
    """The first of several words that fits, or nothing."""

    ALLOW_SELECT: ClassVar[bool] = False

    words: reactive[tuple[str, ...]] = reactive(())
    """The longest first."""

    def render(self) -> RenderResult:
        lines = (Content(words) for words in self.words)
        return next((line for line in lines if line.cell_length <= self.content_size.width), Content(""))
