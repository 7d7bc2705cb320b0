"""Models without a price are blocked, whatever they are called, and bodies that two parsers would read differently."""

import json
import random
import re
import sys
import unicodedata
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from gateway.problems import OpenAiProblem
from gateway.relay.endpoints import BATCHES, ENDPOINTS
from gateway.relay.request import Endpoint, parse_request
from gateway.relay.request_schemas import MODEL_NAME
from store.errors import DatabaseDamaged
from store.models import PriceSettingsRow
from store.sections import PriceSettings
from store.store import Store
from store.text import fold_case, is_sanitized
from store.values.billing import ModelPrice
from tests.fakes.scripted_model_server import CHAT, COST, ModelServer, answer
from tests.harness.gateway_client import MODEL, client_of, make_relayed
from tests.harness.stores import sign_in

CHATS: Final = ENDPOINTS[0]


def likenesses(count: int) -> list[str]:
    """Names that look like the priced model's, or like nothing."""
    rng = random.Random(4)
    swaps = {"g": "ɡ", "p": "р", "t": "т", "r": "г", "i": "і", "c": "с", "e": "е", "d": "ԁ"}
    names = {f"{MODEL} ", f" {MODEL}", f"{MODEL}\t", f"{MODEL}\n", f"{MODEL}\x00"}
    names |= {f"{MODEL}\u200b", f"\ufeff{MODEL}", f"{MODEL}\u0301", unicodedata.normalize("NFKD", "gpt-prıced")}
    names |= {"gpt-priced%", "gpt_priced", "gpt-price?", "%", "*", "' OR 1=1 --", "../gpt-priced"}
    while len(names) < count:
        letters = list(MODEL)
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(letters))
            letters[place] = rng.choice(
                [swaps.get(letters[place], "X"), letters[place].upper(), chr(rng.randint(1, 0xFFFF))]
            )
        names.add("".join(letters))
        names = {name for name in names if fold_case(name) != MODEL}
    return sorted(names, key=repr)[:count]


@pytest.mark.parametrize("messages", ["Hello", "\u00e9", "\ud800"])
async def test_a_name_in_other_case_was_charged_and_served_as_the_priced_one(store: Store, messages: str) -> None:
    """A model server may or may not tell names apart by case: it is asked for the one that is charged."""
    key, models = make_relayed(store), ModelServer()
    store.settings.save(sign_in(store), PriceSettings(accept_unpriced_models=True), 1)
    body = {"messages": [{"role": "user", "content": f'"model":"{MODEL}" {messages}'}], "model": MODEL.upper()}
    headers = {"Content-Type": "application/json"}
    async with client_of(store, token=key, upstream=models) as client:
        for spelling in (MODEL.upper(), MODEL.title()):
            content = json.dumps({**body, "model": spelling})
            relayed = await client.post("/v1/chat/completions", content=content, headers=headers)
            assert relayed.status_code == 200
    assert models.bodies == [{**body, "model": MODEL}] * 2
    logged = [line.entry for line in store.usage.page(sign_in(store)).entries]
    assert [(entry.model, entry.cost_micro_usd, entry.unpriced) for entry in logged] == [(MODEL, COST, False)] * 2


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.long)])
async def test_a_model_without_a_price_was_blocked_by_name(store: Store, count: int) -> None:
    key, models, blocked = make_relayed(store), ModelServer(), 0
    async with client_of(store, token=key, upstream=models) as client:
        for name in likenesses(count):
            content = json.dumps({**CHAT, "model": name})  # a lone surrogate is escaped
            refused = await client.post(
                "/v1/chat/completions", content=content, headers={"Content-Type": "application/json"}
            )
            error = refused.json()["error"]
            if is_sanitized(name) and name == name.strip():
                assert (refused.status_code, error["code"]) == (403, "model_not_priced"), (name, error)
                assert name in error["message"]
            else:
                assert (refused.status_code, error["param"]) == (400, "model"), (name, error)
            assert is_sanitized(error["message"])
            blocked += 1
    state = store.quota.state(sign_in(store))
    print(f"BAR P1 {blocked}/{count} blocked, {len(models.requests)} calls to the model server")
    assert (state.used_micro_usd, state.held_micro_usd, models.requests) == (0, 0, [])


