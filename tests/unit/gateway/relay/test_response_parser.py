"""Long answers are read in a process, booked as short ones are, and counted where that process fails."""

import asyncio
import json
import os
import signal
from typing import Any, Final

import httpx
import pytest

from gateway.json_text import loads_lenient
from gateway.relay import models, response_facts
from gateway.relay.process_client import MAX_INLINE_BYTES, ParserBusy, ParserFailed
from gateway.relay.usage import UNREAD_REMARK
from store.sections import PriceSettings
from store.store import Store
from store.values.billing import ModelPrice
from store.values.usage import Kind
from tests.fakes.scripted_model_server import CHAT, ModelServer, answer, chat
from tests.harness.gateway_client import MODEL, UPSTREAM_KEY, client_of, make_relayed
from tests.harness.stores import sign_in
from tests.harness.usage_log import entries_of, used_of
from tests.harness.watched_parser import WatchedParser

PATH: Final = "/v1/chat/completions"
LONG: Final = "x" * (MAX_INLINE_BYTES + 1000)
SAID: Final = [{"index": 0, "message": {"role": "assistant", "content": LONG}}]
LIMITED: Final = {**CHAT, "max_tokens": 100}
MANY: Final = 40_000
SHAPES: Final = {
    "text": json.dumps(SAID)[1:-1],
    "log probabilities": ",".join(
        ['{"index":0,"logprobs":{"content":[{"token":" a","logprob":-1.5,"bytes":[32,97]}]}}'] * 2000
    ),
    "strings": ",".join(['""'] * MANY),
    "lists": ",".join(["[]"] * MANY),
    "objects": ",".join(["{}"] * MANY),
    "numbers": ",".join(["0.125"] * MANY),
}


async def stopped(parser: WatchedParser) -> int:
    """The id of a process of `parser` that answers nothing more."""
    await parser.facts(json.dumps(chat(choices=SAID)).encode(), 0, has_completion=True)
    return parser.stop()


# -- read ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_long_answer_was_read_elsewhere_and_booked_as_reported(
    store: Store, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    lengths, real = list[int](), loads_lenient

    def noting(text: bytes | bytearray) -> Any:
        lengths.append(len(text))
        return real(text)

    monkeypatch.setattr(response_facts, "loads_lenient", noting)
    usage = '{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}'
    content = f'{{"choices":[{SHAPES[shape]}],"usage":{usage}}}'.encode()
    assert len(content) > MAX_INLINE_BYTES
    replies = iter([answer(), answer(content)])
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: next(replies))) as client:
        await client.post(PATH, json=CHAT)
        passed = await client.post(PATH, json=CHAT)
    assert (passed.status_code, passed.content) == (200, content)
    assert passed.headers["content-length"] == str(len(content))
    assert [length <= MAX_INLINE_BYTES for length in lengths] == [True]
    entry, first = entries_of(store)
    assert (entry.prompt_tokens, entry.completion_tokens, entry.detail) == (10, 4, "")
    assert entry.cost_micro_usd == first.cost_micro_usd


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[" * 70_000, "The model server's answer was not a JSON object."),
        (b"[" + b"1," * 70_000 + b"1]", "The model server's answer was not a JSON object."),
        (json.dumps({"x": LONG})[:-1].encode(), "The model server's answer was not a JSON object."),
        (b'{"x": ' + b"9" * 70_000 + b"}", "The model server's answer was not a JSON object."),
        (
            json.dumps({"error": {"message": f"No {UPSTREAM_KEY} at models.test. {LONG}"}}).encode(),
            "The model server answered with an error: No … at …. xxx",
        ),
    ],
    ids=["brackets", "list", "half", "digits", "error"],
)
async def test_a_long_answer_that_was_none_cost_nothing(store: Store, content: bytes, sentence: str) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(content))) as client:
        refused = await client.post(PATH, json=CHAT)
    assert refused.status_code == 502
    message = refused.json()["error"]["message"]
    assert (message[: len(sentence)], len(message) < 600) == (sentence, True)
    (entry,) = entries_of(store)
    assert (entry.kind, used_of(store)) == (Kind.ERROR, 0)


@pytest.mark.parametrize("offset", [0, 5, len(UPSTREAM_KEY)])
async def test_the_key_in_a_long_answer_was_masked_wherever_it_stood(store: Store, offset: int) -> None:
    # It ends before, across and behind the end of a piece.
    lead = "y" * (256 * 1024 - offset - len('{"x": "'))
    content = json.dumps({"x": f"{lead}{UPSTREAM_KEY}{UPSTREAM_KEY}{LONG}{UPSTREAM_KEY}", **chat()}).encode()
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(content))) as client:
        passed = await client.post(PATH, json=CHAT)
    assert passed.content == content.replace(UPSTREAM_KEY.encode(), b"...")
    assert passed.headers["content-length"] == str(len(passed.content))


