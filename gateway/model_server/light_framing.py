"""The client's side of an HTTP/1.1 connection: h11's readers and writers, without its state machine.

The state machine would cost as much as all else, and much of it is for servers and for changes of protocol.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import h11
from h11._connection import _body_framing, _keep_alive
from h11._readers import READERS, maybe_read_from_SEND_RESPONSE_server
from h11._receivebuffer import ReceiveBuffer
from h11._writers import WRITERS, write_request

from gateway.model_server.chunked_reader import CompleteChunksReader

_MAX_INFORMATIONAL: Final = 20
"""Responses 1xx before the response to one request."""
_BODY_READERS: Any = READERS[h11.SEND_BODY]
_BODY_WRITERS: Any = WRITERS[h11.SEND_BODY]
State = type[Any]
"""One of h11's states, which are classes."""
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
_REQUEST_ID: Final = re.compile(rb"[0-9A-Za-z_-]{1,100}")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_SPECIAL: Final = (b"content-length", b"transfer-encoding", b"connection")


class LightFraming:
    """The part of `h11.Connection` that a client needs which sends one request at a time."""

    def __init__(self, longest_head: int) -> None:
        """`longest_head` is in bytes."""
        self.our_state: State = h11.IDLE
        self.their_state: State = h11.SEND_RESPONSE
        self._longest_head = longest_head
        self._buffer = ReceiveBuffer()
        self._has_ended = False
        self._method = b""
        self._keeps_alive = True
        self._informational = 0
        self._checked: tuple[str, bytes, list[tuple[bytes, bytes]]] | None = None
        """The method, the target and the fixed headers of the last request that h11 has checked."""
        self._start: bytes | None = None
        """The start of its head, up to these headers. None if they say something of the body or the connection."""
        self._write_body: Callable[[h11.Event, Callable[[bytes], Any]], None] | None = None
        self._read: Callable[[ReceiveBuffer], Any] = maybe_read_from_SEND_RESPONSE_server

    def send_head(self, method: str, target: bytes, headers: Headers) -> bytes:
        """The bytes of the head of a request. Raises `h11.LocalProtocolError`.

        Calls differ in their id and their length. h11 checks the other headers when they are not those of the call
        before. Only the connection keeps them: one of them is the model server's key.
        """
        fixed, lines, length = [], [], 0
        for header in headers:
            name, value = header
            if name == b"X-Request-Id" and _REQUEST_ID.fullmatch(value):
                lines.append(b"X-Request-Id: %b\r\n" % value)
            elif name == b"Content-Length" and not length and _LENGTH.fullmatch(value):
                lines.append(b"Content-Length: %b\r\n" % value)
                length = int(value)
            else:
                fixed.append(header)
        start = self._checked_start(method, target, fixed)
        if start is None or len(lines) + len(fixed) != len({name.lower() for name, _ in headers}):
            return self.send(h11.Request(method=method, target=target, headers=[*headers]))
        self._begin(method.encode("ascii"), "content-length", (length,), keeps_alive=True)
        return b"%b%b\r\n" % (start, b"".join(lines))

    def send(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> bytes:
        """The bytes of `event`. Raises `h11.LocalProtocolError`."""
        parts: list[bytes] = []
        if type(event) is h11.Request:
            self._begin(event.method, *_body_framing(event.method, event), keeps_alive=_keep_alive(event))
            write_request(event, parts.append)
        else:
            if self.our_state is not h11.SEND_BODY or self._write_body is None:
                raise h11.LocalProtocolError("no request has begun")
            self._write_body(event, parts.append)
            if type(event) is h11.EndOfMessage:
                self.our_state = h11.DONE
        return b"".join(parts)

    @property
    def trailing_data(self) -> tuple[bytes, bool]:
        """The bytes received and not read yet, and True if the connection has ended."""
        return bytes(self._buffer), self._has_ended

    def receive_data(self, data: bytes) -> None:
        """Take what was received; nothing is the end of the connection."""
        if data:
            self._buffer += data
        else:
            self._has_ended = True

    def next_event(self) -> Any:
        """The next event, `h11.NEED_DATA` or `h11.PAUSED`. Raises `h11.RemoteProtocolError`."""
        if self.their_state is h11.ERROR:
            raise h11.RemoteProtocolError("nothing is read after an error")
        try:
            return self._next_event()
        except (h11.LocalProtocolError, h11.RemoteProtocolError) as error:
            self.their_state = h11.ERROR
            raise h11.RemoteProtocolError(str(error)) from error

    def start_next_cycle(self) -> None:
        """Begin with the next request. Raises `h11.LocalProtocolError` if this one is not over on both sides."""
        if self.our_state is not h11.DONE or self.their_state is not h11.DONE:
            raise h11.LocalProtocolError("the request is not over")
        self.our_state, self.their_state = h11.IDLE, h11.SEND_RESPONSE
        self._read = maybe_read_from_SEND_RESPONSE_server

    def _checked_start(self, method: str, target: bytes, fixed: list[tuple[bytes, bytes]]) -> bytes | None:
        if self._checked != (method, target, fixed):
            request = h11.Request(method=method, target=target, headers=fixed)
            parts: list[bytes] = []
            write_request(request, parts.append)
            is_special = any(name in _SPECIAL for name, _ in request.headers)
            self._start = None if is_special else b"".join(parts[:-1])
            self._checked = method, target, fixed
        return self._start

    def _begin(self, method: bytes, framing: str, lengths: tuple[int, ...], *, keeps_alive: bool) -> None:
        if self.our_state is not h11.IDLE:
            raise h11.LocalProtocolError("the request before is not over")
        self._write_body = _BODY_WRITERS[framing](*lengths)
        self._method, self._keeps_alive = method, keeps_alive
        self.our_state = h11.SEND_BODY
        self._informational = 0

    def _next_event(self) -> Any:
        if self.their_state is h11.DONE or self.their_state is h11.MUST_CLOSE:
            return h11.PAUSED
        event = self._read(self._buffer)
        if event is None:
            return self._without_an_event()
        # `isinstance` takes ten times as long to say no: events have an abstract base class.
        kind = type(event)
        if kind is h11.Data:
            return event
        if kind is h11.EndOfMessage:
            self._end()
        elif kind is h11.Response:
            framing, lengths = _body_framing(self._method, event)
            self._read = CompleteChunksReader() if framing == "chunked" else _BODY_READERS[framing](*lengths)
            # Two framings in one response: another reader might begin the next one elsewhere (RFC 9112, 6.3).
            is_ambiguous = framing == "chunked" and any(name == b"content-length" for name, _ in event.headers)
            self._keeps_alive = self._keeps_alive and not is_ambiguous and _keep_alive(event)
            self.their_state = h11.SEND_BODY
        elif kind is h11.InformationalResponse:
            self._informational += 1
            if event.status_code == 101 or self._informational > _MAX_INFORMATIONAL:
                raise h11.RemoteProtocolError("another protocol was not asked for, nor very many responses")
        return event

    def _without_an_event(self) -> Any:
        if self._has_ended:
            read_eof: Callable[[], h11.EndOfMessage] | None = getattr(self._read, "read_eof", None)
            if read_eof is None or self._buffer:
                raise h11.RemoteProtocolError("the connection ended in a message")
            end = read_eof()
            self._end()
            return end
        if len(self._buffer) > self._longest_head:
            raise h11.RemoteProtocolError("a head is too long")
        return h11.NEED_DATA

    def _end(self) -> None:
        self.their_state = h11.DONE if self._keeps_alive else h11.MUST_CLOSE
