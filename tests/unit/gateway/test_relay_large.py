"""Large bodies and answers keep nobody else waiting, and are not read of an account that has nothing left."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from gateway.relay import relay
from gateway.relay.request import MOST_VALUES
from store.store import Store
from tests.stores import StillClock, make_store, sign_in
from tests.unit.gateway.apps import client_of, make_relayed
from tests.unit.gateway.scripted import CHAT, ModelServer, answer, chat

pytestmark = pytest.mark.anyio
LARGE: Final = [{"role": "user", "content": "x" * 70_000}]


@pytest.fixture
def store() -> Iterator[Store]:
    with make_store(clock=StillClock()) as store:
        yield store


def noting_threads(monkeypatch: pytest.MonkeyPatch, name: str) -> list[bool]:
    """Whether each call of `name` in the relay was in the thread of the event loop."""
    calls: list[bool] = []
    real: Callable[..., Any] = getattr(relay, name)

    def noting(*args: object) -> Any:
        calls.append(threading.current_thread() is threading.main_thread())
        return real(*args)

    monkeypatch.setattr(relay, name, noting)
    return calls


async def test_a_large_body_was_parsed_off_the_event_loop(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key, calls = make_relayed(store), noting_threads(monkeypatch, "understand")
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        assert (await client.post("/v1/chat/completions", json={**CHAT, "messages": LARGE})).status_code == 200
        refused = await client.post("/v1/chat/completions", json={**CHAT, "messages": LARGE, "n": 0})
    assert calls == [True, False, False]
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "n")


async def test_a_large_answer_was_parsed_off_the_event_loop(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key, calls = make_relayed(store), noting_threads(monkeypatch, "_document_of")
    answers = iter([answer(), answer(chat(choices=LARGE)), answer(b"[" * 70_000)])
    async with client_of(store, token=key, upstream=ModelServer(lambda _: next(answers))) as client:
        statuses = [(await client.post("/v1/chat/completions", json=CHAT)).status_code for _ in range(3)]
    assert statuses == [200, 200, 502]
    assert calls == [True, False, False]


@pytest.mark.parametrize("announced", ["all of it", "nothing", "less, in chunks"])
async def test_a_large_body_that_nothing_was_left_for_was_not_read(store: Store, announced: str) -> None:
    key, read = make_relayed(store), 0
    store.quota.adjust("alice", set_to=0, actor="test")
    content = json.dumps({**CHAT, "messages": LARGE}).encode()

    async def body() -> Any:
        nonlocal read
        for start in range(0, len(content), 1024):
            read += 1
            yield content[start : start + 1024]

    headers = {"Content-Type": "application/json"}
    headers |= {
        "all of it": {"Content-Length": str(len(content))},
        "nothing": {},
        "less, in chunks": {"Content-Length": "10", "Transfer-Encoding": "chunked"},
    }[announced]
    async with client_of(store, token=key) as client:
        refused = await client.post("/v1/chat/completions", content=body(), headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "insufficient_quota")
    assert read <= 1
    (logged,) = store.usage.page(sign_in(store)).entries
    assert (logged.entry.status, logged.entry.request_id) == ("insufficient_quota", refused.headers["x-request-id"])


@pytest.mark.parametrize("values", ["1," * MOST_VALUES, "{}," * (MOST_VALUES // 2 + 1), "[[1]]," * (MOST_VALUES // 3)])
async def test_more_values_than_anyone_needs_were_not_parsed(store: Store, values: str) -> None:
    """The interpreter would keep everybody waiting while it made them."""
    key, models = make_relayed(store), ModelServer()
    content = f'{{"model": "gpt-priced", "input": [{values}1]}}'.encode()
    headers = {"Content-Type": "application/json"}
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post("/v1/embeddings", content=content, headers=headers)
    assert (refused.status_code, models.requests) == (413, [])
    assert refused.json()["error"]["message"] == "The body holds more than 500,000 values."


async def test_as_many_tokens_as_are_embedded_at_once_were_passed_on(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    body = {"model": "gpt-priced", "input": [[7] * 8192] * 37}
    async with client_of(store, token=key, upstream=models) as client:
        passed = await client.post("/v1/embeddings", json=body)
    assert (passed.status_code, len(models.requests)) == (200, 1)
