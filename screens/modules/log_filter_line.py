"""The line in which a filter is typed, and the line below it: what may follow, or what is wrong and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Static

from screens.modules.log_filter import NAMES, suggest
from store.text import is_sanitized, sanitize
from store.values.usage import UsageChoices
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LENGTH: Final = 500
_SHOWN: Final = 8
"""Suggestions below the line."""
_EDGE_CELLS: Final = 1
"""The padding of an input."""
_HINT_EDGE_CELLS: Final = 1
"""The padding of the hint in its style."""


class _Completion(Suggester):
    """The rest of the word, in grey; Tab and the right arrow take it."""

    def __init__(self, line: FilterLine) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._line = line

    async def get_suggestion(self, value: str) -> str | None:
        return self._line.completion(value)


class FilterLine(TextInput):
    """Hidden until it is opened, and while a filter is applied it stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Apply", id="log.apply-filter", tooltip="Show only what matches"),
        Binding("tab", "complete", "Complete", id="log.complete-filter", tooltip="Take the grey rest of the word"),
        Binding("escape", "leave", "Close", id="log.close-filter", tooltip="Leave the filter as it was"),
    ]

    class Left(Message):
        """Esc was pressed in the line."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 (as every widget has it)
        placeholder = " ".join(f"{name}:" for name in NAMES)
        super().__init__(id=id, max_length=MAX_LENGTH, placeholder=placeholder, suggester=_Completion(self))
        self.choices = UsageChoices()
        self.display = False

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def completion(self, value: str) -> str | None:
        """`value` with the rest of its last word; None if nothing is known that begins so."""
        # The grey text is drawn as it is. A name that a terminal would obey is not offered.
        offered = (text for text in suggest(value, self.choices) if text.startswith(value))
        return next((text for text in offered if is_sanitized(text)), None)

    def action_complete(self) -> None:
        completed = self.completion(self.value)
        if completed is not None:
            self.value, self.cursor_position = completed, len(completed)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "complete":
            # Without a word to complete, Tab goes on to the table.
            is_word = self.cursor_at_end and self.value[-1:].strip() != ""
            return is_word and self.completion(self.value) not in (None, self.value)
        return super().check_action(action, parameters)

    @property
    def suggestions(self) -> list[str]:
        """The words that the last word may become."""
        return [text.rpartition(" ")[2] for text in suggest(self.value, self.choices)]

    def cells_before(self, index: int) -> int:
        """The cells on the screen, from the left edge of the line, before the character at `index`."""
        return max(0, _EDGE_CELLS + cell_len(self.value[:index]) - int(self.scroll_offset.x))


class FilterHint(Static):
    """Hidden while there is nothing to say."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 (as every widget has it)
        super().__init__("", id=id, markup=False)
        self.display = False

    def show_suggestions(self, suggestions: Sequence[str]) -> None:
        """Names or values for the last word; → takes the first one."""
        shown = "  ".join(sanitize(text, 60) for text in suggestions[:_SHOWN])
        more = "  …" if len(suggestions) > _SHOWN else ""
        self._show(Content.styled(f"{shown}{more}", "$foreground-muted") if shown else Content(""))

    def show_fault(self, sentence: str, start: int, length: int) -> None:
        """A caret below the place at fault, and the sentence. `start` is in cells."""
        room = max(1, self.app.size.width - start - 4)
        carets = " " * (start - _HINT_EDGE_CELLS) + "^" * min(max(1, length), room)
        self._show(Content.styled(f"{carets}\n{sanitize(sentence)}", "$text-error"))

    def clear(self) -> None:
        self._show(Content(""))

    def _show(self, content: Content) -> None:
        self.display = bool(content.plain)
        self.update(content)
