"""Comments in a stream that is silent: none within an event, none counted, none before the head or after the end."""

import asyncio
from collections.abc import Callable
from typing import Final

import httpx
import pytest
from starlette.types import Message

from gateway.relay import streaming_response
from gateway.relay.keep_alive import KEEP_ALIVE_COMMENT, KeepAlive
from store.store import Store
from tests.fakes.scripted_model_server import DONE, USED, Chunks, ModelServer, answer, event, said
from tests.harness.gateway_client import client_of, make_relayed
from tests.harness.usage_log import entry_of
from tests.unit.gateway.relay.stream_clients import (
    PATIENCE,
    STREAMED,
    THOUGHT,
    Taker,
    calling,
    of_events,
    until,
)

SOON: Final = 0.01
"""Seconds of silence after which the tests' streams get a comment."""


def bodies(taken: list[Message]) -> list[bytes]:
    return [message["body"] for message in taken if message["type"] == "http.response.body"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of silence that each stream was told, which are `SOON` instead."""
    asked: list[float] = []

    def make(seconds: float, send_comment: Callable[[], asyncio.Future[None]]) -> KeepAlive:
        asked.append(seconds)
        return KeepAlive(SOON, send_comment)

    monkeypatch.setattr(streaming_response, "KeepAlive", make)
    return asked


@pytest.mark.parametrize("seconds", [0, 7, 15])
async def test_a_silent_stream_gets_comments_and_is_charged_as_without(
    store: Store, asked: list[float], seconds: int
) -> None:
    key, taker, thought = make_relayed(store), Taker(), asyncio.Event()
    if seconds != 15:
        store.site.set("relay.keep_alive_seconds", str(seconds))
    async with calling(store, key, of_events(Chunks([said("one"), thought, said("two"), DONE])), taker.send) as call:
        await until(lambda: taker.taken[-1:] != [] and bodies(taker.taken).count(KEEP_ALIVE_COMMENT) >= 2)
        thought.set()
        await asyncio.wait_for(call, PATIENCE)
    sent = bodies(taker.taken)
    assert [each for each in sent if each != KEEP_ALIVE_COMMENT] == [said("one"), said("two"), DONE]
    assert sent[-1] == DONE
    assert taker.taken[-1]["more_body"] is False
    assert asked == [seconds]
    entry = entry_of(store)
    assert (entry.status, entry.completion_tokens) == ("ok", 2)


async def test_half_an_event_is_not_broken_by_a_comment(store: Store, asked: list[float]) -> None:
    key, taker, thought, whole = make_relayed(store), Taker(), asyncio.Event(), said("a long word")
    chunks = Chunks([said("x"), whole[:20], thought, whole[20:], USED, DONE])
    async with calling(store, key, of_events(chunks), taker.send) as call:
        await until(lambda: KEEP_ALIVE_COMMENT in bodies(taker.taken))
        thought.set()
        await asyncio.wait_for(call, PATIENCE)
    assert whole in b"".join(bodies(taker.taken))


async def test_the_status_of_a_slow_model_server_reaches_the_client(store: Store, asked: list[float]) -> None:
    """Before the model server has answered there is no head, and so no comment: it may still refuse."""

    class Slow(ModelServer):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(10 * SOON)
            return answer({"error": {"message": "Too many.", "code": "rate_limit_exceeded"}}, status=429)

    async with client_of(store, token=make_relayed(store), upstream=Slow()) as client:
        refused = await client.post("/v1/chat/completions", json=STREAMED)
    assert (refused.status_code, refused.json()["error"]["message"]) == (429, "Too many.")
    assert asked == []


async def test_a_client_that_takes_no_comment_is_let_go_and_the_stream_read_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, asked: list[float], noticed: asyncio.Event
) -> None:
    monkeypatch.setattr(streaming_response, "SEND_TIMEOUT_S", 0.05)
    taker = Taker(2)
    chunks = Chunks([said("one"), noticed, said("two"), event({"choices": [], "usage": THOUGHT}), DONE])
    async with calling(store, make_relayed(store), of_events(chunks), taker.send) as call:
        await asyncio.wait_for(call, PATIENCE)
    entry = entry_of(store)
    assert (entry.status, entry.completion_tokens) == ("client_gone", 900)


async def test_an_event_waits_for_the_comment_before_it(store: Store, asked: list[float]) -> None:
    sent: list[bytes] = []
    is_stuck, goes_on, thought = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def send(message: Message) -> None:
        if message.get("body") == KEEP_ALIVE_COMMENT and not is_stuck.is_set():
            is_stuck.set()
            thought.set()
            await goes_on.wait()
        sent.append(message.get("body", b"head"))

    chunks = Chunks([said("one"), thought, said("two"), USED, DONE])
    async with calling(store, make_relayed(store), of_events(chunks), send) as call:
        await is_stuck.wait()
        for _ in range(50):
            await asyncio.sleep(0)
        assert sent == [b"head", said("one")]
        goes_on.set()
        await asyncio.wait_for(call, PATIENCE)
    assert sent[:4] == [b"head", said("one"), KEEP_ALIVE_COMMENT, said("two")]


async def test_no_comment_is_sent_without_silence_to_break() -> None:
    sent = 0

    async def send() -> None:
        nonlocal sent
        sent += 1

    never = KeepAlive(0, send)
    never.start()
    stopped = KeepAlive(SOON, send)
    stopped.start()
    stopped.stop()
    busy = KeepAlive(3600, send)
    busy.start()
    await asyncio.sleep(5 * SOON)
    busy.stop()
    assert sent == 0
