"""Only known fields reach the model server: what changes the price or the model never does, whoever allows it."""

import json
from typing import Any, Final, get_type_hints

import pytest
from openai.types import batch_create_params, completion_create_params, embedding_create_params, image_generate_params
from openai.types.chat import completion_create_params as chat_create_params

from gateway.problems import OpenAiProblem
from gateway.relay.endpoints import ENDPOINTS
from gateway.relay.fields import (
    BATCH_FIELDS,
    CHAT_FIELDS,
    COMPLETION_FIELDS,
    EMBEDDING_FIELDS,
    EXTRA_FIELDS_SETTING,
    IMAGE_FIELDS,
)
from gateway.relay.request import Endpoint, parse_request
from store.request_fields import GATEWAY_FIELDS, LENGTH_KEYS, MODEL_OVERRIDE_KEYS, PRICE_KEYS, refusal
from store.store import Store
from tests.fakes.scripted_model_server import CHAT as ASKED
from tests.fakes.scripted_model_server import ModelServer
from tests.harness.gateway_client import MODEL, client_of, make_relayed
from tests.harness.stores import sign_in

CHATS: Final = ENDPOINTS[0]
JSON_ENDPOINTS: Final = [each for each in ENDPOINTS if not each.files]
JSON: Final = "application/json"
REFUSED_OF_OPENAI: Final = {"service_tier", "web_search_options", "svg"}
"""Documented, and each changes the price or the model."""
MORE: Final = (
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "default_fallbacks",
    "mock_testing_rate_limit_error",
    "litellm_session_id",
    "aws_region_name",
    "output_cost_per_second",
    "SERVICE_TIER",
    "Models",
)


def refused(endpoint: Endpoint, extra: frozenset[str] = frozenset(), **body: Any) -> OpenAiProblem:
    with pytest.raises(OpenAiProblem) as caught:
        parse_request(endpoint, JSON, json.dumps({"model": MODEL, **body}).encode(), extra)
    return caught.value


def sent(**body: Any) -> dict[str, Any]:
    raw = json.dumps({"model": MODEL, "messages": [], **body}).encode()
    document: dict[str, Any] = json.loads(parse_request(CHATS, JSON, raw).content)
    return document


@pytest.mark.parametrize("endpoint", JSON_ENDPOINTS, ids=lambda endpoint: endpoint.path)
@pytest.mark.parametrize("name", [*sorted(MODEL_OVERRIDE_KEYS | PRICE_KEYS | LENGTH_KEYS), *MORE])
def test_no_endpoint_let_the_price_or_the_model_be_changed_whatever_is_allowed(endpoint: Endpoint, name: str) -> None:
    problem = refused(endpoint, frozenset({name, name.lower()}), **{name: ["gpt-unpriced"]})
    assert (problem.status, problem.param) == (400, name.lower())
    assert str(problem).startswith(name.lower())
    assert not any(name in known.fields - set(known.limits) for known in ENDPOINTS)


@pytest.mark.parametrize(
    ("known", "documented"),
    [
        (CHAT_FIELDS, chat_create_params.CompletionCreateParamsBase),
        (COMPLETION_FIELDS, completion_create_params.CompletionCreateParamsBase),
        (EMBEDDING_FIELDS, embedding_create_params.EmbeddingCreateParams),
        (IMAGE_FIELDS, image_generate_params.ImageGenerateParamsBase),
        (BATCH_FIELDS, batch_create_params.BatchCreateParams),
    ],
)
def test_every_documented_field_was_passed_on_unless_it_changes_the_price(
    known: frozenset[str], documented: type
) -> None:
    names = set(get_type_hints(documented))
    assert names - known == names & REFUSED_OF_OPENAI
    assert all(refusal(name) for name in REFUSED_OF_OPENAI)
    assert not [name for name in known if refusal(name)]


