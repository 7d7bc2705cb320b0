"""An input for text that anybody may read: what it shows is safe to draw, wherever it came from."""

from typing import Any

from textual.widgets import Input

from store.text import plain


class TextInput(Input):
    """A line of text in which nothing is kept that a terminal could obey, be it stored, pasted or typed.

    Textual draws the value of an `Input` as it is (8.2.8).
    """

    def __init__(self, value: str | None = None, **options: Any) -> None:
        """`options` are those of `Input`."""
        options.setdefault("compact", True)
        super().__init__(value, **options)

    def validate_value(self, value: str) -> str:
        return plain(value)
