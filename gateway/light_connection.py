"""The server's side of an HTTP/1.1 connection, with the interface of `h11.Connection` at a fifth of its cost.

Heads are read by llhttp, bodies by h11's readers. `gateway.strict_http` does the same where there is no llhttp; the
tests compare the two on the same bytes.
"""

from collections.abc import Callable
from typing import Any, Final

import h11
from h11._readers import ChunkedReader, ContentLengthReader

from gateway.request_head import Headers, read_head
from gateway.strict_http import StrictBuffer

_BODYLESS: Final = (204, 304)
State = type[Any]
"""One of h11's states, which are classes."""


class LightConnection:
    """A connection that reads requests and writes responses, one after the other."""

    def __init__(self, longest_head: int) -> None:
        """`longest_head` is in bytes."""
        self.our_state: State = h11.IDLE
        self.their_state: State = h11.IDLE
        self.they_are_waiting_for_100_continue = False
        self._receive_buffer = StrictBuffer(longest_head)
        self._longest_head = longest_head
        self._method = b""
        self._version = b""
        self._read_body: Callable[[StrictBuffer], Any] | None = None
        self._keeps_alive = True
        self._unsent: int | None = 0
        """Bytes of the body that are still to be sent. None if the body has no length."""
        self._is_chunked = False

    # -- what the client sends -------------------------------------------------------------------------------------

    @property
    def trailing_data(self) -> tuple[bytes, bool]:
        """The bytes received and not read yet, and False: nobody tells whether the client sends more."""
        return bytes(self._receive_buffer), False

    def receive_data(self, data: bytes) -> None:
        """Take what was received."""
        self._receive_buffer.add(data)

    def next_event(self) -> Any:
        """The next event, `h11.NEED_DATA` or `h11.PAUSED`. Raises `h11.RemoteProtocolError`."""
        if self.their_state is h11.ERROR:
            raise h11.RemoteProtocolError("nothing is read after an error")
        try:
            return self._next_event()
        except h11.LocalProtocolError as error:
            self.their_state = h11.ERROR
            self._settle()
            raise h11.RemoteProtocolError(str(error)) from error

    def start_next_cycle(self) -> None:
        """Begin with the next request. Raises `h11.LocalProtocolError` if this one is not over on both sides."""
        if self.our_state is not h11.DONE or self.their_state is not h11.DONE:
            raise h11.LocalProtocolError("the request is not over")
        self.our_state = self.their_state = h11.IDLE
        self._method = b""

    def _next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            return self._next_request()
        if self.their_state is h11.SEND_BODY and self._read_body is not None:
            event = self._read_body(self._receive_buffer)
            if event is None:
                if len(self._receive_buffer) > self._longest_head:
                    raise h11.LocalProtocolError("a line of a body is too long")
                return h11.NEED_DATA
            self.they_are_waiting_for_100_continue = False
            if isinstance(event, h11.EndOfMessage):
                self.their_state = h11.DONE
                self._settle()
            return event
        if not self._receive_buffer:
            return h11.NEED_DATA
        if self.their_state is h11.DONE:
            return h11.PAUSED
        raise h11.LocalProtocolError("something came after the last request")

    def _next_request(self) -> Any:
        head = self._receive_buffer.peek_head()
        if head is None:
            return h11.NEED_DATA
        if self.our_state is not h11.IDLE:
            raise h11.LocalProtocolError("a request came after the response")
        request = read_head(head)
        self._method, self._version = request.method, request.http_version
        self._receive_buffer.drop_head()
        length = request.body_length
        self._read_body = ChunkedReader() if length is None else ContentLengthReader(length)
        self._keeps_alive = not request.is_last
        self.they_are_waiting_for_100_continue = request.waits_for_100_continue
        self.their_state, self.our_state = h11.SEND_BODY, h11.SEND_RESPONSE
        return request

    # -- what the server sends -------------------------------------------------------------------------------------

    def send(self, event: h11.Event) -> bytes | None:
        """The bytes of `event`; None for the end of the connection. Raises `h11.LocalProtocolError`."""
        try:
            return self._written(event)
        except h11.LocalProtocolError:
            self.our_state = h11.ERROR
            self._settle()
            raise

    def _written(self, event: h11.Event) -> bytes | None:
        if self.our_state is h11.SEND_BODY:
            if isinstance(event, h11.Data):
                return self._data(event.data)
            if isinstance(event, h11.EndOfMessage):
                return self._end()
        elif self.our_state is h11.IDLE or self.our_state is h11.SEND_RESPONSE:
            if isinstance(event, h11.Response):
                return self._head(event)
            if isinstance(event, h11.InformationalResponse) and self.our_state is h11.SEND_RESPONSE:
                self.they_are_waiting_for_100_continue = False
                return b"HTTP/1.1 %d %b\r\n\r\n" % (event.status_code, event.reason)
        if isinstance(event, h11.ConnectionClosed) and self.our_state not in (
            h11.SEND_RESPONSE,
            h11.SEND_BODY,
            h11.ERROR,
        ):
            self.our_state = h11.CLOSED
            if self.their_state is h11.IDLE:
                self.their_state = h11.MUST_CLOSE
            self._settle()
            return None
        raise h11.LocalProtocolError("this cannot be sent now")

    def _head(self, response: h11.Response) -> bytes:
        headers, status = response.headers.raw_items(), response.status_code
        named = {name.lower(): value for name, value in headers}
        length, is_for_old = named.get(b"content-length"), self._version != b"1.1"
        if status not in _BODYLESS and (length is None or b"transfer-encoding" in named):
            length = None
            headers = _without(headers, b"content-length", b"transfer-encoding")
            if is_for_old:
                self._keeps_alive = self._keeps_alive and self._method == b"HEAD"
            else:
                headers.append((b"Transfer-Encoding", b"chunked"))
        if not self._keeps_alive or b"connection" in named:
            headers = self._settle_connection(headers)
        is_bodyless = status in _BODYLESS or self._method == b"HEAD"
        self._unsent = 0 if is_bodyless else None if length is None else int(length)
        self._is_chunked = not is_for_old
        self.they_are_waiting_for_100_continue = False
        self.our_state = h11.SEND_BODY
        self._settle()
        lines = [b"%b: %b\r\n" % header for header in headers]
        return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, response.reason, b"".join(lines))

    def _settle_connection(self, headers: Headers) -> Headers:
        """`headers` that say whether this response is the last one, as far as they do not say so already."""
        given = [value for name, value in headers if name.lower() == b"connection"]
        tokens = {token.strip() for value in given for token in value.lower().split(b",")} - {b""}
        if not self._keeps_alive:
            tokens = {*tokens, b"close"} - {b"keep-alive"}
            headers = [*_without(headers, b"connection"), *((b"Connection", token) for token in sorted(tokens))]
        self._keeps_alive = b"close" not in tokens
        return headers

    def _data(self, data: bytes) -> bytes:
        if self._unsent is None:
            return b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked and data else data
        self._unsent -= len(data)
        if self._unsent < 0:
            raise h11.LocalProtocolError("a body is longer than its Content-Length")
        return data

    def _end(self) -> bytes:
        if self._unsent:
            raise h11.LocalProtocolError("a body is shorter than its Content-Length")
        self.our_state = h11.DONE
        self._settle()
        return b"0\r\n\r\n" if self._unsent is None and self._is_chunked else b""

    def _settle(self) -> None:
        """Leave nothing to wait for after the last request."""
        if self.their_state is h11.DONE and (not self._keeps_alive or self.our_state in (h11.CLOSED, h11.ERROR)):
            self.their_state = h11.MUST_CLOSE
        if self.our_state is h11.DONE and (not self._keeps_alive or self.their_state is h11.ERROR):
            self.our_state = h11.MUST_CLOSE


def _without(headers: Headers, *names: bytes) -> Headers:
    return [header for header in headers if header[0].lower() not in names]
