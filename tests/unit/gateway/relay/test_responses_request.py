"""Requests of the Responses API: what names a stored item, or a tool of the model server, is never passed on."""

import json
from typing import Any, Final, get_type_hints

import pytest
from openai.types.responses import response_create_params

from gateway.problems import OpenAiProblem
from gateway.relay.endpoints import BATCHES, RESPONSES
from gateway.relay.prompt_estimate import TOKENS_PER_FILE, TOKENS_PER_PICTURE
from gateway.relay.request import Call, OutputLength, parse_request
from gateway.relay.responses_request import RESPONSE_FIELDS

PICTURE: Final = "data:image/png;base64," + "A" * 30_000
REFUSED_OF_OPENAI: Final = {
    "access_programs",  # chooses another program of the model
    "background_options",
    "context_management",  # costs tokens of its own
    "image",
    "moderation",  # calls another model
    "prompt",  # is stored, and may name another model
    "prompt_cache_options",  # may name a stored answer
    "service_tier",
}


def parsed(**body: Any) -> Call:
    return parse_request(RESPONSES, "application/json", json.dumps({"model": "gpt-priced", **body}).encode())


def sent(**body: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(parsed(**body).content)
    return document


def refused(**body: Any) -> str | None:
    with pytest.raises(OpenAiProblem) as caught:
        parsed(**body)
    assert caught.value.status == 400
    return caught.value.param


def test_every_field_of_openai_was_passed_on_or_is_known_to_be_refused() -> None:
    documented = set(get_type_hints(response_create_params.ResponseCreateParamsBase)) | {"stream"}
    assert documented - RESPONSE_FIELDS == REFUSED_OF_OPENAI


def test_a_request_of_a_coding_agent_was_passed_on_and_stores_nothing() -> None:
    body: dict[str, Any] = {
        "instructions": "You are an agent.",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix it."}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "shell", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "done"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": "*** Begin"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": "ok"},
            {"role": "user", "content": "And now?"},
        ],
        "tools": [
            {"type": "function", "name": "shell", "description": "", "parameters": {}, "strict": False},
            {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark"}},
            {"type": "local_shell"},
            {"type": "namespace", "name": "mcp", "tools": [{"type": "function", "name": "f"}]},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
        "text": {"verbosity": "low"},
        "client_metadata": {"session": "1"},
    }
    assert sent(**body) == {"model": "gpt-priced", **body, "store": False}


def test_reasoning_in_plain_text_was_passed_on_under_nobodys_id() -> None:
    item = {"type": "reasoning", "id": "rs_secret", "content": [{"type": "reasoning_text", "text": "Hm."}]}
    assert sent(input=[item])["input"] == [{**item, "id": "rs_0"}]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_1"},
        {"type": None, "id": "msg_1"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": None},
        {"type": "message", "id": "msg_1", "role": "assistant"},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": []},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": ""},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": ""},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": {}},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": ""},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": False},
        [{"type": "item_reference", "id": "msg_1"}],
        "msg_1",
        {"type": "function_call", "id": "fc_1"},
        {"type": "image_generation_call", "id": "ig_1"},
        {"type": "code_interpreter_call", "id": "ci_1", "container_id": "c"},
        {"type": "mcp_approval_response", "approval_request_id": "m", "approve": True},
        {"type": ["message"], "content": "x"},
        {"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]},
        {"type": "function_call_output", "output": [{"type": "input_image", "file_id": "file-1"}]},
    ],
)
def test_an_item_that_is_stored_was_refused(item: Any) -> None:
    assert refused(input=[item]) == "input"


@pytest.mark.parametrize("items", [{"type": "item_reference", "id": "msg_1"}, {}, 5, False])
def test_an_input_that_is_neither_text_nor_a_list_was_refused(items: Any) -> None:
    assert refused(input=items) == "input"


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search"},
        {"type": "web_search_preview"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "code_interpreter", "container": "c"},
        {"type": "image_generation"},
        {"type": "mcp", "server_url": "https://example.com"},
        {"type": "shell"},
        {"type": "function", "name": "f", "googleSearch": {}},
        {"type": "function", "function": {"name": "f"}},
        {"type": "namespace", "name": "n", "tools": [{"type": "web_search"}]},
        {"type": "namespace", "name": "n", "tools": "all"},
        {"type": ["function"]},
        {"name": "f"},
        "function",
    ],
)
def test_a_tool_that_the_model_server_runs_was_refused(tool: Any) -> None:
    assert refused(input="x", tools=[tool]) == "tools"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("store", "no"),
        ("background", True),
        ("background", 1),
        ("previous_response_id", "../models"),
        ("previous_response_id", ""),
        ("previous_response_id", ["resp_1"]),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("prompt", {"id": "pmpt_1"}),
        ("client_metadata", {"tags": "paid"}),
        ("metadata", {"litellm_params": "x"}),
        ("max_output_tokens", 0),
        ("max_tokens", 5),
        ("n", 2),
        ("Store", True),
        ("service_tier", "auto"),
        ("stream_options", {"include": True}),
    ],
)
def test_a_field_that_stores_or_changes_the_price_was_refused(field: str, value: Any) -> None:
    assert (refused(input="x", **{field: value}) or "").casefold() == field.casefold()


def test_what_is_stored_is_known_of_the_call() -> None:
    call = parsed(input="x", store=True, previous_response_id="resp_1")
    assert (call.stores, call.resource_id) == (True, "resp_1")
    assert json.loads(call.content)["store"] is True
    assert (parsed(input="x").stores, parsed(input="x").resource_id) == (False, "")


@pytest.mark.parametrize(
    "address", ["/v1/responses", "/V1/Responses", "v1/responses/", ["/v1/responses"], {"a": 1}, None]
)
def test_a_batch_of_responses_was_refused(address: Any) -> None:
    body = {"input_file_id": "file-1", "endpoint": address, "completion_window": "24h"}
    with pytest.raises(OpenAiProblem) as caught:
        parse_request(BATCHES, "application/json", json.dumps(body).encode())
    assert (caught.value.status, caught.value.param) == (400, "endpoint")


def test_nulls_were_none() -> None:
    nothing = dict.fromkeys(("store", "background", "previous_response_id", "conversation", "max_output_tokens"))
    body = sent(input="x", tools=None, metadata=None, client_metadata=None, **nothing)
    assert body["store"] is False
    assert "max_output_tokens" not in body


def test_the_limit_and_the_prompt_were_read() -> None:
    assert parsed(input="x", max_output_tokens=7).length == OutputLength(1, 7)
    assert parsed(input="x").length == OutputLength(1, None)
    picture = {"type": "input_image", "image_url": PICTURE}
    file = {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64," + "A" * 30_000}
    expected = TOKENS_PER_PICTURE + TOKENS_PER_FILE
    assert expected < parsed(input=[{"role": "user", "content": [picture, file]}]).prompt_tokens < expected + 150
    assert (
        TOKENS_PER_PICTURE < parsed(input=[{"type": "function_call_output", "output": [picture]}]).prompt_tokens < 1650
    )
    assert parsed(input="A" * 30_000).prompt_tokens > 10_000