@pytest.mark.parametrize(
    "name",
    [f"{MODEL} ", f" {MODEL}", f"{MODEL}\n", f"{MODEL}\t", f"{MODEL}\xa0", f"{MODEL}\u200b", f"{MODEL}\x00", " "],
)
async def test_a_name_that_no_price_can_have_was_refused_even_where_all_are_accepted(store: Store, name: str) -> None:
    key, models = make_relayed(store), ModelServer()
    store.settings.save(sign_in(store), PriceSettings(accept_unpriced_models=True), 1)
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post("/v1/chat/completions", json={**CHAT, "model": name})
    assert (refused.status_code, models.requests) == (400, [])
    error = refused.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "model")
    assert error["message"] == "A model name has 1 to 200 visible characters without spaces at its ends."


def test_the_names_that_are_documented_were_those_that_are_taken() -> None:
    pattern = re.compile(MODEL_NAME.removesuffix("$") + r"\Z")
    for number in range(sys.maxunicode + 1):
        if not 0xD800 <= number < 0xE000:  # half a character, which no document can hold
            letter = chr(number)
            assert bool(pattern.match(f"a{letter}a")) == is_sanitized(letter), hex(number)
            assert bool(pattern.match(letter)) == (is_sanitized(letter) and letter == letter.strip()), hex(number)


@pytest.mark.parametrize(
    "endpoint", [f"/v1{each.path}" for each in ENDPOINTS if each is not BATCHES and not each.files]
)
async def test_every_endpoint_was_guarded(store: Store, endpoint: str) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post(endpoint, json={"model": "gpt-unpriced"})).status_code == 403
    assert models.requests == []


