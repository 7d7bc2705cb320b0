"""An input for text that is not secret. Its text is safe to draw, from any source."""

from store.text import sanitize
from tui.widgets.line_input import LineInput


class TextInput(LineInput):
    """A line of text without control characters, whether it is stored, pasted or typed.

    Textual draws the value of an `Input` unchanged (8.2.8).
    """

    def validate_value(self, value: str) -> str:
        return sanitize(value)
