"""The messages of a chat: a question and its answer, one pair below the other."""

from __future__ import annotations

from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from screens.modules.chat_entry import AnswerEntry, QuestionEntry

_EMPTY: Final = (
    "Ask a model anything. Your message goes through the gateway like any call: it is charged, logged and limited. "
    "Choose the model with m and who pays with a; o has the system prompt, the temperature and the longest answer."
)


class ChatLog(VerticalScroll):
    """The end stays in view until the person scrolls up, and again once they are back."""

    def __init__(self, **options: Any) -> None:
        """`options` are those of `VerticalScroll`."""
        super().__init__(**options)
        self._follows = True

    def compose(self) -> ComposeResult:
        yield Static(_EMPTY, id="chat-empty", classes="muted", markup=False)

    def follow(self) -> None:
        """Scroll to the end, unless the person has scrolled up."""
        if self._follows:
            self.scroll_end(animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._follows = self.is_vertical_scroll_end

    async def ask(self, text: str, model: str) -> AnswerEntry:
        """Show a question, and the entry in which its answer will appear."""
        entry = AnswerEntry(model, grown=self.follow)
        self.query_one("#chat-empty").display = False
        await self.mount(QuestionEntry(text), entry)
        self.follow()
        return entry

    def clear(self) -> None:
        """Forget all messages."""
        self.query(QuestionEntry).remove()
        self.query(AnswerEntry).remove()
        self.query_one("#chat-empty").display = True

    @property
    def last_answer(self) -> str:
        """The last answer that has words, as it is drawn; empty if there is none."""
        answers = [entry for entry in self.query(AnswerEntry) if entry.text]
        return answers[-1].shown_text if answers else ""

    @property
    def images(self) -> list[bytes]:
        """All images that came as bytes, the oldest first."""
        return [image for entry in self.query(AnswerEntry) for image in entry.images]

    def as_markdown(self) -> str:
        """The whole chat as the text of a file; empty without a message."""
        entries = [entry for entry in self.query(".chat-entry") if isinstance(entry, QuestionEntry | AnswerEntry)]
        said = ((entry, entry.text if isinstance(entry, QuestionEntry) else entry.shown_text) for entry in entries)
        return "\n".join(
            f"## {'You' if isinstance(entry, QuestionEntry) else 'Model'}\n\n{text}\n" for entry, text in said
        )