async def test_a_switch_that_could_not_be_read_was_off(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key, models = make_relayed(store), ModelServer()
    store.settings.save(sign_in(store), PriceSettings(accept_unpriced_models=True), 1)
    body = {**CHAT, "model": "gpt-unpriced"}

    def unreadable(*_: object) -> bool:
        raise DatabaseDamaged

    async with client_of(store, token=key, upstream=models) as client:
        with monkeypatch.context() as patch:
            patch.setattr(type(store.pricing), "accepts_unpriced", unreadable)
            assert (await client.post("/v1/chat/completions", json=body)).status_code == 503
        with store.database.write() as tx:
            tx.execute(delete(PriceSettingsRow))
        assert (await client.post("/v1/chat/completions", json=body)).status_code == 403
    assert models.requests == []


async def test_the_switch_decided_from_the_next_request_on(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    body = {**CHAT, "model": "gpt-unpriced"}
    session = sign_in(store)
    async with client_of(store, token=key, upstream=models) as client:
        for version in range(1, 21):
            on = bool(version % 2)
            store.settings.save(session, PriceSettings(accept_unpriced_models=on), version)
            assert (await client.post("/v1/chat/completions", json=body)).status_code == (200 if on else 403)
    assert len(models.requests) == 10


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (b'{"Model": "gpt-unpriced", "model": "gpt-priced"}', "model"),
        (b'{"model": "gpt-priced", "MODEL": "gpt-unpriced"}', "model"),
        ('{"model": "gpt-priced", "ſtream": true}'.encode(), "stream"),
        (b'{"model": "gpt-priced", "Max_Tokens": 1}', "max_tokens"),
        (b'{"model": "gpt-priced", "stream": true, "stream_options": {"Include_Usage": false}}', "stream_options"),
        (b'{"model": "gpt-priced", "models": ["gpt-unpriced"]}', "models"),
        (b'{"model": "gpt-priced", "MODELS": []}', "models"),
        ('{"model": "gpt-priced", "modelſ": ["gpt-unpriced"]}'.encode(), "models"),
        (b'{"model": "gpt-priced", "fallbacks": [{"gpt-priced": ["gpt-unpriced"]}]}', "fallbacks"),
        (b'{"model": "gpt-priced", "Context_Window_Fallbacks": [{}]}', "context_window_fallbacks"),
        ('{"model": "gpt-priced", "content_policy_fallbackſ": []}'.encode(), "content_policy_fallbacks"),
        (b'{"model": "gpt-priced", "Mock_Testing_Fallbacks": true}', "mock_testing_fallbacks"),
        (b'{"model": "gpt-priced", "Route": "fallback"}', "route"),
        (b'{"model": "gpt-priced", "Model_List": null}', "model_list"),
        (b'{"model": 7}', "model"),
        (b'{"model": ["gpt-priced"]}', "model"),
        (b'{"model": ""}', "model"),
        (b'{"model": null}', "model"),
        (b"{}", "model"),
        (b'{"model": "gpt-priced", "stream": "yes"}', "stream"),
        (b'{"model": "gpt-priced", "stream": 1}', "stream"),
        (b'{"model": "gpt-priced", "stream": true, "stream_options": []}', "stream_options"),
        (b'{"model": "gpt-priced", "max_tokens": 0}', "max_tokens"),
        (b'{"model": "gpt-priced", "max_tokens": -5}', "max_tokens"),
        (b'{"model": "gpt-priced", "max_tokens": 1.5}', "max_tokens"),
        (b'{"model": "gpt-priced", "max_tokens": true}', "max_tokens"),
        (b'{"model": "gpt-priced", "max_completion_tokens": 1e99}', "max_completion_tokens"),
        (b'{"model": "gpt-priced", "max_tokens": 99999999999}', "max_tokens"),
        (b'{"model": "gpt-priced", "n": 0}', "n"),
        (b'{"model": "gpt-priced", "n": 129}', "n"),
        (b'{"model": "gpt-priced", "n": "2"}', "n"),
        (b"", None),
        (b"[]", None),
        (b'"text"', None),
        (b"null", None),
        (b"{'model': 1}", None),
        (b'{"model": "gpt-priced", "temperature": NaN}', None),
        (b'{"model": "gpt-priced", "temperature": Infinity}', None),
        (b'{"model": "gpt-priced"', None),
        (b"\xff\xfe\x00", None),
        (b"[" * 100_000, None),
        (b'{"a":' * 100_000, None),
        (b'{"model": "gpt-priced", "seed": ' + b"9" * 5000 + b"}", None),
    ],
)
async def test_a_body_that_could_not_be_understood_was_a_400(store: Store, raw: bytes, param: str | None) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post("/v1/chat/completions", content=raw, headers={"Content-Type": "application/json"})
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert error["message"].endswith(".")
    assert models.requests == []
    assert [logged.entry.status for logged in store.usage.page(sign_in(store)).entries] == ["invalid_request_error"]


async def test_what_was_priced_was_what_was_sent(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    raw = b'{"model": "gpt-unpriced", "messages": [], "model": "gpt-priced"}'
    async with client_of(store, token=key, upstream=models) as client:
        passed = await client.post("/v1/chat/completions", content=raw, headers={"Content-Type": "application/json"})
    assert passed.status_code == 200
    assert models.requests[0].content == b'{"model":"gpt-priced","messages":[]}'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "application/json", "Content-Length": "99999999"}, 413),
        ({"Content-Type": "application/json", "Content-Length": "-1"}, 413),
        ({"Content-Type": "application/json", "Content-Length": "x"}, 413),
    ],
)
async def test_a_body_of_another_kind_or_size_was_refused(store: Store, headers: dict[str, str], status: int) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post("/v1/chat/completions", content=b'{"model": "gpt-priced"}', headers=headers)
    assert refused.status_code == status
    assert refused.json()["error"]["message"].endswith(".")
    assert models.requests == []


