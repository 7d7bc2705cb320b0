"""A model server's reason reaches the client and the log in every dialect; what it must not tell does not."""

import json
import logging
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model_server.client import response_problem
from gateway.model_server.error_reasons import (
    MAX_REASON_CHARACTERS,
    ErrorReason,
    mask_addresses,
    mask_secrets,
    reason_in_body,
)
from gateway.site_view import SiteView
from store.store import Store
from store.text import is_sanitized
from store.values.usage import Kind
from tests.fakes.scripted_model_server import CHAT, DONE, Chunks, ModelServer, answer, event, said, stream
from tests.harness.gateway_client import UPSTREAM_KEY, client_of, make_relayed
from tests.harness.stores import sign_in

WORDS: Final = "The prompt is too long."
PAGE: Final = (
    "<!DOCTYPE html><html><head><title>Request &amp; Entity\n Too Large</title><style>p {}</style></head><body>x</body>"
)


async def refused(store: Store, body: Any, status: int, **asked: Any) -> tuple[httpx.Response, str]:
    """The client's answer and the log's sentence."""
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(body, status))) as client:
        told = await client.post("/v1/chat/completions", json={**CHAT, **asked})
    (logged,) = store.usage.page(sign_in(store)).entries
    assert (logged.entry.kind, logged.entry.cost_micro_usd) == (Kind.ERROR, 0)
    return told, logged.entry.detail


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"error": {"message": WORDS, "type": "invalid_request_error"}}, WORDS),
        ({"error": WORDS}, WORDS),
        ({"detail": WORDS}, WORDS),
        ({"message": WORDS}, WORDS),
        ({"msg": WORDS}, WORDS),
        ({"object": "error", "message": WORDS, "code": 400}, WORDS),
        ({"detail": {"error": {"message": WORDS}}}, WORDS),
        ({"detail": {"message": WORDS}}, WORDS),
        ({"error": {"error": {"message": WORDS}}}, WORDS),
        ({"errors": [{"message": WORDS}]}, WORDS),
        ({"errors": [WORDS, "And more."]}, f"{WORDS}; And more."),
        ({"error": [WORDS]}, WORDS),
        ([{"error": {"code": 400, "message": WORDS, "status": "INVALID_ARGUMENT"}}], WORDS),
        ({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": WORDS}, WORDS),
        ({"type": "about:blank", "title": WORDS, "status": 400}, WORDS),
        (
            {
                "detail": [
                    {"type": "missing", "loc": ["body", "messages", 0, "role"], "msg": "Field required", "input": {}},
                    {"type": "extra_forbidden", "loc": ["body", "x"], "msg": "Extra inputs are not permitted"},
                ]
            },
            "messages.0.role: Field required; x: Extra inputs are not permitted",
        ),
        (WORDS, WORDS),
        (f"  {WORDS}\r\n\tNow.".encode(), f"{WORDS} Now."),
        (PAGE.encode(), "Request & Entity Too Large"),
        (f"<html><body><script>var a = 1</script><h1>413</h1> {WORDS}".encode(), f"413 {WORDS}"),
        (b"\xff\xfe caf\xe9 refused", "\ufffd\ufffd caf\ufffd refused"),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 422])
async def test_the_reason_of_a_refusal_was_told_in_every_dialect(
    store: Store, body: Any, sentence: str, status: int
) -> None:
    told, logged = await refused(store, body, status)
    assert told.status_code == status
    assert (told.json()["error"]["message"], logged) == (sentence, sentence)


async def test_a_refusal_without_a_reason_kept_its_status_only_where_it_is_the_clients_doing(store: Store) -> None:
    told, logged = await refused(store, b"", 403)
    assert told.status_code == 502
    assert told.json()["error"]["code"] == "upstream_error"
    assert logged == "The model server answered 403 (Forbidden)."


@pytest.mark.parametrize("status", [401, 402, 407])
async def test_what_is_between_the_gateway_and_the_model_server_was_told_to_the_administrator_alone(
    store: Store, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.WARNING, "gatekey.relay")
    words = f"Incorrect API key provided: {UPSTREAM_KEY}. Your credit is used up at http://10.0.0.5:8000/."
    told, logged = await refused(store, {"error": {"message": words}}, status)
    assert told.status_code == 502
    assert "credit" not in told.text + logged
    (record,) = caplog.records
    message = record.getMessage()
    assert f"answered {status}" in message
    assert "Your credit is used up at http://10.0.0.5:8000/." in message
    assert UPSTREAM_KEY not in message


@pytest.mark.parametrize(
    ("status", "told_status", "beginning"),
    [
        (500, 502, "The model server answered 500 (Internal Server Error): "),
        (503, 503, "The model server answered 503 (Service Unavailable): "),
        (529, 503, "The model server answered 529 (something unknown): "),
    ],
)
async def test_the_reason_of_a_failure_was_told_without_where_the_model_server_lies(
    store: Store, status: int, told_status: int, beginning: str
) -> None:
    words = f"No room at 10.0.0.5:8000, gpu-7.lan:443 or http://models.lan/v1 for {UPSTREAM_KEY}: wait"
    told, logged = await refused(store, {"detail": words}, status)
    assert told.status_code == told_status
    assert told.json()["error"]["message"] == logged == f"{beginning}No room at …, … or … for …: wait"


