"""A connection that acknowledges what arrives at once, until its session begins."""

import socket
from contextlib import suppress

import asyncssh


class PromptConnection(asyncssh.SSHServerConnection):
    """OpenSSH's client leaves Nagle's algorithm on until its session begins (RFC 9293, 3.7.4).

    Of two packets in a row it sends the second when the first is acknowledged. A server that waits for the second has
    nothing to say, and Linux would acknowledge the first only 40 ms later (tcp(7), TCP_QUICKACK): twice in a handshake.
    """

    is_starting = True
    """No session has begun yet."""

    def data_received(self, data: bytes, datatype: int | None = None) -> None:
        super().data_received(data, datatype)
        option = getattr(socket, "TCP_QUICKACK", None)
        if option is None or not self.is_starting or self._transport is None:
            return
        # The client may be gone, and the option holds until the next answer only.
        with suppress(OSError):
            self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, 1)
