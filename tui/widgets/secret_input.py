"""Inputs for what nobody else may read or copy: passwords, and the codes of a second factor."""

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from textual.events import Paste
from textual.validation import ValidationResult
from textual.widgets import Input

from tui.widgets.line_input import LineInput

NOT_IN_A_CODE: Final = re.compile(r"[^0-9A-Za-z \-]+")
SEPARATORS: Final = re.compile(r"[\s\-]+")
LONGEST_CODE: Final = 64
"""Characters: more than any backup code with its separators."""


class SecretInput(LineInput):
    """A password field. Nothing typed here can be copied, cut, or read in a log of messages."""

    ALLOW_SELECT: ClassVar[bool] = False

    # Textual writes messages to its log with their repr, and its own hold the value in plain text.
    @dataclass
    class Changed(Input.Changed):
        value: str = field(repr=False)
        validation_result: ValidationResult | None = field(default=None, repr=False)

    @dataclass
    class Submitted(Input.Submitted):
        value: str = field(repr=False)
        validation_result: ValidationResult | None = field(default=None, repr=False)

    @dataclass
    class Blurred(Input.Blurred):
        value: str = field(repr=False)
        validation_result: ValidationResult | None = field(default=None, repr=False)

    def __init__(self, **options: Any) -> None:
        """`options` are those of `Input`, but for `password`."""
        super().__init__(password=True, **options)

    def take(self) -> str:
        """The value; the field is empty afterwards."""
        value = self.value
        self.clear()
        return value

    def action_copy(self) -> None:
        """A password cannot be copied."""

    def action_cut(self) -> None:
        """A password cannot be cut."""


class CodeInput(LineInput):
    """A field for a 6-digit code or a backup code, as apps show them and people paste them.

    Spaces and dashes are accepted, because a paste that an `Input` refuses vanishes without a word.
    """

    def __init__(self, **options: Any) -> None:
        """`options` are those of `Input`."""
        options.setdefault("max_length", LONGEST_CODE)
        super().__init__(restrict=r"[0-9A-Za-z \-]*", **options)

    @property
    def code(self) -> str:
        """What was typed, without spaces and dashes."""
        return SEPARATORS.sub("", self.value)

    def take(self) -> str:
        """The code; the field is empty afterwards."""
        code = self.code
        self.clear()
        return code

    def _on_paste(self, event: Paste) -> None:
        event.stop()
        event.prevent_default()
        self._insert_tidied(event.text)

    def action_paste(self) -> None:
        self._insert_tidied(self.app.clipboard)

    def _insert_tidied(self, text: str) -> None:
        tidied = NOT_IN_A_CODE.sub(" ", text).strip()[:LONGEST_CODE]
        if not tidied:
            self.app.bell()
            return
        self.replace(tidied, *sorted(self.selection))
