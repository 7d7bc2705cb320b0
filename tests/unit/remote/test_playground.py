"""Questions to models: streams and whole answers, what breaks off, what is refused, and the cost by the log."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from remote.client import RemoteClient
from store.errors import (
    AnswerLost,
    AnswerUnreadable,
    InvalidApiKey,
    ModelNotPriced,
    ServerUnreachable,
    SessionEnded,
    UpstreamFailed,
)
from store.values.playground import AnswerEnd, AnswerPart, AnswerText, ChatTurn, PlaygroundQuestion, Speaker
from store.values.usage import Kind
from tests.harness.scripted_server import Body, ScriptedServer, answer, aug_server, raw, signed_in
from tests.harness.standin_clients import client_on
from tests.new_api.accounts import Account
from tests.new_api.api_keys import OFF, add_key
from tests.new_api.running import StandIn

QUESTION = PlaygroundQuestion("stub-model", (ChatTurn(Speaker.USER, "hi"),))
STREAM = {"content-type": "text/event-stream", "x-oneapi-request-id": "r-1"}
SECRET = "x" * 48


def text_of(parts: list[AnswerPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, AnswerText))


def end_of(parts: list[AnswerPart]) -> AnswerEnd:
    last = parts[-1]
    assert isinstance(last, AnswerEnd)
    return last


async def asked(client: RemoteClient, question: PlaygroundQuestion = QUESTION, key_id: int = 1) -> list[AnswerPart]:
    return [part async for part in client.playground.ask(key_id, question)]


def event(content: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": content}}]}).encode() + b"\n\n"


async def scripted(reply: Any) -> tuple[ScriptedServer, RemoteClient]:
    """A server that answers a question with `reply`, and a client with a session there."""
    server = aug_server()
    client = await signed_in(server)
    server.script("POST /api/token/1/key", answer({"key": SECRET}))
    server.script("GET /api/log/self", answer({"total": 0, "items": []}))
    server.script("POST /v1/chat/completions", reply)
    return server, client


def key_of(standin: StandIn, account: Account, **facts: Any) -> int:
    key = add_key(standin.world, account, name="laptop", expired_time=-1, unlimited_quota=True, **facts)
    return int(key["id"])


# -- on servers of both generations -----------------------------------------------------------------------------


async def test_an_answer_is_streamed_and_its_cost_is_that_of_the_log(standin: StandIn) -> None:
    key = key_of(standin, standin.alice)
    turns = (*QUESTION.turns, ChatTurn(Speaker.ASSISTANT, "Hello."), ChatTurn(Speaker.USER, "again"))
    question = PlaygroundQuestion("stub-model", turns, system_prompt="be brief", temperature=0.5, max_tokens=9)
    async with client_on(standin) as client:
        parts = await asked(client, question, key)
        assert [part.text for part in parts[:-1] if isinstance(part, AnswerText)] == [
            *("Hello", " from", " the", " stub", "."),
        ]
        end = end_of(parts)
        assert (end.kind, end.status, end.detail) == (Kind.CONSUMPTION, "ok", "")
        assert (end.prompt_tokens, end.completion_tokens, end.cost_micro_usd) == (1000, 500, 3000)
        assert end.first_token_ms is not None
        assert end.request_id == standin.world.logs[-1]["request_id"]
    assert standin.unlike_recorded == []


async def test_refusals_are_told_before_the_first_part(standin: StandIn) -> None:
    key, off = key_of(standin, standin.alice), key_of(standin, standin.alice, status=OFF)
    async with client_on(standin) as client:
        for model, number, kind in (
            ("free-model", key, ModelNotPriced),
            ("boom-model", key, UpstreamFailed),
            ("stub-model", off, InvalidApiKey),
            ("stub-model", 99, InvalidApiKey),
        ):
            with pytest.raises(kind):
                await asked(client, PlaygroundQuestion(model, QUESTION.turns), number)
        await client.sign_out()
        with pytest.raises(SessionEnded):
            await asked(client, key_id=key)


async def test_a_stopped_answer_keeps_what_came(standin: StandIn) -> None:
    key = key_of(standin, standin.alice)
    rest = standin.faults.pause_stream("/v1/chat")
    async with client_on(standin) as client:
        answer = client.playground.ask(key, QUESTION)
        parts: list[AnswerPart] = []
        async for part in answer:
            parts.append(part)
            answer.stop()
        rest.set()
        assert text_of(parts) == "Hello"
        assert end_of(parts).detail.startswith("You stopped the answer.")
        assert end_of(parts).cost_micro_usd == 3000


# -- against a script ---------------------------------------------------------------------------------------------


async def test_the_key_goes_to_the_server_alone_and_is_in_no_repr() -> None:
    server, client = await scripted(raw(307, b"", {"location": "https://evil.example/v1"}))
    with pytest.raises(AnswerUnreadable, match=r"evil\.example"):
        await asked(client)
    (sent,) = server.asked("POST /v1/chat/completions")
    assert sent.headers["authorization"] == f"Bearer sk-{SECRET}"
    assert all(one.url.host == "api.example.com" for one in server.seen)
    assert SECRET not in repr(client.playground.ask(1, QUESTION)) + repr(vars(client.playground))


async def test_an_answer_that_is_no_stream_is_read_whole() -> None:
    document = {"choices": [{"message": {"content": "whole", "reasoning_content": "hm"}}]}
    _, client = await scripted(raw(200, json.dumps(document).encode(), {"content-type": "application/json"}))
    parts = await asked(client)
    assert parts[0] == AnswerText("hm", is_reasoning=True)
    assert parts[1] == AnswerText("whole")
    assert end_of(parts).cost_micro_usd is None


class Breaks(Body):
    """A body whose connection breaks off behind its pieces."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        raise httpx.ReadError("gone")


