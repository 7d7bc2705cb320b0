"""Large bodies and answers keep nobody else waiting, and are not read of an account that has nothing left."""

import asyncio
import contextlib
import io
import json
import os
import signal
import tracemalloc
from collections.abc import Awaitable, Callable, Set
from types import SimpleNamespace
from typing import Any, Final

import pytest

from gateway.model_server.client import ModelServerClient
from gateway.problems import OpenAiProblem
from gateway.relay import body_parser, body_process, process_client
from gateway.relay.body_parser import BodyParser
from gateway.relay.endpoints import ENDPOINTS
from gateway.relay.process_client import MAX_INLINE_BYTES, ParserProcess
from gateway.relay.process_frames import frame_head, serve
from gateway.relay.request import MAX_JSON_VALUES, Call, Endpoint, parse_request
from store.store import Store
from tests.fakes.scripted_model_server import CHAT, ModelServer, answer
from tests.harness.gateway_client import client_of, make_relayed
from tests.harness.stores import sign_in

JSON: Final = "application/json"
LONG_FIELDS: Final = (
    "messages",
    "prompt",
    "input",
    "prompt",
    "input",
    "messages",
    "messages",
    "input",
    "input",
    "input_file_id",
)
"""A field of each endpoint that may be long."""
LARGE: Final = [{"role": "user", "content": "x" * 70_000}]


async def test_a_large_body_was_parsed_off_the_event_loop(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []

    def noting(endpoint: Endpoint, media_type: str, raw: bytes, extra: Set[str]) -> Call:
        lengths.append(len(raw))
        return parse_request(endpoint, media_type, raw, extra)

    monkeypatch.setattr(body_parser, "parse_request", noting)
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        assert (await client.post("/v1/chat/completions", json={**CHAT, "messages": LARGE})).status_code == 200
        refused = await client.post("/v1/chat/completions", json={**CHAT, "messages": LARGE, "n": 0})
    assert [length < MAX_INLINE_BYTES for length in lengths] == [True]
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "n")
    assert json.loads(models.requests[1].content)["messages"] == LARGE


async def test_the_reading_process_says_what_reading_here_says() -> None:
    reader, extra = BodyParser(), frozenset({"seed_of_ours"})
    variants: list[dict[str, object]] = [{}, {"seed_of_ours": 2}, {"stream": True}, {"n": "x"}, {"nonsense": 1}]
    for endpoint, field in zip((each for each in ENDPOINTS if not each.files), LONG_FIELDS, strict=True):
        outcomes: list[object] = []
        for more in variants:
            raw = json.dumps({"model": "gpt-priced", field: "y" * MAX_INLINE_BYTES, **more}).encode()
            here, there = [await outcome(each, endpoint, raw, extra) for each in (reading_here, reader.parse)]
            assert here == there
            outcomes.append(there)
        assert isinstance(outcomes[1], Call), outcomes
        assert not isinstance(outcomes[-1], Call)
    await reader.aclose()


async def test_a_reading_process_that_dies_is_replaced() -> None:
    reader = BodyParser()
    raw = json.dumps({"model": "gpt-priced", "prompt": "y" * MAX_INLINE_BYTES}).encode()
    assert (await reader.parse(ENDPOINTS[1], JSON, raw, frozenset())).content == raw.replace(b": ", b":").replace(
        b", ", b","
    )
    assert reader.process.process_id is not None
    os.kill(reader.process.process_id, signal.SIGKILL)
    with pytest.raises(OpenAiProblem, match="could not read this body at the moment") as refused:
        await reader.parse(ENDPOINTS[1], JSON, raw, frozenset())
    assert refused.value.status == 503
    assert (await reader.parse(ENDPOINTS[1], JSON, raw, frozenset())).model == "gpt-priced"
    await reader.aclose()


@pytest.mark.parametrize("said", [b"", b"abc"])
async def test_a_reply_that_ends_early_is_none(said: bytes) -> None:
    stream = asyncio.StreamReader()
    stream.feed_data(said)
    stream.feed_eof()
    with pytest.raises(asyncio.IncompleteReadError):
        await process_client._read(stream, 4)


async def test_a_reading_that_was_given_up_is_nobody_elses_answer() -> None:
    reader = BodyParser()
    first, second = (json.dumps({"model": name, "prompt": "y" * MAX_INLINE_BYTES}).encode() for name in ("one", "two"))
    await reader.parse(ENDPOINTS[1], JSON, first, frozenset())
    given_up = asyncio.create_task(reader.parse(ENDPOINTS[1], JSON, first, frozenset()))
    await asyncio.sleep(0)  # it has begun to ask
    given_up.cancel()
    assert (await reader.parse(ENDPOINTS[1], JSON, second, frozenset())).model == "two"
    reader.process.read_timeout_s = 0.0
    with pytest.raises(OpenAiProblem, match="at the moment"):
        await reader.parse(ENDPOINTS[1], JSON, first, frozenset())
    await reader.aclose()


