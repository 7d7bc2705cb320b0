"""One message of a chat: of the person, or of a model while it is written."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static

from store.money import show_usd
from store.text import sanitize, sanitize_lines
from store.values.playground import AnswerEnd, AnswerImage, AnswerText
from tui.screen_workers import WorkWhileShown

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME_S: Final = 1 / 20
"""Seconds between two drawings of an answer that is being written."""
REST_RATIO: Final = 4
"""The pause after a drawing, as a multiple of its time: a long paragraph is parsed again at each."""
_MAX_REASONING_CHARACTERS: Final = 400
"""The end of a model's reasoning that is shown while it thinks."""


class QuestionEntry(WorkWhileShown, Vertical):
    """A message of the person."""

    def __init__(self, text: str) -> None:
        super().__init__(classes="chat-entry")
        self.text = text

    def compose(self) -> ComposeResult:
        yield Static("You", classes="chat-speaker -you")
        yield Static(sanitize_lines(self.text), markup=False)


class AnswerEntry(WorkWhileShown, Vertical):
    """An answer. Its Markdown is drawn as it comes, at most every `FRAME_S` seconds."""

    def __init__(self, model: str, *, grown: Callable[[], None]) -> None:
        """`grown` is called after the entry has become longer."""
        super().__init__(classes="chat-entry")
        self.text = ""
        """The answer so far, as the model server sent it."""
        self.images: list[bytes] = []
        """Images that came as bytes."""
        self._model = model
        self._grown = grown
        self._reasoning = ""
        self._waiting: list[str] = []
        self._is_drawing = False
        self._has_state = False
        """True once the answer has ended."""

    def compose(self) -> ComposeResult:
        yield Static(sanitize(self._model, 60), classes="chat-speaker", markup=False)
        yield Static("", classes="chat-reasoning muted -hidden", markup=False)
        # A link in an answer opens nothing.
        yield Markdown(open_links=False, classes="chat-answer")
        yield Static("waiting for the model…", classes="chat-state muted", markup=False)

    def take(self, part: AnswerText | AnswerImage | AnswerEnd) -> None:
        """Show the next part of the answer."""
        match part:
            case AnswerText(piece, is_reasoning=True):
                self.add_reasoning(piece)
            case AnswerText(piece):
                self.add(piece)
            case AnswerImage(url, data):
                self.add_image(url, data)
            case AnswerEnd():
                self.finish(part)

    def add(self, text: str) -> None:
        """Draw `text` behind what has come, soon."""
        self.text += text
        self._waiting.append(_shown(text))
        self._begin_to_draw()

    @property
    def shown_text(self) -> str:
        """The answer as it is drawn: without characters that a terminal would obey."""
        return _shown(self.text)

    def add_reasoning(self, text: str) -> None:
        """Show that the model thinks, by the end of its reasoning."""
        self._reasoning = (self._reasoning + text)[-_MAX_REASONING_CHARACTERS:]
        self._begin_to_draw()

    def add_image(self, url: str, data: bytes) -> None:
        """Show the address of an image, or its size."""
        if data:
            self.images.append(data)
            self.add(f"An image of {len(data):,} bytes. Press w to save it.\n\n")
        else:
            self.add(f"`{sanitize(url).replace('`', '%60')}`\n\n")

    def finish(self, end: AnswerEnd) -> None:
        """Show what the answer cost, and how it ended."""
        figures = [f"{end.prompt_tokens:,} in", f"{end.completion_tokens:,} out"]
        figures.append("cost not booked yet" if end.cost_micro_usd is None else _cost(end.cost_micro_usd))
        if end.first_token_ms is not None:
            figures.append(f"first token {_duration(end.first_token_ms)}")
        figures.append(_duration(end.duration_ms))
        state = Content.styled(" · ".join(figures), "$text-muted")
        if end.detail:
            is_bad = end.status not in ("ok", "client_gone")
            mark = ("✗ ", "$text-error") if is_bad else ("▲ ", "$text-warning")
            state = Content.assemble(mark, (sanitize(end.detail), "$foreground"), "\n", state)
        self._show_state(state)

    def fail(self, sentence: str) -> None:
        """Show why there is no answer."""
        self._show_state(Content.assemble(("✗ ", "$text-error"), (sanitize(sentence), "$foreground")))

    async def _append(self, text: str) -> None:
        await self.query_one(Markdown).append(text)
        self._grown()

    def _show_writing(self) -> None:
        if not self._has_state:
            self.query_one(".chat-state", Static).update("writing… esc stops")

    def _show_state(self, state: Content) -> None:
        self._has_state = True
        self.query_one(".chat-state", Static).update(state)
        self.query_one(".chat-reasoning", Static).set_class(not self._reasoning or bool(self.text), "-hidden")
        self._grown()

    def _begin_to_draw(self) -> None:
        if not self._is_drawing and self.is_mounted:
            self._is_drawing = True
            self.run_worker(self._draw, group="draw")

    async def _draw(self) -> None:
        drawn_reasoning = ""
        try:
            while self._waiting or self._reasoning != drawn_reasoning:
                began = time.perf_counter()
                text, drawn_reasoning = "".join(self._waiting), self._reasoning
                self._waiting.clear()
                if drawn_reasoning:
                    thought = self.query_one(".chat-reasoning", Static)
                    thought.update(sanitize_lines(drawn_reasoning))
                    thought.set_class(bool(self.text), "-hidden")
                if text:
                    self._show_writing()
                    await self._append(text)
                await asyncio.sleep(max(FRAME_S, REST_RATIO * (time.perf_counter() - began)))
        finally:
            self._is_drawing = False


def _shown(text: str) -> str:
    # A line break of two characters is one, and a terminal draws a symbol without its variation selector.
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufe0f", "")
    return sanitize_lines(plain, len(plain) + 1)


def _duration(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _cost(micro_usd: int) -> str:
    return show_usd(micro_usd, exact=True) if micro_usd else "free"
