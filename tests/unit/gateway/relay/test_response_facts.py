"""The facts of an answer: the same through a process, bounded, and what they come to."""

import io
import json
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model_server.error_reasons import (
    MAX_RAW_REASON_CHARACTERS,
    failure_sentence,
    reason_in_body,
    reason_in_document,
)
from gateway.relay import model_response
from gateway.relay.model_response import masked_pieces
from gateway.relay.process_client import MAX_INLINE_BYTES
from gateway.relay.process_frames import FRAME_HEADER, frame_head, serve
from gateway.relay.response_facts import MAX_MODELS, ResponseFacts, listed_models, parse_object, response_facts
from gateway.relay.response_parser import ResponseParser
from gateway.relay.response_process import handle_message
from store.errors import UpstreamFailed
from tests.fakes.scripted_model_server import chat

WORDS: Final = st.sampled_from(["", "batch_1", "two words", "\x1b[2J", "b" * 102, "\ud800", "é"])
VALUES: Final = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2000), st.just(10**9 + 1), st.just(2.0), st.just(0.5), st.just("7")
)
DETAILS: Final = st.dictionaries(st.sampled_from(["cached_tokens", "reasoning_tokens"]), VALUES)
TOKENS: Final = [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "reasoning_tokens",
    "tool_use_tokens",
]
USAGE: Final = VALUES | st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(TOKENS, VALUES), "prompt_tokens_details": DETAILS | VALUES}
)
MESSAGE: Final = st.dictionaries(
    st.sampled_from(["role", "content", "annotations", "tool_calls", "refusal"]),
    st.sampled_from([None, "", "x", [], [1]]),
)
CHOICE: Final = VALUES | st.fixed_dictionaries({}, optional={"message": MESSAGE | VALUES, "text": VALUES})
ERROR: Final = VALUES | st.fixed_dictionaries({}, optional={"message": WORDS | VALUES, "code": VALUES})
DOCUMENTS: Final = st.fixed_dictionaries(
    {},
    optional={
        "usage": USAGE,
        "choices": VALUES | st.lists(CHOICE, max_size=3),
        "error": ERROR,
        "object": st.sampled_from(["error", "list", "chat.completion"]),
        "data": VALUES | st.lists(VALUES, max_size=3),
        "status": VALUES | WORDS,
        "id": VALUES | WORDS,
    },
)
SHAPES: Final[list[dict[str, Any]]] = [
    {},
    chat(),
    chat(usage=None),
    chat(choices=[]),
    chat(choices=[{"message": {"role": "assistant", "content": None}}]),
    {"error": {"message": "overloaded", "code": 503}},
    {"error": "overloaded"},
    {"error": 7},
    {"object": "error", "message": "no"},
    {"data": [{"b64_json": "x"}] * 3},
    {"data": [{"embedding": [1.0]}], "usage": {"total_tokens": 10}},
    {"id": "batch_1", "status": "validating"},
    {"id": "batch 1", "status": "\x1b[2J"},
    {"id": "b" * 101, "status": 3},
]


def through_frames(content: bytes, **head: Any) -> dict[str, Any]:
    """The reply of the process to one message."""
    sink = io.BytesIO()
    serve(handle_message, io.BytesIO(frame_head(head, len(content)) + content), sink)
    length, rest = FRAME_HEADER.unpack(sink.getvalue()[: FRAME_HEADER.size])
    assert rest == 0
    reply: dict[str, Any] = json.loads(sink.getvalue()[FRAME_HEADER.size :])
    assert len(sink.getvalue()) == FRAME_HEADER.size + length
    return reply


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS, st.booleans())
def test_facts_that_crossed_a_pipe_were_the_same(document: dict[str, Any], has_completion: bool) -> None:
    content = json.dumps(document).encode()
    reply = through_frames(content, wanted="facts", form="chat", has_completion=has_completion)
    assert ResponseFacts.from_json(reply["facts"]) == response_facts(document, has_completion=has_completion)


