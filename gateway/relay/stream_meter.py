"""Counts the events of a stream while they pass through unchanged (server-sent events, WHATWG HTML, 9.2)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from gateway.json_text import loads_lenient
from gateway.model_server.error_reasons import failure_sentence, reason_in_document
from gateway.relay.request import Call
from gateway.relay.response_facts import reports_error
from gateway.relay.usage import Usage, stream_usage
from gateway.relay.usage_report import ReportedUsage, parse_usage
from store.errors import UpstreamFailed

MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
MAX_PARSED_EVENT_BYTES: Final = 256 * 1024
"""Longest event that is parsed for its usage on the event loop: 20 ms at worst."""
DONE_EVENT: Final = b"data: [DONE]\n\n"
_LINE_END: Final = rb"(?:\r\n|\n|\r(?!\n))"
_EVENT_END: Final = re.compile(_LINE_END + rb"{2}")
_DATA: Final = re.compile(rb"(?:^|[\r\n])data:[ ]?([^\r\n]*)")
_USAGE_KEY: Final = re.compile(rb'"usage"\s*:\s*\{')
_ERROR_KEY: Final = re.compile(rb'"error"\s*:|"object"\s*:\s*"error"')
_ERROR_EVENT: Final = re.compile(rb"event:(?<![^\r\n]event:)[ ]?error[ ]*(?:[\r\n]|$)")
_DELTA_TEXT: Final = re.compile(
    rb'"(?:content|text|arguments|reasoning|reasoning_content|refusal|thinking|transcript|input)"'
    rb'\s*:\s*"((?:[^"\\]++|\\.)++)"'
)
_BROKE_OFF: Final = "The model server reported an error and broke off"
_AUDIO_KEY: Final = re.compile(rb'"audio"\s*:\s*\{')
_AUDIO_DATA: Final = re.compile(rb'"data"\s*:\s*"([A-Za-z0-9+/=_-]++)"')


@dataclass(slots=True)
class StreamMeter:
    """Splits a byte stream into events and counts their content.

    `hides_usage` drops the event with nothing but the usage, for a client that did not ask for it. `secret`, the
    gateway's key, is masked in every event; `host`, the model server's, is masked in errors.
    """

    hides_usage: bool
    secret: bytes
    host: str = ""
    reported: ReportedUsage | None = None
    """The last reported usage."""
    deltas: int = 0
    """Number of events with a part of an answer."""
    text_bytes: int = 0
    """Bytes of text in those parts."""
    audio_bytes: int = 0
    """Bytes of audio in those parts, in base64."""
    is_done: bool = False
    """True if `[DONE]` arrived. It is not passed on: the sender of the stream sends it after the booking."""
    _rest: bytes = b""
    _reported_at: int = 0
    """The value of `deltas` when `reported` arrived."""
    _has_begun: bool = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events that `chunk` completes, to be passed on.

        Raises `UpstreamFailed` for an event that reports an error or is longer than `MAX_EVENT_BYTES`.
        """
        # All events are counted before the first is yielded: the consumer may be cancelled at any of them.
        events, error = self._count(chunk)
        yield from events
        if error is not None:
            raise error
        if len(self._rest) > MAX_EVENT_BYTES:
            raise UpstreamFailed("The model server sent an event that is too long.")

    def end(self) -> None:
        """Mark the end of the stream. Raises `UpstreamFailed` if it held bytes but no complete event."""
        if self._rest and not self._has_begun:
            raise UpstreamFailed("The model server's answer broke off before its first event.")

    @property
    def has_final_usage(self) -> bool:
        """True if the usage was reported after the last part of an answer."""
        return self.reported is not None and bool(self.reported.completion_tokens) and self._reported_at == self.deltas

    def usage(self, call: Call) -> Usage:
        """The usage of the stream so far: as reported, or counted."""
        is_last = self._reported_at == self.deltas
        return stream_usage(call, self.reported, self.deltas, self.text_bytes, self.audio_bytes, is_last=is_last)

    def _count(self, chunk: bytes) -> tuple[list[bytes], UpstreamFailed | None]:
        """The events to pass on, up to one that reports an error, and that error."""
        buffer, start = self._rest + chunk, 0
        events: list[bytes] = []
        # An event may end within the last bytes of the previous chunk.
        for match in _EVENT_END.finditer(buffer, max(len(self._rest) - 3, 0)):
            event = buffer[start : match.end()]
            start = match.end()
            self._has_begun = True
            try:
                is_passed_on = self._is_passed_on(event)
            except UpstreamFailed as failure_sentence:
                return events, failure_sentence
            if is_passed_on:
                events.append(event.replace(self.secret, b"...") if self.secret and self.secret in event else event)
        self._rest = buffer[start:]
        return events, None

    def _is_passed_on(self, event: bytes) -> bool:
        data = b"\n".join(_DATA.findall(event))
        if data.strip() == b"[DONE]":
            self.is_done = True
            return False
        if _ERROR_EVENT.search(event) or (_ERROR_KEY.search(data) and reports_error(_json_object(data))):
            document = _json_object(data) or data.decode(errors="replace")
            reason = reason_in_document(document)
            raise UpstreamFailed(failure_sentence(_BROKE_OFF, reason, secret=self.secret.decode(), host=self.host))
        texts = _DELTA_TEXT.findall(data)
        audio = _AUDIO_DATA.findall(data) if _AUDIO_KEY.search(data) else ()
        self.deltas += bool(texts or audio)
        self.text_bytes += sum(map(len, texts))
        self.audio_bytes += sum(map(len, audio))
        return self._note_usage(data) if _USAGE_KEY.search(data) else True

    def _note_usage(self, data: bytes) -> bool:
        document = _json_object(data)
        reported = parse_usage(document)
        if reported is not None:
            self.reported, self._reported_at = reported, self.deltas
        return not (self.hides_usage and document.get("choices") == [])


def error_event(body: dict[str, Any]) -> bytes:
    """An error within a stream, in the format of OpenAI's SDK."""
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def _json_object(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_PARSED_EVENT_BYTES:
        return {}
    try:
        document = loads_lenient(data)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
