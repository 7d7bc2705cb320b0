"""Reads the head of a request with llhttp, the parser of Node.js, through httptools."""

from typing import Final

import h11
import httptools

from gateway.strict_http import OTHER_CODING, checked_request_line

_USUAL_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
_STAND_IN: Final = b"GET"
_MAX_LENGTH_DIGITS: Final = 20
Headers = list[tuple[bytes, bytes]]


class RequestHead(h11.Request):
    """A request that was checked already, with its headers in lower case.

    `body_length` is in bytes, and None if the body is chunked.
    """

    __slots__ = ("body_length", "is_last", "waits_for_100_continue")
    body_length: int | None
    is_last: bool
    """True if the client closes the connection after the response."""
    waits_for_100_continue: bool

    def __init__(self, method: bytes, target: bytes, version: bytes, headers: Headers) -> None:
        # The class is frozen, and its own __init__ checks once more, which costs as much as all of the reading.
        put = object.__setattr__
        put(self, "method", method)
        put(self, "target", target)
        put(self, "http_version", version)
        put(self, "headers", headers)
        length, is_chunked, hosts, is_last, waits = None, False, 0, version == b"1.0", False
        for name, value in headers:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                if length is not None or not value.isdigit() or len(value) > _MAX_LENGTH_DIGITS:
                    raise h11.LocalProtocolError("a request has no single Content-Length")
                length = int(value)
            elif name == b"transfer-encoding":
                if is_chunked or value.lower() != b"chunked" or version == b"1.0":
                    raise h11.LocalProtocolError("a request has another Transfer-Encoding than chunked")
                is_chunked = True
            elif name == b"connection":
                is_last = is_last or _has(value, b"close")
            elif name == b"expect":
                waits = waits or (version == b"1.1" and _has(value, b"100-continue"))
        if is_chunked and length is not None:
            raise h11.LocalProtocolError("a request has both Content-Length and Transfer-Encoding")
        if hosts > 1 or (not hosts and version == b"1.1"):
            raise h11.LocalProtocolError("a request has no single Host")
        put(self, "body_length", None if is_chunked else length or 0)
        put(self, "is_last", is_last)
        put(self, "waits_for_100_continue", waits)


class _Headers:
    """Takes what the parser finds."""

    def __init__(self) -> None:
        self.found: Headers = []
        self.is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.found.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self.is_complete = True


def read_head(head: bytes) -> RequestHead:
    """The request that `head`, with the empty line at its end, begins. Raises `h11.LocalProtocolError`.

    Each head has a parser of its own, so that none can leave anything for the next.
    """
    line = checked_request_line(head)
    method, target, version = line.groups()
    if method not in _USUAL_METHODS:
        # llhttp refuses methods it has no name for.
        head = _STAND_IN + head[line.end("method") :]
    headers = _Headers()
    try:
        httptools.HttpRequestParser(headers).feed_data(head)
    except httptools.HttpParserUpgrade:
        # Nothing is upgraded: the request is served as it is. llhttp has not looked at its coding.
        if OTHER_CODING.search(head):
            raise h11.LocalProtocolError("a request has another Transfer-Encoding than chunked") from None
    except httptools.HttpParserError as error:
        raise h11.LocalProtocolError(str(error)) from error
    if not headers.is_complete:
        raise h11.LocalProtocolError("a head ends early")
    return RequestHead(method, target, version, headers.found)


def _has(value: bytes, token: bytes) -> bool:
    return token in [each.strip() for each in value.lower().split(b",")]
