"""The strength of a password as a bar, a word and a colour on one row."""

from typing import ClassVar, Final

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from store.text import sanitize

BAR_CELLS: Final = 12
"""Cells of the full bar."""

GRADES: Final = (
    ("very weak", "$text-error", 1),
    ("weak", "$text-error", 4),
    ("fair", "$text-warning", 7),
    ("good", "$text-success", 10),
    ("strong", "$text-success", BAR_CELLS),
)
"""Word, colour and cells of the scores 0 to 4."""


class StrengthMeter(Widget):
    """Shows a score of zxcvbn (0: below 10^3 guesses, 4: more than 10^10), or nothing for None."""

    ALLOW_SELECT: ClassVar[bool] = False

    score: reactive[int | None] = reactive(None)
    hint: reactive[str] = reactive("")
    """Advice for a stronger password."""

    def validate_score(self, score: int | None) -> int | None:
        return None if score is None else max(0, min(score, len(GRADES) - 1))

    def validate_hint(self, hint: str) -> str:
        return sanitize(hint)

    def render(self) -> RenderResult:
        if self.score is None:
            return Content("")
        word, colour, cells = GRADES[self.score]
        return Content.assemble(
            ("━" * cells, colour),
            ("─" * (BAR_CELLS - cells), "$text-disabled"),
            " ",
            (word, colour),
            ("  ", ""),
            (self.hint, "$foreground-muted"),
        )
