"""Streams whose clients take their time: each gives back what it holds, and one account leaves room for the others."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.relay import concurrency_limiter, streaming_response
from store.store import Store
from store.values.usage import Kind
from tests.fakes import model_server
from tests.fakes.scripted_model_server import DONE, USED, Chunks, ModelServer, event, said, stream
from tests.harness.gateway_client import client_of, make_relayed
from tests.harness.live_servers import live
from tests.harness.stores import add_account, sign_in
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


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_a_client_that_took_nothing_was_let_go(store: Store, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(streaming_response, "SEND_TIMEOUT_S", 0.05, raising=False)
    key, chunks, taker = make_relayed(store), Chunks([said("x")] * 50), Taker(most)
    async with calling(store, key, of_events(chunks), taker.send) as call:
        done, _ = await asyncio.wait({call}, timeout=PATIENCE)
        assert done
        assert chunks.is_closed
        entry = entry_of(store)
    assert (entry.status, entry.detail) == (
        "client_gone",
        "The client took nothing for too long; what it had been sent was counted.",
    )


async def test_a_client_that_took_its_time_was_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming_response, "SEND_TIMEOUT_S", 0.4, raising=False)
    key, taker = make_relayed(store), Taker(pause=0.05)
    async with calling(store, key, of_events(Chunks([*[said("x")] * 20, USED, DONE])), taker.send) as call:
        await asyncio.wait_for(call, PATIENCE)
    assert entry_of(store).status == "ok"
    assert taker.taken[-1]["body"] == DONE


async def test_a_model_server_that_was_silent_was_not_the_clients_doing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming_response, "SEND_TIMEOUT_S", 0.05, raising=False)
    key, taker, thought = make_relayed(store), Taker(), asyncio.Event()
    async with calling(store, key, of_events(Chunks([said("x"), thought, USED, DONE])), taker.send) as call:
        await asyncio.sleep(0.3)
        thought.set()
        await asyncio.wait_for(call, PATIENCE)
    assert entry_of(store).status == "ok"


async def test_a_failure_nobody_took_kept_no_connection(store: Store) -> None:
    chunks, taker = Chunks([said("x"), httpx.ReadError("broken")]), Taker(2)
    async with calling(store, make_relayed(store), of_events(chunks), taker.send) as call:
        await until(lambda: taker.is_stuck)
        assert chunks.is_closed
        assert not call.done()
        assert entry_of(store).status == "upstream_broken"


async def test_one_account_left_places_for_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency_limiter, "MAX_CALLS_PER_ACCOUNT", 2)
    key, open_ones, end = make_relayed(store), 0, asyncio.Event()
    add_account(store, "bob", email="bob@example.com")
    other = {"Authorization": f"Bearer {store.api_keys.create(sign_in(store, 'bob'), 'key').key}"}

    def reply(_: httpx.Request) -> httpx.Response:
        nonlocal open_ones
        open_ones += 1
        return stream(said("x"), end, USED, DONE) if open_ones < 3 else stream(said("x"), USED, DONE)

    async with client_of(store, token=key, upstream=ModelServer(reply)) as client:

        async def call(**headers: str) -> httpx.Response:
            return await client.post("/v1/chat/completions", json=STREAMED, headers=headers)

        first = [asyncio.create_task(call()) for _ in range(2)]
        await until(lambda: open_ones == 2)
        refused, others = await call(), await call(**other)
        end.set()
        assert [(await each).status_code for each in first] == [200, 200]
        again = await call()
    assert (refused.status_code, others.status_code, again.status_code) == (429, 200, 200)
    assert refused.headers["retry-after"] == "5"
    assert refused.json()["error"] == {
        "message": "This account has 2 calls under way, which is as many as it may have. Try again when one has ended.",
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert store.quota.state(sign_in(store)).held_micro_usd == 0
    statuses = [logged.entry.status for logged in store.usage.page(sign_in(store)).entries]
    assert sorted(statuses) == ["ok", "ok", "ok", "rate_limit_exceeded"]


# -- a client that left -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["closed", "stalled", "broke"])
@pytest.mark.parametrize("place", ["in one chunk", "in many"])
@pytest.mark.parametrize("last", [1, 3])
async def test_what_a_model_thought_was_charged_to_a_client_that_left_before_it_was_told(
    store: Store, monkeypatch: pytest.MonkeyPatch, noticed: asyncio.Event, way: str, place: str, last: int
) -> None:
    monkeypatch.setattr(streaming_response, "SEND_TIMEOUT_S", 0.05 if way == "stalled" else PATIENCE)
    leaves, taken = asyncio.Event(), 0

    async def send(_: Message) -> None:
        nonlocal taken
        taken += 1
        if taken == last:
            if way == "closed":
                leaves.set()
            if way == "stalled":
                await asyncio.Future[None]()
            if way == "broke":
                raise OSError

    rest = [said("three"), said("four"), event({"choices": [], "usage": THOUGHT}), DONE]
    chunks = Chunks([said("one"), said("two"), noticed, *(rest if place == "in many" else [b"".join(rest)])])
    async with calling(store, make_relayed(store), of_events(chunks), send, leaves) as call:
        await asyncio.wait_for(call, PATIENCE)
        assert chunks.is_closed
    entry = entry_of(store)
    assert (entry.status, entry.prompt_tokens, entry.completion_tokens) == ("client_gone", 10, 900)
    assert entry.detail == "The client left before the end; what the model server reported was charged."
    assert entry.cost_micro_usd == 10 + 2 * 900


@pytest.mark.parametrize("end", ["silence", "flood", "no usage", "break"])
async def test_a_client_that_left_paid_for_what_it_had_where_nothing_was_reported_in_time(
    store: Store, monkeypatch: pytest.MonkeyPatch, noticed: asyncio.Event, end: str
) -> None:
    monkeypatch.setattr(streaming_response, "READ_ON_TIMEOUT_S", 0.05 if end == "silence" else PATIENCE)
    monkeypatch.setattr(streaming_response, "MAX_READ_ON_BYTES", 4096)
    leaves, taken = asyncio.Event(), Taker()
    ends: dict[str, list[bytes | Exception | asyncio.Event]] = {
        "silence": [asyncio.Event()],
        "flood": [*[said("x" * 100)] * 100, event({"choices": [], "usage": THOUGHT}), DONE],
        "no usage": [said("three"), DONE],
        "break": [said("three"), httpx.ReadError("broken")],
    }
    chunks = Chunks([said("one"), said("two"), noticed, *ends[end]])
    async with calling(store, make_relayed(store), of_events(chunks), taken.send, leaves) as call:
        await until(lambda: len(taken.taken) == 3)
        leaves.set()
        await asyncio.wait_for(call, PATIENCE)
        assert chunks.is_closed
    entry = entry_of(store)
    assert (entry.status, entry.kind, entry.completion_tokens) == ("client_gone", Kind.CONSUMPTION, 2)
    assert entry.detail == "The client left before the end; what it had received was counted."


async def test_a_client_that_left_a_server_which_reports_all_along_was_not_read_on_for(store: Store) -> None:
    leaves, taken, so_far = asyncio.Event(), Taker(), {**THOUGHT, "completion_tokens": 300, "total_tokens": 310}
    words = event({"choices": [{"index": 0, "delta": {"content": "one"}}], "usage": so_far})
    chunks = Chunks([words, asyncio.Event()])
    async with calling(store, make_relayed(store), of_events(chunks), taken.send, leaves) as call:
        await until(lambda: len(taken.taken) == 2)
        leaves.set()
        await asyncio.wait_for(call, PATIENCE)
    entry = entry_of(store)
    assert (entry.status, entry.completion_tokens) == ("client_gone", 300)


# -- after the end of the stream --------------------------------------------------------------------------------------


class Counting:
    """An application that notes who connects to it."""

    def __init__(self, app: ASGIApp) -> None:
        self.connections: set[Any] = set()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.connections.add(tuple(scope["client"]))
        await self._app(scope, receive, send)


async def test_streamed_calls_shared_a_connection(store: Store) -> None:
    key, models = make_relayed(store), Counting(model_server.ModelServer().app)
    with live(models) as address:
        store.site.set("upstream.base_url", f"{address}/v1")
        async with client_of(store, token=key) as client:
            for _ in range(20):
                passed = await client.post("/v1/chat/completions", json=STREAMED)
                assert passed.text.endswith("data: [DONE]\n\n")
    print(f"BAR streamed calls: 20 over {len(models.connections)} connections")
    assert len(models.connections) <= 3


@pytest.mark.parametrize("rest", ["never comes", "never ends", "breaks"])
async def test_what_followed_the_end_kept_nobody_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch, rest: str
) -> None:
    monkeypatch.setattr(
        streaming_response, "TRAILER_TIMEOUT_S", 0.05 if rest == "never comes" else PATIENCE, raising=False
    )
    rests: dict[str, list[bytes | Exception | asyncio.Event]] = {
        "never comes": [asyncio.Event()],
        "never ends": [*[b"x" * 4096] * 100, asyncio.Event()],
        "breaks": [httpx.ReadError("broken")],
    }
    chunks, taker = Chunks([said("x"), USED, DONE, *rests[rest]]), Taker()
    async with calling(store, make_relayed(store), of_events(chunks), taker.send) as call:
        await until(lambda: bool(taker.taken) and taker.taken[-1].get("more_body") is False)
        await asyncio.wait_for(call, PATIENCE / 2)
        assert chunks.is_closed
    assert entry_of(store).status == "ok"
