"""HTTP/1.1 as h11 reads it, without what two readers could take for two different requests.

A request that a proxy and the gateway cut differently is a way to smuggle a second one past the proxy.
"""

import re
from typing import Any, Final

import h11
from h11._receivebuffer import ReceiveBuffer

_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_HEAD_END: Final = b"\r\n\r\n"


class _CrLfBuffer(ReceiveBuffer):
    """Lines end in CR LF, and in nothing else (RFC 9112, 2.2 leaves a lone LF to the recipient)."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = 0
        """Bytes that have no lone LF and no end of the head: a head may come in byte by byte."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        end = self._data.find(_HEAD_END, max(self._looked - len(_HEAD_END) + 1, 0))
        until = len(self._data) if end < 0 else end + len(_HEAD_END)
        if _BARE_LF.search(self._data, self._looked, until):  # it sees the CR before where it begins
            raise h11.LocalProtocolError("a line ends in LF alone")
        self._looked = until
        return super().maybe_extract_lines()

    def _extract(self, count: int) -> bytearray:
        self._looked = 0
        return super()._extract(count)


class StrictConnection(h11.Connection):
    """Refuses a lone LF, and a body whose length is told in two ways, with `h11.RemoteProtocolError`."""

    def __init__(self, longest_head: int) -> None:
        """`longest_head` is in bytes."""
        super().__init__(h11.SERVER, longest_head)
        self._receive_buffer = _CrLfBuffer()

    def _extract_next_receive_event(self) -> Any:
        event = super()._extract_next_receive_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            # RFC 9112, 6.1 and 6.3: it ought to be handled as an error.
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.LocalProtocolError("a request has both Content-Length and Transfer-Encoding")
            if b"transfer-encoding" in names and event.http_version < b"1.1":
                raise h11.LocalProtocolError("Transfer-Encoding is of HTTP/1.1")
        return event
