"""Counts the events of a stream while they pass through unchanged (server-sent events, WHATWG HTML, 9.2)."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from gateway.model_server.error_reasons import ErrorReason, failure_sentence
from gateway.relay.api_form import ApiForm
from gateway.relay.event_readers import EVENT_READERS
from gateway.relay.model_response import masked_pieces
from gateway.relay.plain_events import plain_events
from gateway.relay.process_client import MAX_INLINE_BYTES
from gateway.relay.request import Call
from gateway.relay.stream_event import EventFacts, event_facts
from gateway.relay.usage import Usage, stream_usage
from gateway.relay.usage_report import ReportedUsage
from store.errors import UpstreamFailed

MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
SLICE_BYTES: Final = 8 * 1024
"""Bytes that are counted before the event loop runs again. So many hold up to 2,700 events, which take 5 ms."""
DONE_EVENT: Final = b"data: [DONE]\n\n"
_LINE_END: Final = rb"(?:\r\n|\n|\r(?!\n))"
EVENT_END: Final = re.compile(_LINE_END + _LINE_END + rb"+")
"""Further blank lines belong to the event before them: each as an event of its own would be counted and sent alone."""
_EVENT_END_WITHOUT_CR: Final = re.compile(rb"\n\n+")
"""The same in bytes without a carriage return, in a tenth of the time."""
_BROKE_OFF: Final = "The model server reported an error and broke off"


async def stream_slices(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The bytes of `chunks` in slices of up to `SLICE_BYTES`; the event loop runs between two slices."""
    async for chunk in chunks:
        for start in range(0, len(chunk), SLICE_BYTES):
            if start:
                await asyncio.sleep(0)
            yield chunk[start : start + SLICE_BYTES]


