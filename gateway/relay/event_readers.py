"""Reads the events of each API form. Those of the typed forms name their kind in `type`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.model_server.error_reasons import reason_in_document
from gateway.relay.api_form import ApiForm
from gateway.relay.message_usage import message_usage
from gateway.relay.responses_request import RESPONSE_ID
from gateway.relay.stream_event import EventFacts, event_data, event_facts, json_object
from gateway.relay.usage_report import parse_usage

_ENDS_OF_RESPONSE: Final = ("response.completed", "response.incomplete")
_FAILURES_OF_RESPONSE: Final = ("error", "response.failed")
_DELTA: Final = ".delta"
_DELTAS_OF_MESSAGE: Final = ("text", "partial_json", "thinking")
_STARTS_OF_BLOCK: Final = ("text", "thinking", "data")
_AUDIO_DELTA: Final = "response.audio.delta"


def response_event(event: bytes) -> EventFacts:
    """The facts of one event of a response (OpenAI's Responses API, streaming events).

    Only deltas count: a later event repeats their text as a whole. The last event reports the usage.
    """
    data = event_data(event)
    if data.strip() == b"[DONE]":
        return EventFacts(is_done=True)
    document = json_object(data)
    kind, response = document.get("type"), document.get("response")
    if kind in _FAILURES_OF_RESPONSE or (kind is None and document.get("error")):
        failed = response if isinstance(response, dict) else document
        reason = reason_in_document(failed)
        text = reason.message if reason is not None else None
        return EventFacts(is_error=True, reason=text, usage=parse_usage(failed))
    if kind in _ENDS_OF_RESPONSE:
        ended = response if isinstance(response, dict) else {}
        name = ended.get("id")
        response_id = name if isinstance(name, str) and RESPONSE_ID.fullmatch(name) else ""
        return EventFacts(is_done=True, usage=parse_usage(ended), response_id=response_id)
    if isinstance(kind, str) and kind.endswith(_DELTA):
        length = _bytes_of(document.get("delta"))
        is_audio = kind == _AUDIO_DELTA
        return EventFacts(
            is_delta=length > 0, text_bytes=0 if is_audio else length, audio_bytes=length if is_audio else 0
        )
    return EventFacts()


def message_event(event: bytes) -> EventFacts:
    """The facts of one event of a message (Anthropic's Messages API, streaming).

    The first event reports the prompt, and the one before the last the whole answer.
    """
    data = event_data(event)
    if data.strip() == b"[DONE]":
        return EventFacts(is_done=True)
    document = json_object(data)
    kind = document.get("type")
    if kind == "error" or (kind is None and document.get("error")):
        reason = reason_in_document(document)
        return EventFacts(is_error=True, reason=reason.message if reason is not None else None)
    if kind == "message_stop":
        return EventFacts(is_done=True)
    if kind == "message_start":
        message = document.get("message")
        return EventFacts(usage=message_usage(message, has_completion=False) if isinstance(message, dict) else None)
    if kind == "message_delta":
        return EventFacts(usage=message_usage(document))
    delta = document.get("delta")
    if kind == "content_block_delta" and isinstance(delta, dict):
        length = sum(_bytes_of(delta.get(name)) for name in _DELTAS_OF_MESSAGE)
        return EventFacts(is_delta=length > 0, text_bytes=length)
    block = document.get("content_block")
    if kind == "content_block_start" and isinstance(block, dict):
        length = sum(_bytes_of(block.get(name)) for name in _STARTS_OF_BLOCK)
        return EventFacts(is_delta=length > 0, text_bytes=length)
    return EventFacts()


EVENT_READERS: Final[Mapping[ApiForm, Callable[[bytes], EventFacts]]] = {
    ApiForm.CHAT: event_facts,
    ApiForm.TRANSCRIPT: event_facts,
    ApiForm.RESPONSES: response_event,
    ApiForm.MESSAGES: message_event,
}
"""For each form, the function that returns the facts of one complete event."""


def _bytes_of(text: Any) -> int:
    return len(text.encode(errors="replace")) if isinstance(text, str) else 0
