"""OpenAI's own SDK, unchanged: the Responses API, as today's coding agents speak it."""

from collections.abc import AsyncIterator

import openai
import pytest
from starlette.responses import StreamingResponse

from store.values.billing import ModelPrice
from store.values.usage import Kind
from tests.fakes.model_answers import PROMPT_TOKENS, WORDS, typed_event
from tests.harness.gateway_client import MODEL
from tests.harness.sdk_gateway import Setup
from tests.harness.stores import add_account, sign_in

ANSWER = "".join(WORDS)
COST = PROMPT_TOKENS + 2 * len(WORDS)
"""In micro-USD: one for a token in, two for a token out."""


def test_a_response_was_answered_charged_and_logged(setup: Setup) -> None:
    response = setup.sdk().responses.create(model=MODEL, input="Say hello.", instructions="Be brief.")
    assert response.output_text == ANSWER
    assert setup.spent() == COST
    (entry,) = setup.log()
    assert (entry.kind, entry.model, entry.status, entry.detail) == (Kind.CONSUMPTION, MODEL, "ok", "")
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micro_usd) == (PROMPT_TOKENS, len(WORDS), COST)
    assert entry.request_id == response._request_id
    assert setup.models.asked[0].body == {
        "model": MODEL,
        "input": "Say hello.",
        "instructions": "Be brief.",
        "store": False,
    }


@pytest.mark.parametrize("reports", [True, False])
def test_a_streamed_response_was_passed_on_and_counted(setup: Setup, *, reports: bool) -> None:
    setup.models.reports_usage = reports
    with setup.sdk().responses.stream(model=MODEL, input="Say hello.") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert final.output_text == ANSWER
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    (entry,) = setup.log()
    assert (entry.status, entry.completion_tokens) == ("ok", len(WORDS))
    assert (entry.prompt_tokens == PROMPT_TOKENS, "counted from the stream" in entry.detail) == (reports, not reports)
    assert "stream_options" not in setup.models.asked[0].body


def test_a_client_that_left_was_charged_for_what_it_had(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    setup.hang_after_three_words(monkeypatch)
    stream = setup.sdk().responses.create(model=MODEL, input="Say hello.", stream=True)
    for event in stream:
        if event.type == "response.output_text.delta" and event.sequence_number == 5:
            break
    stream.close()
    setup.closing.pop().close()
    entry = setup.entry()
    assert (entry.kind, entry.status, entry.completion_tokens) == (Kind.CONSUMPTION, "client_gone", 3)
    assert setup.spent() == entry.cost_micro_usd > 0


def test_a_stream_that_failed_raised_what_the_sdk_raises(setup: Setup) -> None:
    failed = {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "It fell over."}}}
    delta = {"type": "response.output_text.delta", "delta": "Hello"}

    async def events() -> AsyncIterator[bytes]:
        yield typed_event(delta)
        yield typed_event(failed)

    setup.models.fault = lambda _: StreamingResponse(events(), media_type="text/event-stream")
    with pytest.raises(openai.APIError, match=r"It fell over\."):
        list(setup.sdk().responses.create(model=MODEL, input="Say hello.", stream=True))
    entry = setup.entry()
    assert (entry.kind, entry.status, entry.completion_tokens) == (Kind.ERROR, "upstream_broken", 1)


def test_what_is_stored_or_has_no_price_was_refused(setup: Setup) -> None:
    sdk = setup.sdk()
    for fields in ({"previous_response_id": "resp_1"}, {"background": True}, {"conversation": "conv_1"}):
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.responses.create(model=MODEL, input="Hello", **fields)
        assert refused.value.param == next(iter(fields))
    with pytest.raises(openai.PermissionDeniedError) as unpriced:
        sdk.responses.create(model="gpt-unpriced", input="Hello")
    assert unpriced.value.code == "model_not_priced"
    assert setup.models.asked == []
    assert setup.spent() == 0


def test_an_answer_was_limited_to_what_could_be_paid_for(setup: Setup) -> None:
    setup.store.quota.adjust("alice", set_to=1_000, actor="test")
    setup.store.pricing.set(ModelPrice(MODEL, 0, 1_000_000))
    setup.sdk().responses.create(model=MODEL, input="Hello")
    assert setup.models.asked[0].body["max_output_tokens"] == 1_000


def test_an_unknown_address_named_those_that_are_served(setup: Setup) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        setup.sdk().fine_tuning.jobs.list()
    assert unknown.value.code == "unknown_url"
    for address in ("chat/completions", "responses", "batches", "files", "models"):
        assert address in unknown.value.message


@pytest.mark.parametrize("streams", [False, True])
def test_a_stored_response_was_continued_read_and_deleted_by_its_account_alone(setup: Setup, *, streams: bool) -> None:
    sdk = setup.sdk()
    if streams:
        with sdk.responses.stream(model=MODEL, input="Say hello.", store=True) as stream:
            first = stream.get_final_response().id
    else:
        first = sdk.responses.create(model=MODEL, input="Say hello.", store=True).id
    second = sdk.responses.create(model=MODEL, input="Again.", previous_response_id=first)
    assert setup.models.asked[-1].body == {
        "model": MODEL,
        "input": "Again.",
        "previous_response_id": first,
        "store": False,
    }
    assert sdk.responses.retrieve(first).output_text == ANSWER
    assert [item.id for item in sdk.responses.input_items.list(first, limit=5, order="asc")] == ["msg_0"]
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(second.id)

    add_account(setup.store, "bob", email="bob@example.com")
    others = setup.sdk(setup.store.api_keys.create(sign_in(setup.store, "bob"), "desk").key)
    count = len(setup.models.asked)
    with pytest.raises(openai.BadRequestError) as continued:
        others.responses.create(model=MODEL, input="Hello", previous_response_id=first)
    assert continued.value.code == "previous_response_not_found"
    for act in (others.responses.retrieve, others.responses.delete, others.responses.input_items.list):
        with pytest.raises(openai.NotFoundError):
            act(first)
    assert len(setup.models.asked) == count

    sdk.responses.delete(first)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(first)
    assert setup.spent() == 2 * COST
