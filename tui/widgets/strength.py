"""How hard a password is to guess, as a word, a bar and a colour on one row."""

from typing import ClassVar, Final

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from store.text import sanitize

BAR: Final = 12
"""Cells of the full bar."""

GRADES: Final = (
    ("very weak", "$text-error", 1),
    ("weak", "$text-error", 4),
    ("fair", "$text-warning", 7),
    ("good", "$text-success", 10),
    ("strong", "$text-success", BAR),
)
"""Word, colour and cells for the scores 0 to 4."""


class StrengthMeter(Widget):
    """Shows a score of zxcvbn's scale (0: a handful of guesses, 4: more than 10^10). None shows nothing."""

    ALLOW_SELECT: ClassVar[bool] = False

    score: reactive[int | None] = reactive(None)
    hint: reactive[str] = reactive("")
    """What would make the password stronger."""

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
            ("─" * (BAR - cells), "$text-disabled"),
            " ",
            (word, colour),
            ("  ", ""),
            (self.hint, "$foreground-muted"),
        )
