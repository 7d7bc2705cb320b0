"""Inputs for passwords and for the codes of a second factor."""

import re
from typing import Any, ClassVar, Final

from textual.events import Paste
from textual.widgets import Input

from tui.widgets.line_input import LineInput

NOT_IN_A_CODE: Final = re.compile(r"[^0-9A-Za-z \-]+")
SEPARATORS: Final = re.compile(r"[\s\-]+")
MAX_CODE_CHARS: Final = 64
"""Characters of a code: more than a backup code with separators has."""


class SecretInput(LineInput):
    """A password field. Its text cannot be copied or cut, and does not appear in a log of messages."""

    ALLOW_SELECT: ClassVar[bool] = False

    # Textual logs the repr of messages, and the repr of Input's messages contains the value.
    class Changed(Input.Changed):
        def __repr__(self) -> str:
            return _without_value(self)

    class Submitted(Input.Submitted):
        def __repr__(self) -> str:
            return _without_value(self)

    class Blurred(Input.Blurred):
        def __repr__(self) -> str:
            return _without_value(self)

    def __init__(self, **options: Any) -> None:
        """`options` are those of `Input`, but for `password`."""
        super().__init__(password=True, **options)

    def take(self) -> str:
        """Return the value and clear the field."""
        value = self.value
        self.clear()
        return value

    def action_copy(self) -> None:
        """Do nothing."""

    def action_cut(self) -> None:
        """Do nothing."""


def _without_value(message: Input.Changed | Input.Submitted | Input.Blurred) -> str:
    return f"{type(message).__qualname__}(input={message.input!r})"


class CodeInput(LineInput):
    """A field for a 6-digit code or a backup code.

    It accepts spaces and dashes, because an `Input` drops a paste that it refuses without any message.
    """

    def __init__(self, **options: Any) -> None:
        """`options` are those of `Input`."""
        options.setdefault("max_length", MAX_CODE_CHARS)
        super().__init__(restrict=r"[0-9A-Za-z \-]*", **options)

    @property
    def code(self) -> str:
        """The typed code without spaces and dashes."""
        return SEPARATORS.sub("", self.value)

    def take(self) -> str:
        """Return the code and clear the field."""
        code = self.code
        self.clear()
        return code

    def _on_paste(self, event: Paste) -> None:
        event.stop()
        event.prevent_default()
        self._insert_cleaned(event.text)

    def action_paste(self) -> None:
        self._insert_cleaned(self.app.clipboard)

    def _insert_cleaned(self, text: str) -> None:
        cleaned = NOT_IN_A_CODE.sub(" ", text).strip()[:MAX_CODE_CHARS]
        if not cleaned:
            self.app.bell()
            return
        self.replace(cleaned, *sorted(self.selection))
