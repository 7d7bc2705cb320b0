"""The facts of one event of a stream that its booking needs (server-sent events, WHATWG HTML, 9.2).

Their size has a bound for any event, so that a process can read a long one and send them back.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

from gateway.json_text import loads_lenient
from gateway.model_server.error_reasons import reason_in_document
from gateway.relay.response_facts import reports_error
from gateway.relay.usage_report import ReportedUsage, parse_usage

_DATA: Final = re.compile(rb"(?:^|[\r\n])data:[ ]?([^\r\n]*)")
USAGE_KEY: Final = re.compile(rb'"usage"\s*:\s*\{')
_ERROR_KEY: Final = re.compile(rb'"error"\s*:|"object"\s*:\s*"error"')
_ERROR_EVENT: Final = re.compile(rb"event:(?<![^\r\n]event:)[ ]?error[ ]*(?:[\r\n]|$)")
DELTA_TEXT: Final = re.compile(
    rb'"(?:content|text|arguments|reasoning|reasoning_content|refusal|thinking|transcript|input)"'
    rb'\s*:\s*"((?:[^"\\]++|\\.)++)"'
)
_AUDIO_KEY: Final = re.compile(rb'"audio"\s*:\s*\{')
_AUDIO_DATA: Final = re.compile(rb'"data"\s*:\s*"([A-Za-z0-9+/=_-]++)"')


class EventFacts(NamedTuple):
    """The facts of one event: a tuple, because one is built for each event of a stream.

    The reason is as the model server wrote it, not masked.
    """

    is_done: bool = False
    """True for `[DONE]`."""
    is_error: bool = False
    reason: str | None = None
    """The reason of the error."""
    is_delta: bool = False
    """True if it has a part of an answer."""
    text_bytes: int = 0
    audio_bytes: int = 0
    """In base64."""
    usage: ReportedUsage | None = None
    has_only_usage: bool = False
    """True if it has a usage and an empty list of choices."""
    response_id: str = ""
    """The id of the response that ends with this event."""
    is_unread: bool = False
    """True if the event could not be read: its length counts as text."""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """The reverse of `to_json`."""
        usage = fields["usage"]
        return cls(**{**fields, "usage": usage and ReportedUsage(**usage)})

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON has them."""
        usage = self.usage
        named = {name: getattr(usage, name) for name in ReportedUsage.__slots__} if usage is not None else None
        return {**self._asdict(), "usage": named}


def event_facts(event: bytes) -> EventFacts:
    """The facts of a complete event, including the blank line at its end."""
    data = event_data(event)
    if data.strip() == b"[DONE]":
        return EventFacts(is_done=True)
    if _ERROR_EVENT.search(event) or (_ERROR_KEY.search(data) and reports_error(json_object(data))):
        reason = reason_in_document(json_object(data) or data.decode(errors="replace"))
        return EventFacts(is_error=True, reason=reason.message if reason is not None else None)
    texts = DELTA_TEXT.findall(data)
    audio = _AUDIO_DATA.findall(data) if _AUDIO_KEY.search(data) else ()
    counts = (bool(texts or audio), sum(map(len, texts)), sum(map(len, audio)))
    if not USAGE_KEY.search(data):
        return EventFacts(False, False, None, *counts)
    document = json_object(data)
    return EventFacts(False, False, None, *counts, parse_usage(document), document.get("choices") == [])


def unread_facts(length: int) -> EventFacts:
    """The facts of an event of `length` bytes that could not be read."""
    return EventFacts(is_delta=True, text_bytes=length, is_unread=True)


def event_data(event: bytes) -> bytes:
    """The lines of `data` in an event."""
    return b"\n".join(_DATA.findall(event))


def json_object(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`; an empty one if there is none."""
    try:
        document = loads_lenient(data)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
