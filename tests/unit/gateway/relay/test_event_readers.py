"""The events of the typed streams: each part of an answer counts once, and the last event reports the usage."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.api_form import ApiForm
from gateway.relay.event_readers import EVENT_READERS, response_event
from gateway.relay.stream_event import EventFacts
from gateway.relay.stream_meter import StreamMeter, error_event
from gateway.relay.usage_report import ReportedUsage
from tests.fakes.model_answers import typed_event

USAGE: Final = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5, "total_tokens": 14}


@pytest.mark.parametrize(
    ("document", "facts"),
    [
        ({"type": "response.created", "response": {"error": None, "usage": None}}, EventFacts()),
        ({"type": "response.output_text.delta", "delta": "Grüße"}, EventFacts(is_delta=True, text_bytes=7)),
        ({"type": "response.function_call_arguments.delta", "delta": "{}"}, EventFacts(is_delta=True, text_bytes=2)),
        ({"type": "response.audio.delta", "delta": "AAAA"}, EventFacts(is_delta=True, audio_bytes=4)),
        ({"type": "response.output_text.delta", "delta": ""}, EventFacts()),
        ({"type": "response.output_text.delta", "delta": "\ud800"}, EventFacts(is_delta=True, text_bytes=1)),
        ({"type": "response.output_text.done", "text": "Hello"}, EventFacts()),
        ({"type": "response.output_item.done", "item": {"content": [{"text": "Hello"}]}}, EventFacts()),
        (
            {"type": "response.completed", "response": {"usage": USAGE, "output": [{"text": "Hello"}]}},
            EventFacts(is_done=True, usage=ReportedUsage(9, 5, 4)),
        ),
        ({"type": "response.incomplete", "response": {"usage": None}}, EventFacts(is_done=True)),
        ({"type": "response.completed", "response": {"id": "resp_1"}}, EventFacts(is_done=True, response_id="resp_1")),
        ({"type": "response.completed", "response": {"id": "../x"}}, EventFacts(is_done=True)),
        ({"type": "response.completed", "response": "?"}, EventFacts(is_done=True)),
        (
            {"type": "response.failed", "response": {"error": {"message": "No."}, "usage": USAGE}},
            EventFacts(is_error=True, reason="No.", usage=ReportedUsage(9, 5, 4)),
        ),
        ({"type": "error", "message": "Busy.", "code": None}, EventFacts(is_error=True, reason="Busy.")),
        ({"error": {"message": "Proxy."}}, EventFacts(is_error=True, reason="Proxy.")),
        ([1], EventFacts()),
    ],
)
def test_an_event_of_a_response_was_read(document: Any, facts: EventFacts) -> None:
    named = typed_event(document) if isinstance(document, dict) and "type" in document else b""
    event = named or b"data: " + json.dumps(document).encode() + b"\n\n"
    assert response_event(event) == facts
    assert EventFacts.from_json(json.loads(json.dumps(response_event(event).to_json()))) == facts


def test_the_usage_without_a_total_includes_what_was_cached() -> None:
    usage = {name: value for name, value in USAGE.items() if name != "total_tokens"}
    event = typed_event({"type": "response.completed", "response": {"usage": usage}})
    assert response_event(event).usage == ReportedUsage(9, 5, 4)


@pytest.mark.parametrize("form", EVENT_READERS)
@given(st.binary(max_size=60))
def test_no_event_was_too_odd_to_be_read(form: ApiForm, data: bytes) -> None:
    EVENT_READERS[form](b"data: " + data + b"\n\n")


async def test_the_last_event_was_kept_until_the_booking() -> None:
    async def read_long(_: bytes) -> EventFacts:
        raise AssertionError

    meter = StreamMeter(False, b"secret", "", read_long, ApiForm.RESPONSES)
    delta = typed_event({"type": "response.output_text.delta", "delta": "Hello secret"})
    last = typed_event({"type": "response.completed", "response": {"usage": USAGE}})
    assert await meter.feed(delta + last + b"data: [DONE]\n\n") == [delta.replace(b"secret", b"...")]
    assert (meter.is_done, meter.last_event) == (True, last)
    assert meter.has_final_usage


def test_an_error_within_a_stream_has_the_form_of_the_stream() -> None:
    body = {"error": {"message": "No.", "type": "server_error", "param": None, "code": "upstream_failed"}}
    assert error_event(body) == b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"
    name, data = error_event(body, ApiForm.RESPONSES).split(b"\n")[:2]
    assert name == b"event: error"
    assert json.loads(data.removeprefix(b"data: ")) == {
        "type": "error",
        "code": "upstream_failed",
        "message": "No.",
        "param": None,
        **body,
    }
