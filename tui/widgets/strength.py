"""The strength of a password as a bar, a word and a colour on one row."""

from typing import Final

from textual.content import Content

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


def strength_line(score: int, hint: str = "") -> Content:
    """Shows a score of zxcvbn (0: below 10^3 guesses, 4: more than 10^10), and the advice for a stronger password."""
    word, colour, cells = GRADES[max(0, min(score, len(GRADES) - 1))]
    return Content.assemble(
        ("━" * cells, colour),
        ("─" * (BAR_CELLS - cells), "$text-disabled"),
        " ",
        (word, colour),
        (f"  {sanitize(hint)}" if hint else "", "$foreground-muted"),
    )
