"""The steps of a wizard on one line, with the step that is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

_CIRCLED: Final = "①②③④⑤⑥⑦⑧⑨"
_DONE: Final = "✓"


@dataclass(frozen=True, slots=True)
class Step:
    """The name of a step, and a shorter one for a narrow terminal."""

    title: str
    short: str


class StepRail(Widget):
    """`✓ Scan QR Code ── ✓ Save Backup Recovery Codes ── ③ Verify Setup`.

    In a row that is too short, the steps that are not shown have their short names, then only their numbers. No name is
    cut. `circled` is False where the font of the terminal has no circled digits.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    step: reactive[int] = reactive(0)
    """The index of the step that is shown."""

    def __init__(self, steps: Iterable[Step], *, circled: bool = True, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._steps = tuple(steps)
        self._circled = circled

    def render(self) -> RenderResult:
        room = self.content_size.width
        lines = [self._line(own, others) for own, others in _FORMS]
        return next((line for line in lines if line.cell_length <= room), lines[-1])

    def _line(self, own: str, others: str) -> Content:
        drawn = [
            self._draw(index, getattr(step, own if index == self.step else others, ""))
            for index, step in enumerate(self._steps)
        ]
        return Content.styled(" ── ", "$border-blurred").join(drawn)

    def _draw(self, index: int, name: str) -> Content:
        number = _CIRCLED[index] if self._circled else str(index + 1)
        mark, style = (
            (_DONE, "$text-success")
            if index < self.step
            else (number, "bold $text-primary" if index == self.step else "$foreground-muted")
        )
        return Content.styled(f"{mark} {name}".rstrip(), style)


_FORMS: Final = (("title", "title"), ("title", "short"), ("short", "short"), ("title", ""), ("short", ""))
"""The name of the step that is shown, and of the others, from the widest line to the narrowest."""
