"""Anthropic's own SDK, unchanged, in front of the relay; a real model server, as far as a protocol goes, behind it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import anthropic
import pytest
from anthropic.types import MessageParam, TextBlock
from starlette.responses import JSONResponse, StreamingResponse

from store.values.usage import Kind
from tests.fakes.model_answers import PROMPT_TOKENS, WORDS, typed_event
from tests.harness.gateway_client import MODEL
from tests.harness.sdk_gateway import PATIENCE, Setup, served_sdk_gateway
from tests.harness.waiting import wait_until

ANSWER: Final = "".join(WORDS)
COST: Final = PROMPT_TOKENS + 2 * len(WORDS)
"""In micro-USD: one for a token in, two for a token out."""
MAX_TOKENS: Final = 100
MESSAGES: Final[list[MessageParam]] = [{"role": "user", "content": "Say hello to Alice."}]
TEXT_EVENTS: Final = ["content_block_delta", "text"] * len(WORDS)
EVENTS: Final = [
    "message_start",
    "content_block_start",
    *TEXT_EVENTS,
    "content_block_stop",
    "message_delta",
    "message_stop",
]
"""What the SDK makes of the answer: each piece of text once as it came, and once as an event of its own."""


def sdk_of(setup: Setup, key: str | None = None, *, max_retries: int = 0) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        api_key=key or setup.key, base_url=setup.base_url, max_retries=max_retries, timeout=PATIENCE
    )


@pytest.fixture
def sdk(setup: Setup) -> Iterator[anthropic.Anthropic]:
    with sdk_of(setup) as client:
        yield client


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if isinstance(block, TextBlock))


def test_a_message_was_answered_charged_and_logged(setup: Setup, sdk: anthropic.Anthropic) -> None:
    message = sdk.messages.create(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES)
    assert (text_of(message), message.stop_reason) == (ANSWER, "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (PROMPT_TOKENS, len(WORDS))
    assert setup.spent() == COST
    (entry,) = setup.log()
    assert (entry.kind, entry.model, entry.api_key_name, entry.status) == (Kind.CONSUMPTION, MODEL, "laptop", "ok")
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micro_usd) == (PROMPT_TOKENS, len(WORDS), COST)
    assert entry.request_id == message._request_id


def test_a_stream_was_passed_on_and_counted(setup: Setup, sdk: anthropic.Anthropic) -> None:
    with sdk.messages.stream(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES) as stream:
        events = list(stream)
        message = stream.get_final_message()
    assert [event.type for event in events] == EVENTS
    assert tuple(event.text for event in events if event.type == "text") == WORDS
    assert (text_of(message), message.stop_reason) == (ANSWER, "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (PROMPT_TOKENS, len(WORDS))
    assert setup.spent() == COST
    (entry,) = setup.log()
    assert (entry.kind, entry.status, entry.cost_micro_usd) == (Kind.CONSUMPTION, "ok", COST)
    assert (entry.prompt_tokens, entry.completion_tokens) == (PROMPT_TOKENS, len(WORDS))
    assert entry.request_id == stream.request_id


def test_a_stream_without_usage_was_counted(setup: Setup, sdk: anthropic.Anthropic) -> None:
    setup.models.reports_usage = False
    with sdk.messages.stream(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES) as stream:
        words = tuple(stream.text_stream)
        message = stream.get_final_message()
    assert (words, text_of(message), message.stop_reason) == (WORDS, ANSWER, "end_turn")
    (entry,) = setup.log()
    assert (entry.kind, entry.status, entry.completion_tokens) == (Kind.CONSUMPTION, "ok", len(WORDS))
    assert "counted from the stream" in entry.detail
    assert setup.spent() == entry.cost_micro_usd == entry.prompt_tokens + 2 * len(WORDS)
    assert entry.prompt_tokens > 0
    assert entry.request_id == stream.request_id


def test_counting_tokens_was_free(setup: Setup, sdk: anthropic.Anthropic) -> None:
    count = sdk.messages.count_tokens(model=MODEL, messages=MESSAGES, system="You greet people.")
    assert count.input_tokens == PROMPT_TOKENS
    assert setup.spent() == 0
    (entry,) = setup.log()
    assert (entry.kind, entry.status, entry.cost_micro_usd) == (Kind.CONSUMPTION, "ok", 0)
    assert entry.request_id == count._request_id
    assert [asked.path for asked in setup.models.asked] == ["/v1/messages/count_tokens"]


def test_the_sdk_raised_what_it_raises_for_anthropic(setup: Setup, sdk: anthropic.Anthropic) -> None:
    with sdk_of(setup, "sk-wrong") as stranger, pytest.raises(anthropic.AuthenticationError) as wrong_key:
        stranger.messages.create(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES)
    with pytest.raises(anthropic.PermissionDeniedError) as unpriced:
        sdk.messages.create(model="gpt-unpriced", max_tokens=MAX_TOKENS, messages=MESSAGES)
    with pytest.raises(anthropic.PermissionDeniedError) as uncounted:
        sdk.messages.count_tokens(model="gpt-unpriced", messages=MESSAGES)
    with pytest.raises(anthropic.BadRequestError) as bad:
        sdk.messages.create(model=MODEL, max_tokens=-1, messages=MESSAGES)
    with pytest.raises(anthropic.NotFoundError) as unknown:
        sdk.messages.batches.list()
    told: list[tuple[anthropic.APIStatusError, str, str]] = [
        (wrong_key.value, "authentication_error", "what follows Bearer is not an API key"),
        (unpriced.value, "permission_error", "The model gpt-unpriced has no price"),
        (uncounted.value, "permission_error", "The model gpt-unpriced has no price"),
        (bad.value, "invalid_request_error", "max_tokens"),
        (unknown.value, "not_found_error", "messages/count_tokens"),
    ]
    for error, kind, words in told:
        assert error.type == kind
        assert words in (error.api_message or "")
    logged = [(entry.kind, entry.request_id) for entry in reversed(setup.log())]
    assert logged == [(Kind.ERROR, each.value.request_id) for each in (unpriced, uncounted, bad)]
    assert setup.models.asked == []


def test_an_empty_account_was_told_so_once(setup: Setup) -> None:
    setup.store.quota.adjust("alice", set_to=0, actor="test")
    with sdk_of(setup, max_retries=5) as sdk, pytest.raises(anthropic.RateLimitError) as refused:
        sdk.messages.create(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES)
    assert refused.value.type == "billing_error"
    assert (refused.value.api_message or "").startswith("The remaining quota does not cover this request.")
    (entry,) = setup.log()
    assert (entry.kind, entry.status, entry.cost_micro_usd) == (Kind.ERROR, "insufficient_quota", 0)
    assert entry.request_id == refused.value.request_id
    assert setup.models.asked == []


def test_an_overloaded_model_server_was_asked_again(setup: Setup) -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    setup.models.fault = lambda _: JSONResponse(overloaded, 529) if len(setup.models.asked) == 1 else None
    with sdk_of(setup, max_retries=1) as sdk:
        message = sdk.messages.create(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES)
    assert text_of(message) == ANSWER
    assert setup.spent() == COST
    assert [(entry.kind, entry.cost_micro_usd) for entry in setup.log()] == [(Kind.CONSUMPTION, COST), (Kind.ERROR, 0)]


def test_a_stream_that_broke_off_was_not_taken_for_whole(setup: Setup, sdk: anthropic.Anthropic) -> None:
    async def broken() -> AsyncIterator[bytes]:
        head = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": []}
        yield typed_event({"type": "message_start", "message": {**head, "usage": {"input_tokens": 3}}})
        yield typed_event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        yield typed_event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}})
        raise ConnectionResetError

    setup.models.fault = lambda _: StreamingResponse(broken(), media_type="text/event-stream")
    said: list[str] = []
    with (
        pytest.raises(anthropic.APIStatusError) as broke,
        sdk.messages.stream(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES) as stream,
    ):
        said += stream.text_stream
    assert said == ["Hel"]
    assert (broke.value.type, broke.value.api_message) == ("api_error", "The model server broke off the connection.")
    entry = setup.entry()
    assert (entry.kind, entry.prompt_tokens, entry.completion_tokens) == (Kind.ERROR, 3, 1)
    assert setup.spent() == entry.cost_micro_usd == 3 + 2


def test_a_client_that_left_was_charged_for_what_it_had(
    setup: Setup, sdk: anthropic.Anthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.hang_after_three_words(monkeypatch)
    with sdk.messages.stream(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES) as stream:
        said = tuple(text for _, text in zip(range(3), stream.text_stream, strict=False))
    assert said == WORDS[:3]
    entry = setup.entry()
    assert (entry.kind, entry.status) == (Kind.CONSUMPTION, "client_gone")
    assert (entry.prompt_tokens, entry.completion_tokens) == (PROMPT_TOKENS, 3)
    assert setup.spent() == entry.cost_micro_usd == PROMPT_TOKENS + 2 * 3
    assert entry.request_id == stream.request_id


async def test_the_asynchronous_client_did_the_same_with_an_auth_token(setup: Setup) -> None:
    async with anthropic.AsyncAnthropic(
        auth_token=setup.key, base_url=setup.base_url, max_retries=0, timeout=PATIENCE
    ) as sdk:
        message = await sdk.messages.create(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES)
        async with sdk.messages.stream(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES) as stream:
            words = tuple([word async for word in stream.text_stream])
            final = await stream.get_final_message()
        count = await sdk.messages.count_tokens(model=MODEL, messages=MESSAGES)
    assert (text_of(message), words, text_of(final)) == (ANSWER, WORDS, ANSWER)
    assert (final.usage.output_tokens, count.input_tokens) == (len(WORDS), PROMPT_TOKENS)
    assert [entry.cost_micro_usd for entry in setup.log()] == [0, COST, COST]
    assert setup.spent() == 2 * COST


def test_the_installed_gateway_answered_the_same(tmp_path: Path) -> None:
    """The others hold on the application; here the command serves it, with its own HTTP framing."""
    with served_sdk_gateway(tmp_path) as setup, sdk_of(setup) as sdk:
        message = sdk.messages.create(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES)
        with sdk.messages.stream(model=MODEL, max_tokens=MAX_TOKENS, messages=MESSAGES) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_message()
        count = sdk.messages.count_tokens(model=MODEL, messages=MESSAGES)
        with pytest.raises(anthropic.PermissionDeniedError, match="gpt-unpriced has no price") as unpriced:
            sdk.messages.create(model="gpt-unpriced", max_tokens=MAX_TOKENS, messages=MESSAGES)
        wait_until(lambda: len(setup.log()) == 4)
        logged = [(entry.request_id, entry.cost_micro_usd) for entry in reversed(setup.log())]
        assert setup.spent() == 2 * COST
    assert (text_of(message), kinds, text_of(final)) == (ANSWER, EVENTS, ANSWER)
    assert count.input_tokens == PROMPT_TOKENS
    assert logged == [
        (message._request_id, COST),
        (stream.request_id, COST),
        (count._request_id, 0),
        (unpriced.value.request_id, 0),
    ]