# -- counted ------------------------------------------------------------------------------------------------------


async def test_an_answer_whose_reading_was_killed_was_passed_on_and_counted(
    store: Store, parser: WatchedParser
) -> None:
    key, number = make_relayed(store), await stopped(parser)
    document = chat(choices=SAID)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(document))) as client:
        calling = asyncio.create_task(client.post(PATH, json=LIMITED))
        await parser.begun.wait()
        os.kill(number, signal.SIGKILL)
        passed = await calling
        assert (passed.status_code, passed.json()) == (200, document)
        (entry,) = entries_of(store)
        assert (entry.status, entry.kind, entry.detail) == ("ok", Kind.CONSUMPTION, UNREAD_REMARK)
        assert (entry.prompt_tokens > 0, entry.completion_tokens) == (True, 100)
        assert used_of(store) == entry.cost_micro_usd == entry.prompt_tokens + 2 * 100
        await client.post(PATH, json=LIMITED)
    entry = entries_of(store)[0]
    assert (entry.prompt_tokens, entry.completion_tokens, entry.detail) == (10, 4, "")


async def test_an_answer_whose_turn_did_not_come_was_counted(store: Store, parser: WatchedParser) -> None:
    key, number = make_relayed(store), await stopped(parser)
    other = asyncio.create_task(parser.facts(json.dumps(chat(choices=SAID)).encode(), 99, has_completion=True))
    await parser.begun.wait()
    parser.process.queue_timeout_s = 0.0
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(chat(choices=SAID)))) as client:
        passed = await client.post(PATH, json=LIMITED)
        os.kill(number, signal.SIGCONT)
        assert (await other).usage is not None
    assert passed.status_code == 200
    assert [(entry.status, entry.completion_tokens, entry.detail) for entry in entries_of(store)] == [
        ("ok", 100, UNREAD_REMARK)
    ]


async def test_an_answer_that_took_too_long_to_read_was_counted(store: Store, parser: WatchedParser) -> None:
    key, content = make_relayed(store), json.dumps(chat(choices=SAID)).encode()
    parser.process.read_timeout_s = 0.0
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(content))) as client:
        assert (await client.post(PATH, json=CHAT)).content == content
    (entry,) = entries_of(store)
    assert (entry.completion_tokens, entry.detail) == (len(content) // 4, UNREAD_REMARK)


async def test_an_answer_whose_call_was_cancelled_while_it_was_read_was_counted(
    store: Store, parser: WatchedParser
) -> None:
    key, number = make_relayed(store), await stopped(parser)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(chat(choices=SAID)))) as client:
        await parser.cancel_meanwhile(client.post(PATH, json=LIMITED))
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    (entry,) = entries_of(store)
    assert (entry.status, entry.completion_tokens, entry.detail) == ("ok", 100, UNREAD_REMARK)
    assert used_of(store) == entry.cost_micro_usd > 0


@pytest.mark.parametrize(
    ("path", "body", "price", "cost"),
    [
        ("completions", {"prompt": "Hello", "max_tokens": 7}, ModelPrice(MODEL, 0, 1_000_000), 7),
        ("embeddings", {"input": "Hello there" * 40}, ModelPrice(MODEL, 1_000_000, 0), None),
        ("images/generations", {"prompt": "A horse", "n": 3}, ModelPrice(MODEL, 0, 0, 100), 300),
        ("images/generations", {"prompt": "A horse", "n": 2}, ModelPrice(MODEL, 0, 1_000_000), 16_000),
        (
            "batches",
            {"input_file_id": "file-1", "endpoint": PATH, "completion_window": "24h"},
            ModelPrice("batch", 0, 0, 100),
            100,
        ),
    ],
    ids=["completion", "embedding", "pictures by number", "pictures by tokens", "batch"],
)
async def test_nothing_that_was_not_read_was_for_nothing(
    store: Store, parser: WatchedParser, path: str, body: dict[str, Any], price: ModelPrice, cost: int | None
) -> None:
    key, content = make_relayed(store), json.dumps({"data": [{"b64_json": LONG}], "id": "batch_1"}).encode()
    store.pricing.set(price)
    parser.process.read_timeout_s = 0.0
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(content))) as client:
        sent = body if path == "batches" else {"model": MODEL, **body}
        assert (await client.post(f"/v1/{path}", json=sent)).content == content
    (entry,) = entries_of(store)
    assert used_of(store) == entry.cost_micro_usd > 0
    assert cost is None or entry.cost_micro_usd == cost
    assert (entry.status, entry.detail) == ("ok", UNREAD_REMARK)


# -- batches and models ---------------------------------------------------------------------------------------------


