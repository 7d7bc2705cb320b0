"""A share as a bar of characters."""

from textual.content import Content

FULL = "█"
REST = "░"


def bar(part: int, whole: int, width: int, colour: str = "$text-success") -> Content:
    """A bar of `width` cells, filled to the share of `part` in `whole`.

    A share above zero fills at least one cell, and one below the whole leaves at least one free.
    """
    if part <= 0 or whole <= 0:
        filled = 0
    elif part >= whole:
        filled = width
    else:
        filled = min(max(1, part * width // whole), width - 1)
    rest = Content.styled(REST * (width - filled), "$foreground-muted")
    return Content.assemble(Content.styled(FULL * filled, colour), rest)
