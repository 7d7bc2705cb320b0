"""h11 without the ambiguities of HTTP/1.1 that allow request smuggling, and what every head is checked for.

If a proxy and the gateway split the same bytes into different requests, a client can smuggle one past the proxy.
"""

import re
from typing import Any, Final

import h11
from h11._receivebuffer import ReceiveBuffer

_HEAD_END: Final = b"\r\n\r\n"
_REQUEST_LINE: Final = re.compile(
    rb"(?P<method>[-!#$%&'*+.^_`|~0-9A-Za-z]+) (?P<target>(?:/|\*|https?://)[\x21-\x7e]*) HTTP/(?P<version>1\.[01])\r\n"
)
_CONTROLS: Final = bytes({*range(0x20), 0x7F} - {*b"\t\r\n"})
_BLANKS: Final = (b" ", b"\t")
_LENGTHS: Final = re.compile(rb"\ncontent-length:([^\r]*)\r", re.IGNORECASE)
_CHUNK_LINE: Final = re.compile(rb"(?P<size>[0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_MAX_CHUNK_LINE_BYTES: Final = 1024
_MAX_SMALL_CHUNKS: Final = 1000
"""Chunks of a body after which they have to hold `_MIN_CHUNK_BYTES` on average."""
_MIN_CHUNK_BYTES: Final = 16

OTHER_CODING: Final = re.compile(rb"\ntransfer-encoding:(?![ \t]*chunked *\r)", re.IGNORECASE)
"""Matches what llhttp refuses, and h11 does not: a tab after the name of the coding."""


class StrictBuffer(ReceiveBuffer):
    """Accepts only CR LF as line end (RFC 9112, 2.2 allows, but does not require, a lone LF)."""

    def __init__(self, longest_head: int) -> None:
        """`longest_head` is in bytes."""
        super().__init__()
        self._longest_head = longest_head
        self._looked = 0
        """Bytes already searched for a lone LF and the end of the head, which may arrive byte by byte."""
        self._head_length = 0
        self._chunks = self._chunk_bytes = 0

    def add(self, data: bytes) -> None:
        """Append what was received."""
        self._data += data

    def head_length(self) -> int:
        """Length of the head that the buffer begins with, or 0 if its end has not come yet."""
        if not self._head_length:
            end = self._data.find(_HEAD_END, max(self._looked - len(_HEAD_END) + 1, 0))
            until = len(self._data) if end < 0 else end + len(_HEAD_END)
            # A CR before the start belongs to the first LF after it.
            with_cr = self._data.count(b"\r\n", max(self._looked - 1, 0), until)
            if self._data.count(b"\n", self._looked, until) != with_cr:
                raise h11.LocalProtocolError("a line ends in LF alone")
            if until > self._longest_head:
                raise h11.LocalProtocolError("a head is too long")
            self._looked = until
            if end >= 0:
                self._head_length = until
        return self._head_length

    def peek_head(self) -> bytes | None:
        """The whole head of a request, which stays in the buffer, or None if its end has not come yet."""
        if self.is_next_line_obviously_invalid_request_line():
            raise h11.LocalProtocolError("illegal request line")
        length = self.head_length()
        return bytes(self._data[:length]) if length else None

    def drop_head(self) -> None:
        """Remove the whole head from the buffer."""
        self._chunks = self._chunk_bytes = 0
        self._extract(self._head_length)

    def maybe_extract_lines(self) -> list[bytearray] | None:
        if not self._data.startswith(b"\r\n"):  # trailers that are none, and then perhaps the next head
            self.head_length()
        lines = super().maybe_extract_lines()
        if lines is not None:
            self._chunks = self._chunk_bytes = 0
            for line in lines:
                if bytes(line[:1]) in _BLANKS or len(line.translate(None, _CONTROLS)) != len(line):
                    raise h11.LocalProtocolError("a line is folded, or has control characters")
        return lines

    def maybe_extract_next_line(self) -> bytearray | None:
        """The line with the size of the next chunk. Thousands of tiny chunks would keep other callers waiting."""
        line = super().maybe_extract_next_line()
        if line is None:
            if len(self._data) > _MAX_CHUNK_LINE_BYTES:
                raise h11.LocalProtocolError("the line of a chunk is too long")
            return None
        chunk = _CHUNK_LINE.fullmatch(line)
        if chunk is None or len(line) > _MAX_CHUNK_LINE_BYTES:
            raise h11.LocalProtocolError("illegal line of a chunk")
        self._chunks += 1
        self._chunk_bytes += int(chunk["size"], 16)
        if self._chunks > _MAX_SMALL_CHUNKS and self._chunk_bytes < _MIN_CHUNK_BYTES * self._chunks:
            raise h11.LocalProtocolError("the chunks are too small")
        return line

    def _extract(self, count: int) -> bytearray:
        self._looked = self._head_length = 0
        return super()._extract(count)


def checked_request_line(head: bytes) -> "re.Match[bytes]":
    """The `method`, `target` and `version` of a whole head, in which nothing is left to interpretation.

    Raises `h11.LocalProtocolError` for another version than 1.0 and 1.1, for a target that is no path and no URL, for a
    folded line, and for control characters.
    """
    line = _REQUEST_LINE.match(head)
    if line is None or line["method"] == b"CONNECT":  # no tunnels
        raise h11.LocalProtocolError("illegal request line")
    if b"\n " in head or b"\n\t" in head:
        raise h11.LocalProtocolError("a line is folded")
    if len(head.translate(None, _CONTROLS)) != len(head):
        raise h11.LocalProtocolError("a head has control characters")
    return line


class StrictConnection(h11.Connection):
    """Refuses what `checked_request_line` does, and a body with two lengths, with `h11.RemoteProtocolError`."""

    _receive_buffer: StrictBuffer

    def __init__(self, longest_head: int) -> None:
        """`longest_head` is in bytes."""
        super().__init__(h11.SERVER, longest_head)
        self._receive_buffer = StrictBuffer(longest_head)

    def _extract_next_receive_event(self) -> Any:
        if self.their_state is h11.IDLE and (head := self._receive_buffer.peek_head()) is not None:
            checked_request_line(head)
            # h11 would take the same length twice.
            lengths = [length.strip(b" \t") for length in _LENGTHS.findall(head)]
            if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
                raise h11.LocalProtocolError("a request has no single Content-Length")
            if OTHER_CODING.search(head):
                raise h11.LocalProtocolError("a request has another Transfer-Encoding than chunked")
        event = super()._extract_next_receive_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            # RFC 9112, 6.1 and 6.3: such a message ought to be handled as an error.
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.LocalProtocolError("a request has both Content-Length and Transfer-Encoding")
            if b"transfer-encoding" in names and event.http_version < b"1.1":
                raise h11.LocalProtocolError("Transfer-Encoding is of HTTP/1.1")
        return event