async def test_a_long_batch_was_read_and_one_that_could_not_be_was_passed_on(
    store: Store, parser: WatchedParser
) -> None:
    key, batch = make_relayed(store), {"id": "batch_1", "object": "batch", "metadata": {"x": LONG}}
    store.pricing.set(ModelPrice("batch", 0, 0, 100))
    model_server = ModelServer(lambda _: answer({**batch, "status": "validating"}))
    async with client_of(store, token=key, upstream=model_server) as client:
        body = {"input_file_id": "file-1", "endpoint": PATH, "completion_window": "24h"}
        assert (await client.post("/v1/batches", json=body)).status_code == 200
        model_server.reply = lambda _: answer({**batch, "status": "completed"})
        parser.process.read_timeout_s = 0.0
        passed = await client.get("/v1/batches/batch_1")
        assert (passed.status_code, passed.json()["status"], entries_of(store)[0].status) == (
            200,
            "completed",
            "validating",
        )
        parser.process.read_timeout_s = 60.0
        assert (await client.get("/v1/batches/batch_1")).status_code == 200
    assert [(entry.status, entry.request_id) for entry in entries_of(store)] == [("completed", "batch_1")]


@pytest.mark.parametrize("failure", ["killed", "cancelled"])
async def test_a_long_batch_whose_reading_failed_was_still_the_accounts_own(
    store: Store, parser: WatchedParser, failure: str
) -> None:
    key, number = make_relayed(store), await stopped(parser)
    store.pricing.set(ModelPrice("batch", 0, 0, 100))
    batch = {"object": "batch", "metadata": {"id": "other"}, "id": "batch_1", "status": "validating", "x": LONG}
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(batch))) as client:
        body = {"input_file_id": "file-1", "endpoint": PATH, "completion_window": "24h"}
        calling = asyncio.create_task(client.post("/v1/batches", json=body))
        await parser.begun.wait()
        if failure == "killed":
            os.kill(number, signal.SIGKILL)
            assert (await calling).json() == batch
        else:
            calling.cancel()
            await asyncio.wait({calling})
        assert (await client.get("/v1/batches/batch_1")).json() == batch
    (entry,) = entries_of(store)
    assert (entry.request_id, entry.status, entry.cost_micro_usd) == ("batch_1", "validating", 100)


async def test_a_long_list_of_models_was_told_in_short(
    store: Store, parser: WatchedParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_relayed(store)
    store.settings.save(sign_in(store), PriceSettings(accept_unpriced_models=True), 1)
    told = {"id": "free", "created": 7, "owned_by": "lab", "description": LONG}
    odd = [{"id": "odd", "created": True, "owned_by": "x" * 201}, {"id": "y" * 201}, {"id": "\x1b"}, {"id": 1}, 1]
    replies = [answer({"data": data}) for data in ([told, *odd], [odd[0]], [told], [told, *odd])]
    async with client_of(store, token=key, upstream=ModelServer(lambda _: replies.pop(0))) as client:
        every = (await client.get("/v1/models")).json()["data"]
        inline = (await client.get("/v1/models")).json()["data"]
        parser.process.read_timeout_s = 0.0
        failed = await client.get("/v1/models")
        monkeypatch.setattr(models, "_MAX_LIST_BYTES", MAX_INLINE_BYTES)
        refused = await client.get("/v1/models")
    assert every == [
        {"id": "free", "object": "model", "created": 7, "owned_by": "lab"},
        {"id": MODEL, "object": "model", "created": 0, "owned_by": "gatekey"},
        {"id": "odd", "object": "model", "created": 0, "owned_by": "gatekey"},
    ]
    assert inline == every[1:]
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "1")
    assert (refused.status_code, refused.json()["error"]["message"]) == (502, "The model server's answer was too long.")


async def test_the_failures_of_the_process_are_told_apart(parser: WatchedParser) -> None:
    content = json.dumps(chat(choices=SAID)).encode()
    parser.process.read_timeout_s = 0.0
    with pytest.raises(ParserFailed) as failed:
        await parser.facts(content, 1, has_completion=True)
    parser.process.read_timeout_s = 60.0
    number = await stopped(parser)
    first = asyncio.create_task(parser.facts(content, 1, has_completion=True))
    await parser.begun.wait()
    parser.process.queue_timeout_s = 0.0
    with pytest.raises(ParserBusy):
        await parser.facts(content, 2, has_completion=True)
    os.kill(number, signal.SIGCONT)
    assert (await first).has_content
    assert not isinstance(failed.value, ParserBusy)


async def test_an_answer_of_another_endpoint_was_read_alike(store: Store) -> None:
    key = make_relayed(store)
    document = {"data": [{"embedding": [0.125] * 30_000}], "usage": {"total_tokens": 10}}
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(document))) as client:
        passed: httpx.Response = await client.post("/v1/embeddings", json={"model": MODEL, "input": "Hello"})
    assert passed.json() == document
    assert [(entry.prompt_tokens, entry.completion_tokens) for entry in entries_of(store)] == [(10, 0)]