async def test_the_process_says_of_every_shape_what_is_said_here() -> None:
    parser = ResponseParser()
    for shape in SHAPES:
        for has_completion in (True, False):
            content = json.dumps({**shape, "more": "x" * MAX_INLINE_BYTES}).encode()
            there = await parser.facts(content, 1, has_completion=has_completion)
            assert there == response_facts(shape, has_completion=has_completion), shape
    for content in (b"[" * 70_000, b"[]" + b" " * 70_000, b"\xff" * 70_000):
        with pytest.raises(UpstreamFailed) as here:
            parse_object(content)
        with pytest.raises(UpstreamFailed) as there_too:
            await parser.facts(content, 1, has_completion=True)
        assert str(there_too.value) == str(here.value)
    await parser.aclose()


def test_facts_had_a_bound_whatever_the_answer_held() -> None:
    text = "a." * 10_000
    loud = {"detail": [{"loc": [text], "msg": text}] * 9, "error": [[[text] * 9] * 9] * 9, "status": text, "id": text}
    reply = through_frames(json.dumps(loud).encode(), wanted="facts", form="chat", has_completion=True)
    assert reply["facts"]["is_error"]
    assert len(json.dumps(reply)) < 10_000
    names = {"data": [{"id": str(number), "owned_by": "x" * 1000} for number in range(2 * MAX_MODELS)]}
    reply = through_frames(json.dumps(names).encode(), wanted="models")
    assert reply["models"] == [{"id": str(number)} for number in range(MAX_MODELS)]


@pytest.mark.parametrize(("choices", "has_content"), [(10_000, False), (10_001, True)])
def test_more_choices_than_anyone_asks_for_were_content(choices: int, *, has_content: bool) -> None:
    assert response_facts({"choices": [{}] * choices}, has_completion=True).has_content is has_content


@pytest.mark.parametrize("document", [{}, {"data": None}, {"data": {"id": "x"}}, {"data": [[], 1, {"name": "x"}]}])
def test_a_list_without_models_was_empty(document: dict[str, Any]) -> None:
    assert listed_models(document) == []


def test_a_message_without_room_ends_the_process() -> None:
    def exhausted(_: dict[str, Any], __: bytes) -> tuple[dict[str, Any], bytes]:
        raise MemoryError

    sink = io.BytesIO()
    serve(exhausted, io.BytesIO(2 * frame_head({}, 0)), sink)
    assert sink.getvalue() == b""


# -- reasons --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        {"detail": [{"loc": ["a." * 30_000], "msg": "no"}]},
        {"detail": [{"loc": ["a"] * 30_000, "msg": "no"}]},
        {"detail": [{"msg": "a." * 500}] * 5},
        {"error": {"message": "a." * 30_000, "code": "a." * 30_000, "type": "a." * 30_000, "param": "a." * 30_000}},
    ],
    ids=["field", "fields", "several", "words"],
)
def test_a_reason_was_short_before_it_was_searched(document: dict[str, Any]) -> None:
    """The search for addresses takes the square of its length: a minute for 60,000 characters."""
    reason = reason_in_document(document)
    assert reason is not None
    assert reason == reason_in_body(json.dumps(document).encode())
    for text in (reason.message, reason.kind, reason.code, reason.param):
        assert text is None or len(text) <= MAX_RAW_REASON_CHARACTERS
    assert "a.a" in failure_sentence("No", reason, secret="", host="")


# -- pieces -----------------------------------------------------------------------------------------------------------


TEXT: Final = st.lists(st.sampled_from([b"a", b"b", b"aab", b"aabaab"])).map(b"".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from([b"a", b"b", b"aab", b"aabaab"])).map(b"".join),
    st.sampled_from([b"", b"a", b"aab", b"abaab"]),
)
async def test_pieces_were_masked_as_the_whole(content: bytes, secret: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for size in (1, 2, 3, 7, 100):
            patch.setattr(model_response, "PIECE_BYTES", size)
            whole = content.replace(secret, b"...") if secret else content
            assert b"".join(await masked_pieces(content, secret)) == whole
            assert b"".join(await masked_pieces(bytearray(content), secret)) == whole
