"""A chat answer that is being given, as an asynchronous iterator over its parts; and the request for one."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from store.chat_text import ChatText
from store.errors import AnswerUnreadable, GatekeyError
from store.values.playground import AnswerPart, ChatTurn, PlaygroundQuestion, Speaker

_INLINE_BYTES: Final = 64 * 1024
"""A longer event is parsed in a thread: parsing it would hold the screen up."""
UNREAD: Final = "A part of the answer could not be read, and is not shown."


class RunningAnswer(ABC):
    """One answer: an asynchronous iterator over its parts, the last of which is an `AnswerEnd`. Iterate over it once.

    Iterating raises the error of a question that failed before the first part of its answer.
    """

    def __init__(self, question: PlaygroundQuestion) -> None:
        self._question = question
        self._parts: asyncio.Queue[AnswerPart | GatekeyError | None] = asyncio.Queue()
        self._stopped = asyncio.Event()
        self._text = ChatText()
        self._started_at = time.perf_counter()
        self._first_token_ms: int | None = None
        self._has_unread = False
        """True if a part of the answer could not be read, and is not shown."""
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def _answer(self) -> None:
        """Ask, and put the parts into the queue. Raises the error that stands in the place of an answer."""

    def stop(self) -> None:
        """Ask for no more. What came is kept, and the `AnswerEnd` follows."""
        self._stopped.set()

    async def aclose(self) -> None:
        """End the iteration at once."""
        self.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def __aiter__(self) -> AsyncIterator[AnswerPart]:
        self._task = asyncio.create_task(self._run())
        while (part := await self._parts.get()) is not None:
            if isinstance(part, GatekeyError):
                raise part
            yield part
        self._task.result()

    async def _run(self) -> None:
        try:
            await self._answer()
        except GatekeyError as error:
            self._parts.put_nowait(error)
        finally:
            # The last item ends the iteration, which then raises an unforeseen error of this task.
            self._parts.put_nowait(None)

    async def _parsed(self, data: bytes, parse: Callable[[bytes], object]) -> dict[str, Any]:
        """The JSON object in `data`; an empty one, and a note of it, for what is none."""
        try:
            found = parse(data) if len(data) <= _INLINE_BYTES else await asyncio.to_thread(parse, data)
        except (ValueError, RecursionError, AnswerUnreadable):
            found = None
        if isinstance(found, dict):
            return found
        self._has_unread = True
        return {}

    def _put_texts(self, document: dict[str, Any]) -> None:
        for piece in self._text.pieces(document):
            if self._first_token_ms is None:
                self._first_token_ms = self._elapsed_ms()
            self._parts.put_nowait(piece)

    def _elapsed_ms(self) -> int:
        return int((time.perf_counter() - self._started_at) * 1000)


def chat_request(question: PlaygroundQuestion) -> dict[str, Any]:
    """The body of the request that asks `question`, for an answer as a stream."""
    system = (ChatTurn(Speaker.SYSTEM, question.system_prompt),) if question.system_prompt else ()
    body: dict[str, Any] = {
        "model": question.model,
        "messages": [{"role": turn.speaker.value, "content": turn.text} for turn in (*system, *question.turns)],
        "stream": True,
    }
    if question.temperature is not None:
        body["temperature"] = question.temperature
    if question.max_tokens is not None:
        body["max_tokens"] = question.max_tokens
    return body