@dataclass(slots=True)
class StreamMeter:
    """Splits a byte stream into events and counts their content.

    `hides_usage` drops the event with nothing but the usage, for a client that did not ask for it. `secret`, the
    gateway's key, is masked in every event; `host`, the model server's, is masked in errors. `read_long` returns the
    facts of an event of more than `MAX_INLINE_BYTES`.
    """

    hides_usage: bool
    secret: bytes
    host: str
    read_long: Callable[[bytes], Awaitable[EventFacts]]
    form: ApiForm = ApiForm.CHAT
    reported: ReportedUsage | None = None
    """The last reported usage."""
    deltas: int = 0
    """Number of events with a part of an answer."""
    text_bytes: int = 0
    """Bytes of text in those parts."""
    audio_bytes: int = 0
    """Bytes of audio in those parts, in base64."""
    is_done: bool = False
    """True if the last event arrived. It is not passed on: the sender of the stream sends it after the booking."""
    response_id: str = ""
    """The id of the response that has ended."""
    last_event: bytes = b""
    """The event to be sent after the booking, not masked."""
    has_unread: bool = False
    """True if the length of an event was counted, because the event could not be read."""
    failure: UpstreamFailed | None = None
    """The error that an event reported, or that an event is too long."""
    _rest: bytearray = field(default_factory=bytearray)
    _reported_at: int = 0
    """The value of `deltas` when `reported` arrived."""
    _has_begun: bool = False

    async def feed(self, chunk: bytes) -> list[bytes]:
        """Count the events that `chunk` completes, and return them to be passed on: short ones together, a long one in
        pieces.

        Sets `failure` for an event that reports an error or is longer than `MAX_EVENT_BYTES`. The events before it are
        returned.
        """
        events, read = self._complete_events(chunk), self._reader()
        plain = self._plain_start(events, read)
        pieces, short = list[bytes](), events[:plain]
        for event in events[plain:]:
            if self.is_done and self.form is not ApiForm.CHAT:
                break  # some servers send `[DONE]` after the last event, which has no such end
            is_long = len(event) > MAX_INLINE_BYTES
            facts = await self.read_long(event) if is_long else read(event)
            if facts.is_error:
                self._note_usage(facts)
                self.failure = self._reported_failure(facts.reason)
                break
            if not self._note(facts, event):
                continue
            if is_long:
                pieces += [*self._masked(short), *await masked_pieces(event, self.secret)]
                short = []
            else:
                short.append(event)
        if len(self._rest) > MAX_EVENT_BYTES:
            self.failure = self.failure or UpstreamFailed("The model server sent an event that is too long.")
        return [*pieces, *self._masked(short)]

    def end(self) -> None:
        """Mark the end of the stream. Raises `UpstreamFailed` if it held bytes but no complete event."""
        if self._rest and not self._has_begun:
            raise UpstreamFailed("The model server's answer broke off before its first event.")

    @property
    def has_final_usage(self) -> bool:
        """True if the usage was reported after the last part of an answer."""
        return self.reported is not None and bool(self.reported.completion_tokens) and self._reported_at == self.deltas

    def usage(self, call: Call, max_tokens: int) -> Usage:
        """The usage of the stream so far: as reported, or counted.

        If an event could not be read, each answer is counted as `max_tokens` at most.
        """
        return stream_usage(
            call,
            self.reported,
            self.deltas,
            self.text_bytes,
            self.audio_bytes,
            is_last=self._reported_at == self.deltas,
            max_tokens=max_tokens if self.has_unread else None,
        )

    def _complete_events(self, chunk: bytes) -> list[bytes]:
        """The events that `chunk` completes. The bytes after them are kept."""
        # An event may end within the last bytes of the previous chunk.
        searched_from = max(len(self._rest) - 3, 0)
        self._rest += chunk
        has_cr = self._rest.find(b"\r", searched_from) >= 0
        end = EVENT_END if has_cr else _EVENT_END_WITHOUT_CR
        ends = [match.end() for match in end.finditer(self._rest, searched_from)]
        if not ends:
            return []
        self._has_begun = True
        events = [bytes(self._rest[start:end]) for start, end in pairwise((0, *ends))]
        del self._rest[: ends[-1]]
        return events

    def _reader(self) -> Callable[[bytes], EventFacts]:
        return event_facts if self.form is ApiForm.CHAT else EVENT_READERS[self.form]

    def _plain_start(self, events: list[bytes], read: Callable[[bytes], EventFacts]) -> int:
        """Count the plain events at the start, all of which are passed on; returns their number."""
        if read is not event_facts:
            return 0
        plain = plain_events(events, MAX_INLINE_BYTES)
        self.deltas += plain.deltas
        self.text_bytes += plain.text_bytes
        return plain.number

    def _note(self, facts: EventFacts, event: bytes) -> bool:
        """Count an event; returns True if it is passed on."""
        if facts.is_done:
            self.is_done, self.response_id = True, facts.response_id
            self._note_usage(facts)
            self.last_event = DONE_EVENT if self.form is ApiForm.CHAT else event
            return False
        self.deltas += facts.is_delta
        self.text_bytes += facts.text_bytes
        self.audio_bytes += facts.audio_bytes
        self.has_unread = self.has_unread or facts.is_unread
        self._note_usage(facts)
        return not (self.hides_usage and facts.has_only_usage)

    def _note_usage(self, facts: EventFacts) -> None:
        if facts.usage is not None:
            self.reported, self._reported_at = facts.usage.completing(self.reported), self.deltas

    def _masked(self, events: list[bytes]) -> list[bytes]:
        """`events` as one piece, or none if there are none."""
        if not events:
            return []
        joined = b"".join(events)
        return [joined.replace(self.secret, b"...") if self.secret and self.secret in joined else joined]

    def _reported_failure(self, text: str | None) -> UpstreamFailed:
        reason = ErrorReason(text) if text is not None else None
        return UpstreamFailed(failure_sentence(_BROKE_OFF, reason, secret=self.secret.decode(), host=self.host))


def error_event(body: dict[str, Any], form: ApiForm = ApiForm.CHAT) -> bytes:
    """An error within a stream, as the SDKs read it: `body` is an error in OpenAI's form, or for `form` in its own."""
    if form is ApiForm.MESSAGES:
        body = {"type": "error", "error": {"type": "api_error", "message": body["error"]["message"]}}
    if form is ApiForm.RESPONSES:
        error = {name: body["error"][name] for name in ("code", "message", "param")}
        body = {"type": "error", **error, **body}
    name = b"" if form is ApiForm.CHAT else b"event: error\n"
    return name + b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"
