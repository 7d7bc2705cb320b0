"""Usage as model servers report it, well or badly: every answer is charged, and no error is."""

import json
from typing import Any, Final

import httpx
import pytest

from gateway.relay.endpoints import ENDPOINTS
from gateway.relay.prompt_estimate import BYTES_PER_TOKEN, TOKENS_PER_FILE, TOKENS_PER_PICTURE
from gateway.relay.request import OutputLength, parse_request
from store.store import Store
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry
from tests.fakes.scripted_model_server import CHAT, DONE, USED, ModelServer, answer, chat, event, said, stream
from tests.harness.gateway_client import MODEL, client_of, make_relayed
from tests.harness.usage_log import entry_of, used_of

CHATS: Final = ENDPOINTS[0]
STREAMED: Final = {**CHAT, "stream": True}


async def booked(
    store: Store, reply: Any, *, path: str = "/v1/chat/completions", **body: Any
) -> tuple[Any, UsageEntry]:
    """One call that is answered with `reply`: what the client got, and the line in the log."""
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: reply)) as client:
        response = await client.post(path, json=body or CHAT)
    entry = entry_of(store)
    assert used_of(store) == entry.cost_micro_usd
    return response, entry


def saying(text: str, **more: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}}], **more})


# -- reported -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 10.0, "completion_tokens": 4.0}, (10, 4)),
        ({"input_tokens": 10, "output_tokens": 4}, (10, 4)),
        ({"prompt_tokens": 10, "completion_tokens": None, "total_tokens": 14}, (10, 4)),
        ({"prompt_tokens": 10, "total_tokens": 14}, (10, 4)),
    ],
)
async def test_whole_numbers_were_read_however_they_were_written(
    store: Store, usage: dict[str, Any], tokens: tuple[int, int]
) -> None:
    _, entry = await booked(store, answer(chat(usage=usage)))
    assert (entry.prompt_tokens, entry.completion_tokens, entry.detail) == (*tokens, "")


THOUGHT: Final = {
    "prompt_tokens": 32,
    "completion_tokens": 9,
    "total_tokens": 135,
    "completion_tokens_details": {"reasoning_tokens": 94},
}
"""As xAI reports it: what was thought is in the total, and not among the tokens of the completion."""


async def test_thoughts_that_only_the_total_tells_of_were_charged(store: Store) -> None:
    _, entry = await booked(store, answer(chat(usage=THOUGHT)))
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micro_usd) == (32, 103, 32 + 2 * 103)


async def test_thoughts_that_only_the_total_of_a_stream_tells_of_were_charged(store: Store) -> None:
    pieces = [said("x"), event({"choices": [], "usage": THOUGHT}), DONE]
    _, entry = await booked(store, stream(*pieces), **STREAMED)
    assert (entry.prompt_tokens, entry.completion_tokens, entry.detail) == (32, 103, "")


@pytest.mark.parametrize("total", [0, 13, 14, -5, True, "14", 10**12, 1e300, 99.5, None, [20]])
async def test_a_total_that_says_nothing_more_changed_nothing(store: Store, total: object) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": total}
    _, entry = await booked(store, answer(chat(usage=usage)))
    assert (entry.prompt_tokens, entry.completion_tokens) == (10, 4)


@pytest.mark.parametrize("usage", [{"total_tokens": 10}, {"prompt_tokens": None, "total_tokens": 10}])
async def test_the_total_of_an_embedding_was_that_of_its_prompt(store: Store, usage: dict[str, Any]) -> None:
    reply = answer({"data": [{"embedding": [1.0]}], "usage": usage})
    _, entry = await booked(store, reply, path="/v1/embeddings", model=MODEL, input="Hello there, this is a text" * 3)
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micro_usd, entry.detail) == (10, 0, 10, "")


async def test_a_total_alone_did_not_tell_the_prompt_of_a_chat(store: Store) -> None:
    _, entry = await booked(store, answer(chat(usage={"total_tokens": 10})))
    assert entry.completion_tokens > 0
    assert "reported no usage" in entry.detail


async def test_an_answer_was_counted_where_only_the_prompt_was_reported(store: Store) -> None:
    _, entry = await booked(store, answer(chat(usage={"prompt_tokens": 10, "completion_tokens": None})))
    assert entry.prompt_tokens == 10
    assert entry.completion_tokens > 0
    assert "reported no usage" in entry.detail