async def test_many_large_bodies_of_one_account_let_those_of_others_through(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, order, begun, go_on = BodyParser(), list[int](), asyncio.Event(), asyncio.Event()

    async def ask(_: object, head: dict[str, Any], raw: bytes) -> tuple[dict[str, Any], bytes]:
        order.append(raw[0])
        begun.set()
        await go_on.wait()
        return {"problem": {"status": 400, "sentence": "", "code": "", "param": None, "kind": ""}}, b""

    monkeypatch.setattr(ParserProcess, "_ask", ask)
    accounts = (1, 1, 1, 2)
    reads = [
        asyncio.create_task(reader.parse(ENDPOINTS[1], JSON, bytes([each]) * 70_000, frozenset(), each))
        for each in accounts
    ]
    await begun.wait()
    reader.process.queue_timeout_s = 0.0
    with pytest.raises(OpenAiProblem, match="too many large requests to read") as refused:
        await reader.parse(ENDPOINTS[1], JSON, b"x" * 70_000, frozenset(), 3)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "5")
    go_on.set()
    await asyncio.gather(*reads, return_exceptions=True)
    assert order == [1, 2, 1, 1]


def test_the_process_ends_with_its_input() -> None:
    raw = json.dumps({"model": "gpt-priced", "prompt": "y"}).encode()
    head = {"path": "/completions", "media_type": JSON, "extra": []}
    sink = io.BytesIO()
    serve(body_process.handle_message, io.BytesIO(frame_head(head, len(raw)) + raw), sink)
    assert b'"gpt-priced"' in sink.getvalue()


async def reading_here(endpoint: Endpoint, media_type: str, raw: bytes, extra: Set[str]) -> Call:
    return parse_request(endpoint, media_type, raw, extra)


async def outcome(
    read: Callable[[Endpoint, str, bytes, Set[str]], Awaitable[Call]], endpoint: Endpoint, raw: bytes, extra: Set[str]
) -> object:
    try:
        return await read(endpoint, JSON, raw, extra)
    except OpenAiProblem as error:
        return str(error), error.status, error.code, error.param, error.kind


async def refused_embedding(store: Store, values: str) -> tuple[int, str]:
    """The status and the sentence for a request with these values, of which the model server hears nothing."""
    key, models = make_relayed(store), ModelServer()
    content = f'{{"model": "gpt-priced", "input": [{values}]}}'.encode()
    headers = {"Content-Type": "application/json"}
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post("/v1/embeddings", content=content, headers=headers)
    assert models.requests == []
    return refused.status_code, refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "number", ["9" * 101, "-" + "9" * 100, "0." + "1" * 99, "1" * 60 + "e" + "1" * 40, "1.5E-" + "0" * 96]
)
async def test_a_number_longer_than_any_was_not_read(store: Store, number: str) -> None:
    assert await refused_embedding(store, number) == (400, "The body holds a number of more than 100 characters.")


async def test_long_numbers_that_some_programs_write_were_passed_on(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    numbers = f"[{2**128}, -1.7976931348623157e+308, 0.1000000000000000055511151231257827, 5e-324]"
    content = f'{{"model": "gpt-priced", "input": {numbers}}}'.encode()
    headers = {"Content-Type": "application/json"}
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post("/v1/embeddings", content=content, headers=headers)).status_code == 200
    assert json.loads(models.requests[0].content)["input"] == json.loads(numbers)


async def test_an_answer_with_a_number_longer_than_any_is_no_answer(store: Store) -> None:
    key = make_relayed(store)
    models = ModelServer(lambda _: answer(b'{"usage": {"prompt_tokens": ' + b"9" * 4300 + b"}}"))
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 502


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


@pytest.mark.parametrize(
    "values", ["1," * MAX_JSON_VALUES, "{}," * (MAX_JSON_VALUES // 2 + 1), "[[1]]," * (MAX_JSON_VALUES // 3)]
)
async def test_more_values_than_anyone_needs_were_not_parsed(store: Store, values: str) -> None:
    """The interpreter would keep everybody waiting while it made them."""
    assert await refused_embedding(store, f"{values}1") == (413, "The body holds more than 500,000 values.")


async def test_as_many_tokens_as_are_embedded_at_once_were_passed_on(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    body = {"model": "gpt-priced", "input": [[7] * 8192] * 37}
    async with client_of(store, token=key, upstream=models) as client:
        passed = await client.post("/v1/embeddings", json=body)
    assert (passed.status_code, len(models.requests)) == (200, 1)


async def test_a_large_request_was_let_go_of_while_its_answer_streamed() -> None:
    size, ended = 20 * 1024 * 1024, asyncio.Event()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        left = size
        while left:
            left -= len(await reader.read(left))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            await writer.drain()
            await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    site: Any = SimpleNamespace(upstream_url=f"http://127.0.0.1:{port}/v1", upstream_key="")
    upstream = ModelServerClient()
    async with server:
        tracemalloc.start()
        try:
            answer = await upstream.send(site, "POST", "/chat/completions", bytes(size), request_id="req_1")
            held, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await answer.aclose()
        await upstream.aclose()
        await ended.wait()
    assert answer.status_code == 200
    assert most > size > 2 * held, "the body was in memory, and is no more"
