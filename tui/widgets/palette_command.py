"""A command of the palette: how it is found, and how its line is drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from textual.content import Content

from store.text import sanitize

GAP_CELLS: Final = 2
"""Cells between the parts of a line."""
MIN_ABOUT_CELLS: Final = 8
"""A shorter explanation is left out."""
_IN_TITLE: Final = 4.0
_IN_WORDS: Final = 3.0
_IN_ABOUT: Final = 2.0
_WHOLE_WORD: Final = 0.5
"""Scores of a word of the search. A fuzzy match of the title scores below 1."""


@dataclass(frozen=True, slots=True)
class PaletteCommand:
    """One line of the palette."""

    title: str
    about: str
    run: Callable[[], object]
    key: str = ""
    """The key that does the same, as it is shown; empty if there is none."""
    words: str = ""
    """Other words that find it, separated by spaces."""
    preview: Callable[[], object] | None = None
    """Shows the result while the command is only highlighted."""

    def score(self, search: str, fuzzy: float) -> float:
        """The quality of the match, 0 if there is none. `fuzzy` is that of the title as a whole, up to 1.

        Every word of the search must begin a word of the title, of the other words or of the explanation.
        """
        total = 0.0
        for part in search.lower().split():
            best = max(self._scores(part), default=0.0)
            if not best:
                return min(fuzzy, 1.0)
            total += best
        return total

    def _scores(self, part: str) -> list[float]:
        texts = ((self.title, _IN_TITLE), (self.words, _IN_WORDS), (self.about, _IN_ABOUT))
        return [
            score + (_WHOLE_WORD if word == part else 0.0)
            for text, score in texts
            for word in text.lower().replace(":", "").split()
            if word.startswith(part)
        ]

    def draw(self, title: Content, width: int) -> Content:
        """The line: `title`, which may have marks of the match, the explanation, and the key at the right."""
        key = Content.styled(sanitize(self.key), "$text-accent not bold")
        about = Content.styled(sanitize(self.about), "$foreground-muted not bold")
        room = width - title.cell_length - key.cell_length - (GAP_CELLS if key else 0) - GAP_CELLS
        about = about.truncate(room, ellipsis=True) if room >= MIN_ABOUT_CELLS else Content("")
        left = Content.assemble(title, " " * GAP_CELLS, about) if about else title
        gap = max(GAP_CELLS, width - left.cell_length - key.cell_length)
        return Content.assemble(left, " " * gap, key) if key else left
