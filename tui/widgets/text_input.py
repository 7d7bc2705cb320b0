"""An input for text that anybody may read: what it shows is safe to draw, wherever it came from."""

from store.text import sanitize
from tui.widgets.line_input import LineInput


class TextInput(LineInput):
    """A line of text in which nothing is kept that a terminal could obey, be it stored, pasted or typed.

    Textual draws the value of an `Input` as it is (8.2.8).
    """

    def validate_value(self, value: str) -> str:
        return sanitize(value)
