"""An answer that is being given: its parts in their order, its errors, and its end."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from store.errors import NoSuchItem
from store.running_answer import RunningAnswer, chat_request
from store.values.playground import AnswerText, ChatTurn, PlaygroundQuestion, Speaker

QUESTION: Final = PlaygroundQuestion("gpt-5", (ChatTurn(Speaker.USER, "Why?"),))
PATIENCE: Final = 60.0


class Scripted(RunningAnswer):
    """Gives the texts of `events`, one after the other, and then raises `error` if there is one."""

    def __init__(self, *events: bytes, error: Exception | None = None, waits: bool = False) -> None:
        super().__init__(QUESTION)
        self._events, self._error, self._waits = events, error, waits

    async def _answer(self) -> None:
        for event in self._events:
            self._put_texts(await self._parsed(event, json.loads))
        if self._waits:
            await self._stopped.wait()
        if self._error is not None:
            raise self._error

    @property
    def has_unread(self) -> bool:
        return self._has_unread

    @property
    def first_token_ms(self) -> int | None:
        return self._first_token_ms


def event(text: str) -> bytes:
    return json.dumps({"choices": [{"delta": {"content": text}}]}).encode()


async def texts(answer: RunningAnswer) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        return [part.text async for part in answer if isinstance(part, AnswerText)]


async def test_the_parts_come_in_their_order_also_those_that_a_thread_has_parsed() -> None:
    answer = Scripted(event("a"), event("b" * 100_000), event("c"))
    assert await texts(answer) == ["a", "b" * 100_000, "c"]
    assert answer.first_token_ms is not None
    assert not answer.has_unread


@pytest.mark.parametrize("broken", [b"{", b"[1]", b"[" * 200_000])
async def test_a_part_that_cannot_be_read_is_left_out_and_noted(broken: bytes) -> None:
    answer = Scripted(event("a"), broken, event("b"))
    assert await texts(answer) == ["a", "b"]
    assert answer.has_unread


@pytest.mark.parametrize("error", [NoSuchItem("There is no such model."), LookupError("a fault")])
async def test_an_error_is_raised_after_the_parts_before_it(error: Exception) -> None:
    parts = aiter(Scripted(event("a"), error=error))
    assert await anext(parts) == AnswerText("a")
    with pytest.raises(type(error)):
        await anext(parts)


@pytest.mark.parametrize("end", [Scripted.stop, Scripted.aclose])
async def test_who_stops_it_keeps_what_came(end: Callable[[Scripted], Any]) -> None:
    answer = Scripted(event("a"), waits=True)
    parts = aiter(answer)
    assert await anext(parts) == AnswerText("a")
    if (ending := end(answer)) is not None:
        await ending
    else:
        with pytest.raises(StopAsyncIteration):
            await anext(parts)
    await parts.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_an_answer_that_was_never_begun_can_be_closed() -> None:
    await Scripted().aclose()


@pytest.mark.parametrize(
    ("question", "more"),
    [
        (QUESTION, {}),
        (QUESTION._replace(temperature=0.0, max_tokens=7), {"temperature": 0.0, "max_tokens": 7}),
    ],
)
def test_a_request_names_what_the_question_sets(question: PlaygroundQuestion, more: dict[str, object]) -> None:
    messages = [{"role": "user", "content": "Why?"}]
    assert chat_request(question) == {"model": "gpt-5", "messages": messages, "stream": True, **more}
    system = {"role": "system", "content": "Be brief."}
    assert chat_request(question._replace(system_prompt="Be brief."))["messages"] == [system, *messages]
