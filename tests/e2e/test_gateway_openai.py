"""OpenAI's own SDK, unchanged, in front of the relay; a real model server, as far as a protocol goes, behind it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from store.money import MICRO_PER_USD
from store.values.billing import ModelPrice
from store.values.usage import Kind
from tests.fakes.model_answers import PROMPT_TOKENS, WORDS, Asked
from tests.harness.gateway_client import FILE_ID, MODEL
from tests.harness.sdk_gateway import PATIENCE, Setup

ANSWER = "".join(WORDS)
COST = PROMPT_TOKENS + 2 * len(WORDS)
"""In micro-USD: one for a token in, two for a token out."""
MESSAGES = [{"role": "user", "content": "Say hello to Alice."}]


def test_a_chat_was_answered_charged_and_logged(setup: Setup) -> None:
    chat = setup.sdk().chat.completions.create(model=MODEL, messages=MESSAGES)  # type: ignore[arg-type]
    assert chat.choices[0].message.content == ANSWER
    assert chat.usage is not None
    assert (chat.usage.prompt_tokens, chat.usage.completion_tokens) == (PROMPT_TOKENS, len(WORDS))
    assert chat._request_id is not None
    assert setup.spent() == COST
    (entry,) = setup.log()
    assert (entry.kind, entry.model, entry.api_key_name, entry.status) == (Kind.CONSUMPTION, MODEL, "laptop", "ok")
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micro_usd) == (PROMPT_TOKENS, len(WORDS), COST)
    assert entry.request_id == chat._request_id
    assert entry.client_ip is None


@pytest.mark.parametrize("asks_for_usage", [False, True])
def test_a_stream_was_passed_on_and_counted(setup: Setup, *, asks_for_usage: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if asks_for_usage else {}
    stream = setup.sdk().chat.completions.create(  # type: ignore[call-overload]
        model=MODEL, messages=MESSAGES, stream=True, **options
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ANSWER
    told = [chunk.usage for chunk in chunks if chunk.usage]
    assert [usage.completion_tokens for usage in told] == ([len(WORDS)] if asks_for_usage else [])
    assert all(chunk.choices for chunk in chunks) is not asks_for_usage
    assert setup.spent() == COST
    assert setup.log()[0].status == "ok"
    assert setup.models.asked[0].body["stream_options"] == {"include_usage": True}


def test_the_other_endpoints_were_relayed(setup: Setup) -> None:
    sdk = setup.sdk()
    assert sdk.completions.create(model=MODEL, prompt="Hello").choices[0].text == ANSWER
    assert sdk.embeddings.create(model=MODEL, input="Hello", encoding_format="float").data[0].embedding == [0.25, -0.5]
    assert [entry.cost_micro_usd for entry in setup.log()] == [PROMPT_TOKENS, COST]


def test_a_picture_was_logged_as_a_drawing_and_a_batch_as_a_task(setup: Setup) -> None:
    setup.store.pricing.set(ModelPrice("painter", 0, 0, 40_000))
    setup.store.pricing.set(ModelPrice("batch", 0, 0, 500_000))
    sdk = setup.sdk()
    pictures = sdk.images.generate(model="painter", prompt="A horse", n=2)
    assert pictures.data is not None
    assert len(pictures.data) == 2
    batch = sdk.batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
    assert batch.status == "validating"
    drawing, task = reversed(setup.log())
    assert (drawing.kind, drawing.cost_micro_usd) == (Kind.DRAWING, 80_000)
    assert (task.kind, task.cost_micro_usd, task.request_id, task.status) == (
        Kind.TASK,
        500_000,
        "batch_0001",
        "validating",
    )
    assert sdk.batches.retrieve(batch.id).status == "completed"
    assert setup.log()[0].status == "completed"


def test_the_batch_example_of_the_sdk_ran(setup: Setup, tmp_path: Path) -> None:
    """As OpenAI's guide to batches has it: upload, create, retrieve, read the results, list, cancel."""
    setup.store.pricing.set(ModelPrice("batch", 0, 0, 500_000))
    requests = [
        {"custom_id": f"request-{n}", "method": "POST", "url": "/v1/chat/completions", "body": {"model": MODEL}}
        for n in (1, 2)
    ]
    path = tmp_path / "batchinput.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in requests))
    client = setup.sdk()

    with path.open("rb") as content:
        batch_input_file = client.files.create(file=content, purpose="batch")
    assert (batch_input_file.filename, batch_input_file.bytes) == ("batchinput.jsonl", path.stat().st_size)
    batch = client.batches.create(
        input_file_id=batch_input_file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"description": "nightly eval job"},
    )
    assert batch.status == "validating"
    batch = client.batches.retrieve(batch.id)
    assert batch.status == "completed"
    assert batch.output_file_id is not None
    results = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    assert [result["custom_id"] for result in results] == ["request-1", "request-2"]
    assert [each.id for each in client.batches.list(limit=10)] == [batch.id]
    assert client.batches.cancel(batch.id).status == "cancelling"

    listed = client.files.list()
    assert {file.id: file.purpose for file in listed} == {
        FILE_ID: "batch",
        batch_input_file.id: "batch",
        batch.output_file_id: "batch_output",
    }
    assert [file.id for file in client.files.list(purpose="batch", limit=1, order="asc")] == [
        FILE_ID,
        batch_input_file.id,
    ]
    assert client.files.retrieve(batch_input_file.id).status == "processed"
    assert client.files.delete(batch_input_file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(batch_input_file.id)

    assert setup.spent() == 500_000
    tasks = [entry for entry in setup.log() if entry.kind is Kind.TASK]
    (task,) = (entry for entry in tasks if entry.model == "batch")
    (upload,) = (entry for entry in tasks if entry.status == "uploaded")
    assert {(entry.model, entry.cost_micro_usd) for entry in tasks} == {
        ("batch", 500_000),
        ("file", 0),
        ("batch-cancel", 0),
    }
    assert (task.request_id, task.status, task.task_done, task.task_total) == (batch.id, "cancelling", 2, 2)
    assert (upload.model, upload.status, upload.cost_micro_usd) == ("file", "uploaded", 0)
    assert batch_input_file.id in upload.detail


def test_content_that_broke_off_was_not_taken_for_whole(setup: Setup) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    setup.models.fault = lambda asked: StreamingResponse(broken()) if asked.path.endswith("/content") else None
    with pytest.raises(openai.APIConnectionError):
        setup.sdk().files.content(FILE_ID)


def test_the_models_were_those_with_a_price(setup: Setup) -> None:
    assert [model.id for model in setup.sdk().models.list()] == [MODEL]
    assert setup.sdk().models.retrieve(MODEL).owned_by == "gatekey"
    assert setup.models.asked == []
    with pytest.raises(openai.NotFoundError):
        setup.sdk().models.retrieve("free-model")


def test_the_sdk_raised_what_it_raises_for_openai(setup: Setup) -> None:
    with pytest.raises(openai.AuthenticationError) as wrong_key:
        setup.sdk("sk-wrong").models.list()
    assert wrong_key.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError, match="gpt-unpriced has no price") as unpriced:
        setup.sdk().chat.completions.create(model="gpt-unpriced", messages=MESSAGES)  # type: ignore[arg-type]
    assert unpriced.value.code == "model_not_priced"
    with pytest.raises(openai.BadRequestError) as bad:
        setup.sdk().chat.completions.create(model=MODEL, messages=MESSAGES, max_tokens=-1)  # type: ignore[arg-type]
    assert bad.value.param == "max_tokens"
    assert setup.models.asked == []