async def test_what_came_before_a_break_is_kept_with_the_reason() -> None:
    _, client = await scripted(lambda _: httpx.Response(200, headers=STREAM, stream=Breaks([event("half")])))
    parts = await asked(client)
    assert text_of(parts) == "half"
    end = end_of(parts)
    assert (end.kind, end.status) == (Kind.ERROR, "error")
    assert "api.example.com" in end.detail
    assert "may be charged" in end.detail


async def test_a_break_before_the_first_part_is_a_failure() -> None:
    _, client = await scripted(lambda _: httpx.Response(200, headers=STREAM, stream=Breaks([])))
    with pytest.raises(AnswerLost, match="may be charged"):
        await asked(client)


async def test_a_question_that_did_not_leave_is_not_said_to_be_charged() -> None:
    _, client = await scripted(httpx.ConnectError("refused"))
    with pytest.raises(ServerUnreachable) as failure:
        await asked(client)
    assert "charged" not in str(failure.value)


async def test_an_error_in_the_stream_ends_it_without_the_words_of_the_server() -> None:
    error = b'data: {"error":{"message":"SECRET WORDS","code":"boom"}}\n\n'
    _, client = await scripted(raw(200, event("half") + error, STREAM))
    end = end_of(await asked(client))
    assert "boom" in end.detail
    assert "SECRET WORDS" not in end.detail


async def test_what_cannot_be_read_is_said() -> None:
    _, client = await scripted(raw(200, event("a") + b"data: {half\n\n" + event("b") + b"data: [DONE]\n\n", STREAM))
    parts = await asked(client)
    assert text_of(parts) == "ab"
    assert "could not be read" in end_of(parts).detail


@pytest.mark.parametrize("headers", [STREAM | {"content-encoding": "br"}, {"content-type": "text/html"}])
async def test_a_packed_answer_and_a_page_are_not_read(headers: dict[str, str]) -> None:
    _, client = await scripted(raw(200, b"<html>", headers))
    with pytest.raises(AnswerUnreadable):
        await asked(client)


async def test_an_answer_beyond_the_bound_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote.playground.MAX_ANSWER_BYTES", 100)
    body = Body([event("x" * 10)] * 50)
    _, client = await scripted(lambda _: httpx.Response(200, headers=STREAM, stream=body))
    parts = await asked(client)
    assert "longer than any" in end_of(parts).detail
    assert body.is_closed


async def test_the_log_is_looked_into_a_few_times_and_a_failure_there_loses_no_answer() -> None:
    row = {"type": 2, "request_id": "r-1", "quota": 500, "prompt_tokens": 3, "completion_tokens": 4}
    server, client = await scripted(raw(200, event("a"), STREAM))
    empty = answer({"total": 0, "items": []})
    another = row | {"request_id": "r-2", "quota": 9}
    server.script("GET /api/log/self", empty, answer({"total": 1, "items": [another, row]}))
    end = end_of(await asked(client))
    assert (end.cost_micro_usd, end.prompt_tokens, end.completion_tokens) == (1000, 3, 4)
    assert len(server.asked("GET /api/log/self")) == 2
    server.script("GET /api/log/self", raw(500))
    end = end_of(await asked(client))
    assert (end.cost_micro_usd, end.detail) == (None, "")


async def test_an_answer_that_is_left_leaves_no_task() -> None:
    body = Body([event("a"), event("b")])
    _, client = await scripted(lambda _: httpx.Response(200, headers=STREAM, stream=body))
    before = asyncio.all_tasks()
    answer = client.playground.ask(1, QUESTION)
    async for _ in answer:
        break
    await answer.aclose()
    assert asyncio.all_tasks() == before
    await client.playground.ask(1, QUESTION).aclose()


async def test_a_question_that_is_stopped_before_it_was_sent_is_free() -> None:
    server, client = await scripted(raw(200, event("a"), STREAM))
    answer = client.playground.ask(1, QUESTION)
    answer.stop()
    with_nothing = [part async for part in answer]
    assert end_of(with_nothing).cost_micro_usd == 0
    assert server.asked("POST /v1/chat/completions") == []