def test_the_usual_fields_of_servers_that_one_runs_oneself_were_passed_on() -> None:
    body = {
        "top_k": 40,
        "min_p": 0.1,
        "repetition_penalty": 1.1,
        "repeat_penalty": 1.1,
        "mirostat": 2,
        "grammar": "root ::= x",
        "guided_json": {"type": "object"},
        "chat_template_kwargs": {"enable_thinking": False},
        "num_ctx": 8192,
        "think": True,
        "usage": {"include": True},
        "metadata": {"customer": "7", "route": "/home"},
        "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "g"}}],
    }
    assert sent(**body) == {"model": MODEL, "messages": [], **body}


async def test_a_field_that_nobody_knows_was_refused_until_the_administrator_let_it_through(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        response = await client.post("/v1/chat/completions", json={**ASKED, "top_banana": 1})
    assert (response.status_code, models.requests) == (400, [])
    error = response.json()["error"]
    assert error == {
        "message": "The field top_banana is not passed on, because it is not known here whether it changes the price. "
        "Leave it out, or ask the administrator to add it to relay.extra_fields.",
        "type": "invalid_request_error",
        "param": "top_banana",
        "code": None,
    }
    assert [logged.entry.detail for logged in store.usage.page(sign_in(store)).entries] == [error["message"]]
    store.site.set(EXTRA_FIELDS_SETTING, "top_banana")
    async with client_of(store, token=key, upstream=models) as client:
        passed = await client.post("/v1/chat/completions", json={**ASKED, "top_banana": 1})
        others = await client.post("/v1/chat/completions", json={**ASKED, "Top_Banana": 1})
    assert (passed.status_code, others.status_code) == (200, 400)
    assert models.bodies == [{**ASKED, "top_banana": 1}]


@pytest.mark.parametrize("name", sorted(GATEWAY_FIELDS))
def test_what_the_gateway_reads_was_refused_in_other_letters(name: str) -> None:
    problem = refused(CHATS, frozenset({name.capitalize()}), **{name.capitalize(): 1})
    assert (problem.param, str(problem)) == (name, f"Write {name} in small letters.")


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "web_search"}],
        [{"type": "web_search_preview"}],
        [{"type": "function", "function": {"name": "f"}}, {"type": "code_interpreter"}],
        [{"type": "builtin_function", "function": {"name": "$web_search"}}],
        [{"type": "openrouter:web_search"}],
        [{"type": "mcp", "server_url": "https://example.com"}],
        [{"type": "function", "function": {"name": "f"}, "googleSearch": {}}],
        [{"googleSearch": {}}],
        [{"function": {"name": "f"}}],
        [{"type": ["function"]}],
        ["function"],
        {"type": "function"},
        "web_search",
    ],
)
def test_a_tool_that_the_model_server_runs_was_refused(tools: Any) -> None:
    assert (refused(CHATS, tools=tools).param, sent(tools=None, metadata=None)["tools"]) == ("tools", None)


@pytest.mark.parametrize(
    "metadata",
    [
        {"tags": "paid"},
        {"Tags": "paid"},
        {"tags": ["paid"]},
        {"specific_deployment": "x"},
        {"model_info": "x"},
        {"default_fallbacks": "x"},
        {"litellm_params": "x"},
        {"user_api_key_team_id": "x"},
        {"customer": {"model": "x"}},
        {"customer": 7},
        ["tags"],
        "tags",
    ],
)
@pytest.mark.parametrize("endpoint", [ENDPOINTS[0], ENDPOINTS[-1]], ids=["chat", "batch"])
def test_metadata_chose_no_model(endpoint: Endpoint, metadata: Any) -> None:
    assert refused(endpoint, metadata=metadata).param == "metadata"


async def test_a_field_that_is_named_like_a_key_was_neither_told_nor_kept(store: Store) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key) as client:
        response = await client.post("/v1/chat/completions", json={**ASKED, f"x{key}\x1b[31m": 1})
    assert response.status_code == 400
    assert key not in response.text
    assert response.json()["error"]["param"] == "x…\N{REPLACEMENT CHARACTER}[31m"
    with store.database.read() as tx:
        assert key not in repr(tx.exec_driver_sql("SELECT * FROM usage_log").all())
