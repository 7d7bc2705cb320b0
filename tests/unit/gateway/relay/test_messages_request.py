"""Anthropic's Messages API: what is sent, what is charged, and the form of the errors."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest

from gateway.problems import OpenAiProblem
from gateway.relay.endpoints import MESSAGES
from gateway.relay.event_readers import message_event
from gateway.relay.message_usage import message_usage
from gateway.relay.prompt_estimate import TOKENS_PER_FILE, TOKENS_PER_PICTURE
from gateway.relay.request import Call, OutputLength, parse_request
from gateway.relay.stream_event import EventFacts
from gateway.relay.usage_report import ReportedUsage
from store.store import Store
from store.values.billing import ModelPrice
from store.values.usage import Kind
from tests.fakes.model_answers import typed_event
from tests.fakes.scripted_model_server import ModelServer, answer, stream
from tests.harness.gateway_client import MODEL, UPSTREAM_KEY, client_of, make_relayed
from tests.harness.usage_log import entries_of

PATH: Final = "/v1/messages"
ASKED: Final[dict[str, Any]] = {
    "model": MODEL,
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Say hello."}],
}
USAGE: Final = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 1_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 80, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 7,
}
SAID: Final = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "Hello"}],
    "usage": USAGE,
}
BETAS: Final = "claude-code-20250219, context-1m-2025-08-07,interleaved-thinking-2025-05-14,fast-mode-2026-02-01"
WEIGHTED: Final = 10 + 1_000 + 80 * 5 // 4 + 20 * 2


def delta(text: str) -> bytes:
    return typed_event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})


START: Final = typed_event({"type": "message_start", "message": {"usage": {**USAGE, "output_tokens": 1}}})
END: Final = typed_event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}})
STOP: Final = typed_event({"type": "message_stop"})


def parsed(**body: Any) -> Call:
    return parse_request(MESSAGES, "application/json", json.dumps({**ASKED, **body}).encode())


def refused(**body: Any) -> str | None:
    with pytest.raises(OpenAiProblem) as caught:
        parsed(**body)
    assert caught.value.status == 400
    return caught.value.param


@pytest.mark.parametrize(
    "credentials",
    [
        {"x-api-key": "KEY"},
        {"Authorization": "Bearer KEY"},
        {"x-api-key": "KEY", "Authorization": "Bearer sk-ant-other"},
        {"x-api-key": "sk-ant-other", "Authorization": "Bearer KEY"},
    ],
)
async def test_a_message_was_sent_with_the_headers_of_both_kinds_and_charged(
    store: Store, credentials: dict[str, str]
) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(SAID))
    sent = {name: value.replace("KEY", key) for name, value in credentials.items()}
    sent |= {"anthropic-beta": BETAS, "Cookie": "a=b"}
    async with client_of(store, upstream=models) as client:
        response = await client.post(PATH, json=ASKED, headers={**sent, "anthropic-version": "2023-06-01"})
    assert (response.status_code, response.json()) == (200, SAID)
    (request,) = models.requests
    assert str(request.url).endswith(PATH)
    assert (request.headers["authorization"], request.headers["x-api-key"]) == (f"Bearer {UPSTREAM_KEY}", UPSTREAM_KEY)
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["anthropic-beta"] == "claude-code-20250219,interleaved-thinking-2025-05-14"
    assert "cookie" not in request.headers
    assert json.loads(request.content) == ASKED
    (entry,) = entries_of(store)
    assert (entry.kind, entry.status, entry.prompt_tokens, entry.cached_tokens) == (
        Kind.CONSUMPTION,
        "ok",
        WEIGHTED,
        1_000,
    )
    assert (entry.completion_tokens, entry.cost_micro_usd) == (7, WEIGHTED + 2 * 7)
    assert response.headers["request-id"] == response.headers["x-request-id"] == entry.request_id


async def test_a_key_of_anthropic_was_sent_without_a_bearer(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(SAID))
    store.site.set("upstream.api_key", "sk-ant-api03-abcdefghij")
    async with client_of(store, token=key, upstream=models) as client:
        await client.post(PATH, json=ASKED)
        await client.post("/v1/chat/completions", json={"model": MODEL, "messages": []})
    first, second = models.requests
    assert ("authorization" in first.headers, first.headers["x-api-key"]) == (False, "sk-ant-api03-abcdefghij")
    assert ("authorization" in second.headers, "x-api-key" in second.headers) == (True, False)


async def test_a_stream_was_passed_on_to_its_last_event_and_charged(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: stream(START, delta("Hel"), delta("lo"), END, STOP))
    async with client_of(store, token=key, upstream=models) as client:
        response = await client.post(PATH, json={**ASKED, "stream": True})
    assert response.content == START + delta("Hel") + delta("lo") + END + STOP
    assert response.headers["request-id"] == response.headers["x-request-id"]
    (entry,) = entries_of(store)
    assert (entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens) == (WEIGHTED, 1_000, 7)
    assert (entry.status, "stream_options" in json.loads(models.requests[0].content)) == ("ok", False)


async def test_a_stream_that_broke_was_charged_for_its_start(store: Store) -> None:
    key = make_relayed(store)
    models = ModelServer(lambda _: stream(START, delta("Hel"), delta("lo"), httpx.ReadError("gone")))
    async with client_of(store, token=key, upstream=models) as client:
        response = await client.post(PATH, json={**ASKED, "stream": True})
    name, data = response.content.removeprefix(START + delta("Hel") + delta("lo")).split(b"\n")[:2]
    assert name == b"event: error"
    error = json.loads(data.removeprefix(b"data: "))
    assert (error["type"], error["error"]["type"]) == ("error", "api_error")
    (entry,) = entries_of(store)
    assert (entry.kind, entry.prompt_tokens, entry.completion_tokens) == (Kind.ERROR, WEIGHTED, 2)


async def test_counting_tokens_costs_a_request_and_no_tokens(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer({"input_tokens": 4_000}))
    store.pricing.set(ModelPrice(MODEL, 1_000_000, 1_000_000, 3))
    body = {name: ASKED[name] for name in ("model", "messages")}
    async with client_of(store, token=key, upstream=models) as client:
        response = await client.post(f"{PATH}/count_tokens", json=body)
        unpriced = await client.post(f"{PATH}/count_tokens", json={**body, "model": "other"})
    assert response.json() == {"input_tokens": 4_000}
    assert (unpriced.status_code, unpriced.json()["error"]["type"]) == (403, "permission_error")
    refusal, entry = entries_of(store)
    assert (refusal.kind, entry.kind, entry.status, entry.detail) == (Kind.ERROR, Kind.CONSUMPTION, "ok", "")
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micro_usd) == (0, 0, 3)


def overloaded(_: httpx.Request) -> httpx.Response:
    return answer({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 529)


def invalid(_: httpx.Request) -> httpx.Response:
    error = {"type": "invalid_request_error", "message": "max_tokens: Field required"}
    return answer({"type": "error", "error": error}, 400)


@pytest.mark.parametrize(
    ("changes", "reply", "status", "kind"),
    [
        ({"model": "gpt-unpriced"}, overloaded, 403, "permission_error"),
        ({"mcp_servers": []}, overloaded, 400, "invalid_request_error"),
        ({}, overloaded, 503, "overloaded_error"),
        ({}, invalid, 400, "invalid_request_error"),
        ({}, lambda _: answer({}, 404), 404, "not_found_error"),
        ({}, lambda _: answer({}, 500), 502, "api_error"),
        ({}, lambda _: answer({"error": {"message": "No."}}), 502, "api_error"),
    ],
)
async def test_an_error_has_the_form_of_anthropic(
    store: Store, changes: Mapping[str, Any], reply: Any, status: int, kind: str
) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(reply)) as client:
        response = await client.post(PATH, json={**ASKED, **changes})
    body = response.json()
    assert (response.status_code, body["type"], body["error"]["type"]) == (status, "error", kind)
    assert body["error"].keys() == {"type", "message"}
    assert body["request_id"] == response.headers["request-id"] == entries_of(store)[0].request_id


async def test_an_error_before_the_call_has_that_form_too(store: Store) -> None:
    key = make_relayed(store, quota_usd=0)
    async with client_of(store) as client:
        missing = await client.post(PATH, json=ASKED)
        wrong = await client.post(PATH, json=ASKED, headers={"x-api-key": "sk-nothing"})
        unknown = await client.get(f"{PATH}/batches", headers={"x-api-key": key})
        other_method = await client.get(PATH)
        poor = await client.post(PATH, json=ASKED, headers={"x-api-key": key})
        elsewhere = await client.post("/v1/chat/completions", json=ASKED, headers={"x-api-key": key})
    kinds = [(each.status_code, each.json()["error"]["type"]) for each in (missing, wrong, unknown, other_method, poor)]
    assert kinds == [
        (401, "authentication_error"),
        (401, "authentication_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (429, "billing_error"),
    ]
    assert "x-api-key header is malformed" in wrong.json()["error"]["message"]
    assert "messages/count_tokens" in unknown.json()["error"]["message"]
    assert poor.headers["x-should-retry"] == "false"
    assert (elsewhere.status_code, elsewhere.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [{"type": "web_search_20260209", "name": "web_search"}]),
        ("tools", [{"type": "code_execution_20250825", "name": "code_execution"}]),
        ("tools", [{"type": "bash_code_execution_20250825", "name": "x"}]),
        ("tools", [{"name": "f", "input_schema": {}, "web_search": {}}]),
        ("messages", [{"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}]),
        ("messages", [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]),
        ("system", [{"type": "text", "text": "x", "file_id": "f"}]),
        ("container", "c_1"),
        ("context_management", {"edits": [{"type": "compact_20260112"}]}),
        ("context_management", {"edits": [{"type": "clear_tool_uses_20250919"}], "compact": True}),
        ("context_management", {"edits": "clear"}),
        ("context_management", []),
        ("speed", "fast"),
        ("inference_geo", "us"),
        ("service_tier", "auto"),
        ("max_tokens", 0),
        ("metadata", {"tags": "x"}),
    ],
)
def test_what_is_stored_or_changes_the_price_was_refused(field: str, value: Any) -> None:
    assert refused(**{field: value}) == field


def test_a_request_of_a_coding_agent_was_passed_on() -> None:
    body: dict[str, Any] = {
        **ASKED,
        "system": [{"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"file_id": "x"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "done"}]},
        ],
        "tools": [
            {"name": "f", "description": "", "input_schema": {"type": "object"}, "cache_control": None},
            {"type": "custom", "name": "g", "input_schema": {}},
            {"type": "bash_20250124", "name": "bash"},
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 100},
        ],
        "metadata": {"user_id": "u"},
        "thinking": {"type": "enabled", "budget_tokens": 1_024},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "temperature": 1,
        "stream": True,
    }
    assert json.loads(parsed(**body).content) == body


def test_the_limit_and_the_prompt_were_read() -> None:
    call = parsed()
    assert (call.length, parsed(max_tokens=None).length) == (OutputLength(1, 100), OutputLength(1, None))
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 30_000}
    parts = [{"type": "image", "source": source}, {"type": "document", "source": source}]
    embedded = parsed(messages=[{"role": "user", "content": parts}]).prompt_tokens
    nested = parsed(messages=[{"role": "user", "content": [{"type": "tool_result", "content": parts}]}]).prompt_tokens
    for tokens in (embedded, nested):
        assert TOKENS_PER_PICTURE + TOKENS_PER_FILE < tokens < TOKENS_PER_PICTURE + TOKENS_PER_FILE + 150
    text = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A" * 30_000}}
    assert parsed(messages=[{"role": "user", "content": [text]}]).prompt_tokens > 10_000
    words = "Only words. " * 1_000
    plain = parsed(system=words).prompt_tokens
    written = parsed(system=[{"type": "text", "text": words, "cache_control": {"type": "ephemeral"}}]).prompt_tokens
    hour = {"type": "ephemeral", "ttl": "1h"}
    for_an_hour = parsed(system=[{"type": "text", "text": words, "cache_control": hour}]).prompt_tokens
    assert written > plain * 5 // 4
    assert for_an_hour > plain * 2


@pytest.mark.parametrize(
    ("usage", "reported"),
    [
        (USAGE, ReportedUsage(WEIGHTED, 7, 1_000)),
        ({"input_tokens": 3, "output_tokens": 4}, ReportedUsage(3, 4, 0)),
        ({"output_tokens": 4}, ReportedUsage(0, 4, 0)),
        ({"input_tokens": 1, "cache_creation_input_tokens": 1, "output_tokens": 0}, ReportedUsage(3, 0, 0)),
        (
            {"cache_creation_input_tokens": 4, "cache_creation": {"ephemeral_1h_input_tokens": 9}},
            ReportedUsage(8, None),
        ),
        ({"input_tokens": 0, "output_tokens": 0}, None),
        ({"input_tokens": "3"}, None),
        (None, None),
    ],
)
def test_a_report_was_read(usage: Any, reported: ReportedUsage | None) -> None:
    assert message_usage({"usage": usage}) == reported


@pytest.mark.parametrize(
    ("document", "facts"),
    [
        ({"type": "ping"}, EventFacts()),
        ({"type": "message_stop"}, EventFacts(is_done=True)),
        ({"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}}, None),
        ({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "Hm"}}, (2,)),
        ({"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": '{"a"'}}, (4,)),
        ({"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "abc"}}, EventFacts()),
        ({"type": "content_block_start", "content_block": {"type": "text", "text": ""}}, EventFacts()),
        ({"type": "content_block_start", "content_block": "?"}, EventFacts()),
        (
            {"type": "content_block_start", "content_block": {"type": "text", "text": "Hello"}},
            EventFacts(is_delta=True, text_bytes=5),
        ),
        (
            {"type": "content_block_start", "content_block": {"type": "redacted_thinking", "data": "AAAA"}},
            EventFacts(is_delta=True, text_bytes=4),
        ),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}, "Busy"),
    ],
)
def test_an_event_of_a_message_was_read(document: Any, facts: Any) -> None:
    if facts is None:
        facts = EventFacts(usage=ReportedUsage(3, None))
    elif isinstance(facts, tuple) and len(facts) == 1:
        facts = EventFacts(is_delta=True, text_bytes=facts[0])
    elif isinstance(facts, str):
        facts = EventFacts(is_error=True, reason=facts)
    assert message_event(typed_event(document)) == facts