def test_what_changes_the_price_was_refused_and_all_else_passed_on(setup: Setup) -> None:
    sdk = setup.sdk()
    priced: tuple[dict[str, Any], ...] = (
        {"service_tier": "priority"},
        {"web_search_options": {}},
        {"extra_body": {"provider": {}}},
    )
    for fields in priced:
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.chat.completions.create(model=MODEL, messages=MESSAGES, **fields)  # type: ignore[arg-type]
        assert refused.value.param in ("service_tier", "web_search_options", "provider")
    assert setup.models.asked == []
    everything = {
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["x"],
        "seed": 7,
        "logprobs": True,
        "top_logprobs": 2,
        "response_format": {"type": "json_object"},
        "reasoning_effort": "low",
        "verbosity": "low",
        "max_completion_tokens": 50,
        "metadata": {"customer": "7"},
        "store": False,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "parallel_tool_calls": False,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": "auto",
        "user": "u",
    }
    chat = sdk.chat.completions.create(  # type: ignore[call-overload]
        model=MODEL, messages=MESSAGES, extra_body={"top_k": 40, "min_p": 0.1}, **everything
    )
    assert chat.choices[0].message.content == ANSWER
    assert setup.models.asked[0].body == {
        "model": MODEL,
        "messages": MESSAGES,
        "top_k": 40,
        "min_p": 0.1,
        **everything,
    }


def test_a_server_that_refuses_to_report_usage_was_streamed_from(setup: Setup) -> None:
    def old(asked: Asked) -> Response | None:
        if "stream_options" in asked.body:
            return JSONResponse({"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs"}]}, 422)
        return None

    setup.models.fault = old
    for _ in range(2):
        stream = setup.sdk().chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)  # type: ignore[arg-type]
        said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)  # type: ignore[union-attr]
        assert said == ANSWER
    assert ["stream_options" in asked.body for asked in setup.models.asked] == [True, False, False]
    assert [entry.completion_tokens for entry in setup.log()] == [len(WORDS)] * 2


def test_an_empty_account_was_told_so_once(setup: Setup) -> None:
    setup.store.quota.adjust("alice", set_to=0, actor="test")
    sdk = openai.OpenAI(api_key=setup.key, base_url=f"{setup.base_url}/v1", max_retries=5)
    setup.closing.append(sdk)
    with pytest.raises(openai.RateLimitError) as refused:
        sdk.chat.completions.create(model=MODEL, messages=MESSAGES)  # type: ignore[arg-type]
    assert refused.value.code == "insufficient_quota"
    assert [entry.status for entry in setup.log()] == ["insufficient_quota"]
    assert setup.models.asked == []


def test_a_client_that_left_was_charged_for_what_it_had(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    setup.hang_after_three_words(monkeypatch)
    stream = setup.sdk().chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)  # type: ignore[arg-type]
    for _ in zip(range(3), stream, strict=False):
        pass
    stream.close()  # type: ignore[union-attr]
    setup.closing.pop().close()
    entry = setup.entry()
    assert (entry.kind, entry.status) == (Kind.CONSUMPTION, "client_gone")
    assert entry.completion_tokens == 3
    assert 0 < entry.cost_micro_usd < MICRO_PER_USD
    assert setup.spent() == entry.cost_micro_usd


def test_nothing_that_was_sent_or_stored_held_the_other_sides_key(setup: Setup) -> None:
    assert setup.store.site.text("upstream.api_key")
    answer = httpx.post(
        f"{setup.base_url}/v1/chat/completions",
        json={"model": MODEL, "messages": MESSAGES},
        headers={"Authorization": f"Bearer {setup.key}", "Cookie": "a=b", "X-Forwarded-For": "8.8.8.8"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200
    sent = setup.models.asked[0].headers
    assert setup.key not in str(sent)
    assert "cookie" not in sent
    assert "x-forwarded-for" not in sent
    assert sent["authorization"] == f"Bearer {setup.store.site.text('upstream.api_key')}"