async def test_a_reason_in_a_good_answer_and_in_a_stream_was_told(store: Store) -> None:
    told, logged = await refused(store, {"error": {"message": f"Overloaded with {UPSTREAM_KEY}"}}, 200)
    assert (told.status_code, logged) == (502, "The model server answered with an error: Overloaded with …")


async def test_a_reason_in_a_stream_was_told(store: Store) -> None:
    key = make_relayed(store)
    failure = event({"error": {"message": f"Overloaded with {UPSTREAM_KEY}\x1b[31m"}})
    models = ModelServer(lambda _: stream(said("x"), failure, DONE))
    async with client_of(store, token=key, upstream=models) as client:
        told = await client.post("/v1/chat/completions", json={**CHAT, "stream": True})
    last = json.loads(told.text.strip().rpartition("data: ")[2])
    (logged,) = store.usage.page(sign_in(store)).entries
    sentence = "The model server reported an error and broke off: Overloaded with …\ufffd[31m"
    assert (last["error"]["message"], logged.entry.detail) == (sentence, sentence)


HIDDEN: Final = "No worker at models.test, nor at http://gpu-7.lan/v1"
"""The host of `make_relayed`'s model server, without a port: a name that no pattern takes for an address."""


async def test_no_reason_in_a_good_answer_told_where_the_model_server_is(store: Store) -> None:
    told, logged = await refused(store, {"error": {"message": HIDDEN, "code": "models.test:8000"}}, 200)
    assert logged == "The model server answered with an error: No worker at …, nor at …"
    assert "models.test" not in told.text


async def test_no_reason_in_a_stream_told_where_the_model_server_is(store: Store) -> None:
    key, failure = make_relayed(store), event({"error": {"message": HIDDEN}})
    async with client_of(store, token=key, upstream=ModelServer(lambda _: stream(said("x"), failure, DONE))) as client:
        told = await client.post("/v1/chat/completions", json={**CHAT, "stream": True})
    (logged,) = store.usage.page(sign_in(store)).entries
    assert logged.entry.detail == "The model server reported an error and broke off: No worker at …, nor at …"
    assert "models.test" not in told.text


async def test_no_word_beside_a_reason_told_where_the_model_server_is(store: Store) -> None:
    words = {"type": "from models.test", "code": "models.test:8000", "param": "at models.test"}
    told, _ = await refused(store, {"error": {"message": "no", **words}}, 400)
    error = told.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("from …", "…", "at …")


async def test_a_refusal_that_broke_off_kept_its_status(store: Store) -> None:
    key, chunks = make_relayed(store), Chunks([b'{"error"', httpx.ReadError("broken")])
    async with client_of(
        store, token=key, upstream=ModelServer(lambda _: httpx.Response(400, stream=chunks))
    ) as client:
        told = await client.post("/v1/chat/completions", json=CHAT)
    assert (told.status_code, told.json()["error"]["message"]) == (400, "The model server answered 400.")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["error", "message", "detail", "loc", "msg", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=300) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body_had_a_readable_reason_or_none(body: bytes) -> None:
    reason = reason_in_body(body)
    if reason is not None:
        told = mask_secrets(reason.message, "")
        assert is_sanitized(told)
        assert 0 < len(told) <= MAX_REASON_CHARACTERS


def test_a_reason_kept_the_words_beside_it() -> None:
    body = b'{"error": {"message": "no", "type": "t", "code": "c", "param": "p"}}'
    assert reason_in_body(body) == ErrorReason("no", "t", "c", "p")
    assert reason_in_body(b'{"error": {"message": "no", "type": 7, "code": 400}}') == ErrorReason("no")
    assert reason_in_body(b'{"object": "error", "message": "no", "type": "t"}') == ErrorReason("no", "t")


@pytest.mark.parametrize(
    "text", ["Ratio 3:45 of 1.5 tokens", "at 12:30", "model llama3.1:8b is not there", "gpt-4.1", "key: value", "a::b"]
)
def test_words_that_are_no_address_stayed(text: str) -> None:
    assert mask_addresses(text) == text


@pytest.mark.parametrize(
    "text",
    ["Cannot connect to host ollama:11434 ssl:default", "dial tcp: lookup vllm: no such host", "at fd00::17", "at ::1"],
)
def test_hosts_of_one_word_and_bare_addresses_were_left_out(text: str) -> None:
    assert not any(name in mask_addresses(text) for name in ("ollama", "vllm", "fd00", "::1"))


@pytest.mark.parametrize("status", [400, 404, 429, 500])
@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("no route to models.test:8000 there", "models.test"),
        ("MODELS.TEST says no", "MODELS"),
        ("try 10.1.2.3:8000 there", "10.1.2.3"),
        ("api_base=http://inner/v1 refused", "inner"),
        ("at 127.0.0.1 and fd00::17", "fd00"),
        ("at [::1]:8000 there", "::1"),
    ],
)
async def test_no_refusal_told_where_the_model_server_is(status: int, said: str, hidden: str) -> None:
    site = SiteView("http://models.test:8000/v1", "", (), 0, 0, 0, 0)
    told = await response_problem(answer({"error": {"message": said}}, status), site)
    assert hidden not in str(told)
    assert "…" in str(told)