@pytest.mark.parametrize(
    "pieces",
    [
        [saying("x" * 300, usage={}) for _ in range(20)],
        [saying("x" * 300, usage={"prompt_tokens": -1}) for _ in range(20)],
        [saying("", usage={"prompt_tokens": 10, "completion_tokens": 0}), *[saying("x" * 300) for _ in range(20)]],
        [*[saying("x" * 300) for _ in range(20)], event({"choices": [], "usage": {"prompt_tokens": 10}})],
        [event({"choices": [{"index": 0, "delta": {"reasoning": "x" * 300}}]}) for _ in range(20)],
    ],
    ids=["empty", "unreadable", "too early", "of the prompt alone", "thoughts"],
)
async def test_what_was_streamed_was_never_for_nothing(store: Store, pieces: list[bytes]) -> None:
    _, entry = await booked(store, stream(*pieces, DONE), **STREAMED)
    assert (entry.status, entry.completion_tokens) == ("ok", 20 * 300 // 4)
    assert "reported no usage" in entry.detail


async def test_usage_with_every_piece_was_that_of_the_last(store: Store) -> None:
    pieces = [saying("word ", usage={"prompt_tokens": 10, "completion_tokens": number}) for number in range(1, 5)]
    _, entry = await booked(store, stream(*pieces, DONE), **STREAMED)
    assert (entry.prompt_tokens, entry.completion_tokens, entry.detail) == (10, 4, "")


# -- errors that are no status --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [{"error": {"message": "overloaded", "code": 503}}, {"error": "overloaded"}, {"object": "error", "message": "no"}],
)
async def test_an_answer_that_was_an_error_cost_nothing(store: Store, document: dict[str, Any]) -> None:
    response, entry = await booked(store, answer(document))
    assert response.status_code == 502
    assert (entry.kind, entry.cost_micro_usd) == (Kind.ERROR, 0)


async def test_an_answer_with_an_empty_error_was_an_answer(store: Store) -> None:
    response, entry = await booked(store, answer(chat(error=None)))
    assert (response.status_code, entry.kind) == (200, Kind.CONSUMPTION)


@pytest.mark.parametrize("document", [{"created": 1}, {"data": []}, {"error": {"message": "no"}}])
async def test_no_picture_cost_nothing(store: Store, document: dict[str, Any]) -> None:
    store.pricing.set(ModelPrice(MODEL, 1, 1, 100))
    body = {"model": MODEL, "prompt": "A horse", "n": 3}
    response, entry = await booked(store, answer(document), path="/v1/images/generations", **body)
    assert response.status_code == 502
    assert (entry.kind, entry.cost_micro_usd) == (Kind.ERROR, 0)


@pytest.mark.parametrize(
    "failure",
    [
        event({"error": {"message": "overloaded"}}),
        event({"id": "gen-1", "choices": [], "error": {"code": 502, "message": "overloaded"}}),
        event({"object": "error", "message": "overloaded"}),
        b"event: error\ndata: overloaded\n\n",
    ],
)
async def test_an_error_in_a_stream_ended_it(store: Store, failure: bytes) -> None:
    response, entry = await booked(store, stream(failure, said("more"), DONE), **STREAMED)
    assert "upstream_broken" in response.text or "reported an error" in response.text
    assert "[DONE]" not in response.text
    assert (entry.kind, entry.cost_micro_usd) == (Kind.ERROR, 0)


async def test_words_about_errors_in_a_stream_were_words(store: Store) -> None:
    text = 'event: error {"error": {"object": "error"}}'
    response, entry = await booked(store, stream(saying(text, error=None), USED, DONE), **STREAMED)
    assert "[DONE]" in response.text
    assert (entry.status, entry.completion_tokens) == ("ok", 4)


# -- lines and events -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "between"), [(b"\r", b"\r\r"), (b"\n", b"\n\r\n"), (b"\r\n", b"\r\n\r\n"), (b"\r\n", b"\r\n\n")]
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_every_line_ending_of_the_standard_was_understood(
    store: Store, line: bytes, between: bytes, size: int
) -> None:
    events = [b"event: m" + line + said("Hello").rstrip(b"\n"), USED.rstrip(b"\n"), DONE.rstrip(b"\n")]
    content = between.join(events) + between
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    response, entry = await booked(store, stream(*pieces), **STREAMED)
    assert "Hello" in response.text
    assert response.text.endswith("data: [DONE]\n\n")
    assert (entry.status, entry.prompt_tokens, entry.completion_tokens) == ("ok", 10, 4)