async def test_a_long_body_of_a_stranger_was_not_read(store: Store) -> None:
    key = make_relayed(store)
    store.api_keys.revoke(sign_in(store), 1)
    read = 0

    async def body() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b" " * 1024

    async with client_of(store, token=key) as client:
        refused = await client.post(
            "/v1/chat/completions", content=body(), headers={"Content-Type": "application/json"}
        )
    assert refused.status_code == 401
    assert read <= 1


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"FILE_ID": "file-1"}},
        {"type": "file", "file": {"fileId": "file-1"}},
        {"type": "image_file", "image_file": {"file_id": "file-1", "detail": "low"}},
        {"type": "input_file", "file_id": "file-1"},
    ],
)
async def test_a_file_of_the_model_server_was_not_named_in_a_message(store: Store, part: dict[str, Any]) -> None:
    key, models = make_relayed(store), ModelServer()
    text = {"type": "text", "text": "Repeat file_id."}
    async with client_of(store, token=key, upstream=models) as client:
        for message in ({"role": "user", "content": [text, part]}, {"role": "user", "content": "x", "parts": part}):
            refused = await client.post("/v1/chat/completions", json={**CHAT, "messages": [message]})
            error = refused.json()["error"]
            assert (refused.status_code, error["param"], models.requests) == (400, "messages", [])
            assert error["message"].startswith("The messages name a file by its file_id, which is never passed on")
        sent = {"type": "file", "file": {"file_id": None, "file_data": "data:text/plain;base64,eA=="}}
        content = {**CHAT, "messages": [{"role": "user", "content": [text, sent]}]}
        assert (await client.post("/v1/chat/completions", json=content)).status_code == 200


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"role": "assistant", "audio": {"id": "audio_1"}}, "The messages name an earlier answer by the id"),
        ({"role": "assistant", "Audio": {"ID": 7, "data": ""}}, "The messages name an earlier answer by the id"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": None, "uuid": "sku-1"}]},
            "The messages name a picture by its uuid",
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,", "UUID": "sku-1"}}]},
            "The messages name a picture by its uuid",
        ),
    ],
    ids=["audio", "audio in capitals", "uuid", "nested uuid"],
)
async def test_what_another_account_may_have_stored_is_not_named_in_a_message(
    store: Store, message: dict[str, Any], sentence: str
) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post("/v1/chat/completions", json={**CHAT, "messages": [message]})
        error = refused.json()["error"]
        assert (refused.status_code, error["param"], models.requests) == (400, "messages", [])
        assert error["message"].startswith(sentence)


async def test_an_audio_answer_has_a_voice_of_the_model_server(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        for voice in ({"id": "voice_1"}, {"Id": "voice_1", "name": "alloy"}):
            refused = await client.post("/v1/chat/completions", json={**CHAT, "audio": {"voice": voice}})
            assert (refused.status_code, refused.json()["error"]["param"], models.requests) == (400, "audio", [])
        said = {"role": "assistant", "content": "Hi.", "audio": None}
        heard = {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}
        sent = {**CHAT, "messages": [said, heard], "audio": {"voice": "alloy", "format": "wav"}}
        assert (await client.post("/v1/chat/completions", json=sent)).status_code == 200


async def test_a_batch_had_a_price_of_its_own(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    body = {"model": MODEL, "input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post("/v1/batches", json=body)
        assert "The model batch has no price" in refused.json()["error"]["message"]
        assert models.requests == []
        store.pricing.set(ModelPrice("batch", 0, 0, 5))
        models.reply = lambda _: answer({"id": "batch_1", "status": "validating"})
        assert (await client.post("/v1/batches", json=body)).status_code == 200
    assert store.quota.state(sign_in(store)).used_micro_usd == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["model", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens", "prompt"])


@given(
    st.dictionaries(KEYS | st.text(max_size=8), JSON, max_size=6),
    st.sampled_from([each for each in ENDPOINTS if not each.files]),
)
@settings(max_examples=300)
def test_any_object_was_understood_or_refused_with_a_sentence(body: dict[str, Any], endpoint: Endpoint) -> None:
    try:
        call = parse_request(endpoint, "application/json", json.dumps(body).encode())
    except OpenAiProblem as problem:
        statuses = {problem.status}
    else:
        statuses = {400}
        assert call.prompt_tokens >= 0
        assert call.length.answers >= 0
        assert call.model == (endpoint.model or json.loads(call.content)["model"])
        limit = None if call.length.tokens is not None else ("max_tokens", 7)
        expected = {} if endpoint.model else {"model": "mödel", **({"max_tokens": 7} if limit else {})}
        assert json.loads(call.rewritten("mödel", limit).content) == {**json.loads(call.content), **expected}
    assert statuses == {400}
