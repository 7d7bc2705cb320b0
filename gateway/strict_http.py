"""h11 without the ambiguities of HTTP/1.1 that allow request smuggling.

If a proxy and the gateway split the same bytes into different requests, a client can smuggle one past the proxy.
"""

import re
from typing import Any, Final

import h11
from h11._receivebuffer import ReceiveBuffer

_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_HEAD_END: Final = b"\r\n\r\n"


class _CrLfBuffer(ReceiveBuffer):
    """Accepts only CR LF as line end (RFC 9112, 2.2 allows, but does not require, a lone LF)."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = 0
        """Bytes already searched for a lone LF and the end of the head, which may arrive byte by byte."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        end = self._data.find(_HEAD_END, max(self._looked - len(_HEAD_END) + 1, 0))
        until = len(self._data) if end < 0 else end + len(_HEAD_END)
        if _BARE_LF.search(self._data, self._looked, until):  # the lookbehind sees a CR before the start
            raise h11.LocalProtocolError("a line ends in LF alone")
        self._looked = until
        return super().maybe_extract_lines()

    def _extract(self, count: int) -> bytearray:
        self._looked = 0
        return super()._extract(count)


class StrictConnection(h11.Connection):
    """Refuses a lone LF, and a body with two conflicting lengths, with `h11.RemoteProtocolError`."""

    def __init__(self, longest_head: int) -> None:
        """`longest_head` is in bytes."""
        super().__init__(h11.SERVER, longest_head)
        self._receive_buffer = _CrLfBuffer()

    def _extract_next_receive_event(self) -> Any:
        event = super()._extract_next_receive_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            # RFC 9112, 6.1 and 6.3: such a message ought to be handled as an error.
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.LocalProtocolError("a request has both Content-Length and Transfer-Encoding")
            if b"transfer-encoding" in names and event.http_version < b"1.1":
                raise h11.LocalProtocolError("Transfer-Encoding is of HTTP/1.1")
        return event
