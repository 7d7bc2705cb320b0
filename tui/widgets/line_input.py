"""The input under every field: one line as wide as its field, whatever is typed into it."""

from typing import Any

from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input


class LineInput(Input):
    """An `Input` that a letter does not make the whole screen lay out again."""

    # How far the text can be scrolled is a virtual size, and Textual takes every change of one for a change of
    # layout (8.2.8). What surrounds this input does not depend on it: it fills its field, and text scrolls within.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)

    def __init__(self, value: str | None = None, **options: Any) -> None:
        """`options` are those of `Input`."""
        options.setdefault("compact", True)
        super().__init__(value, **options)