async def test_a_stream_that_held_no_event_was_no_answer(store: Store) -> None:
    response, entry = await booked(store, stream(b"data: half"), **STREAMED)
    assert "upstream_broken" in response.text or "broke off" in response.text
    assert (entry.kind, entry.cost_micro_usd) == (Kind.ERROR, 0)


# -- what is held ---------------------------------------------------------------------------------------------------


def prompt_of(content: Any) -> int:
    body = {"model": MODEL, "messages": [{"role": "user", "content": content}]}
    return parse_request(CHATS, "application/json", json.dumps(body).encode()).prompt_tokens


def test_text_that_looks_like_a_picture_was_text() -> None:
    assert prompt_of("data:" + "A" * 30_000) > 30_000 // BYTES_PER_TOKEN
    assert prompt_of([{"type": "text", "text": "data:image/png;base64," + "A" * 30_000}]) > 30_000 // BYTES_PER_TOKEN
    for words in ("data:" + "A" * 30_000, "Only words. " * 2500, "data:text/plain;base64," + "A" * 30_000):
        for part in ({"file": {"file_data": words}}, {"input_audio": {"data": words}}, {"file": words}):
            assert prompt_of([part]) > 30_000 // BYTES_PER_TOKEN


def test_a_picture_was_a_picture_however_large() -> None:
    picture = "data:image/png;base64," + "A" * 30_000
    for part in ({"type": "image_url", "image_url": {"url": picture}}, {"type": "image_url", "image_url": picture}):
        assert TOKENS_PER_PICTURE < prompt_of([part]) < TOKENS_PER_PICTURE + 100


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "A" * 1_000_000, "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "data:audio/wav;base64," + "A" * 1_000_000}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "A+/_-" * 200_000 + "=="}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64," + "A" * 1_000_000}},
    ],
)
def test_a_recording_and_a_file_were_held_alike_however_large(part: dict[str, Any]) -> None:
    assert TOKENS_PER_FILE < prompt_of([part]) < TOKENS_PER_FILE + 100
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 30_000}}
    together = 2 * TOKENS_PER_FILE + TOKENS_PER_PICTURE
    assert together < prompt_of([part, {"type": "text", "text": "Hello"}, part, picture]) < together + 200


async def test_a_stream_about_a_recording_that_broke_was_not_charged_by_its_bytes(store: Store) -> None:
    recording = {"type": "input_audio", "input_audio": {"data": "A" * 1_000_000, "format": "wav"}}
    body = {**STREAMED, "messages": [{"role": "user", "content": [recording]}]}
    _, entry = await booked(store, stream(said("x"), httpx.ReadError("x")), **body)
    assert (entry.status, entry.completion_tokens) == ("upstream_broken", 1)
    assert entry.prompt_tokens < TOKENS_PER_FILE + 100


def test_three_bytes_of_chinese_were_three() -> None:
    assert abs(prompt_of("价" * 30_000) - 30_000) < 100


def test_half_a_character_was_passed_on_as_it_came() -> None:
    raw = b'{"model": "gpt-priced", "messages": "\\ud800"}'
    assert b"\\ud800" in parse_request(CHATS, "application/json", raw).content


def test_the_larger_of_two_limits_was_held() -> None:
    body = {"model": MODEL, "messages": [], "max_completion_tokens": 1, "max_tokens": 100_000}
    assert parse_request(CHATS, "application/json", json.dumps(body).encode()).length == OutputLength(1, 100_000)


# -- never passed on, never kept --------------------------------------------------------------------------------------


async def test_a_number_that_is_none_was_refused(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    content = b'{"model": "gpt-priced", "messages": [], "temperature": 1e400}'
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post(
            "/v1/chat/completions", content=content, headers={"Content-Type": "application/json"}
        )
    assert (refused.status_code, models.requests) == (400, [])


async def test_a_key_in_the_place_of_a_model_was_neither_told_nor_kept(store: Store) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key) as client:
        for model in (key, f"x{key}", f"openai/{key}"):
            refused = await client.post("/v1/chat/completions", json={**CHAT, "model": model})
            assert (refused.status_code, refused.json()["error"]["param"]) == (400, "model")
            assert key not in refused.text
        passed = await client.post("/v1/chat/completions", json={**CHAT, "model": "desk-assistant-large-2024-instruct"})
        assert passed.json()["error"]["code"] == "model_not_priced"
    with store.database.read() as tx:
        kept = [tx.exec_driver_sql(f"SELECT * FROM {table}").all() for table in ("usage_log", "unpriced_models")]  # noqa: S608
    assert key not in repr(kept)
