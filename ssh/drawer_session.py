"""The session of a channel over which the drawer is fetched."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from asyncssh.channel import SSHChannel, SSHServerChannel
from asyncssh.stream import SSHServerStreamSession

from ssh.drawer_server import DrawerServer

SFTP_VERSION: Final = 3
"""The version of every client in use (draft-ietf-secsh-filexfer-02)."""
_SFTP: Final = "sftp"
_SCP: Final = "scp "
"""The command by which the old protocol begins: `scp -f NAME`."""
TIME_LIMIT_S: Final = 3600.0
"""Seconds that a connection for the drawer may last: nothing in it is older."""


def asks_for_drawer(command: str | None, subsystem: str | None) -> bool:
    """True for the subsystem of SFTP, and for the command with which a client begins the old protocol of scp."""
    return subsystem == _SFTP or (command is not None and command.startswith(_SCP))


class DrawerSession(SSHServerStreamSession[bytes]):
    """SFTP, or the old protocol of scp, on one channel. asyncssh runs both."""

    def __init__(
        self, open_server: "Callable[[SSHChannel[bytes]], DrawerServer]", *, closed: Callable[[], None]
    ) -> None:
        """`closed` is called when the channel is closed."""
        super().__init__(None, self._serve, SFTP_VERSION, allow_scp=True)
        self._open_server = open_server
        self._closed = closed
        self._server: DrawerServer | None = None
        self._timer: asyncio.TimerHandle | None = None

    def _serve(self, channel: "SSHChannel[bytes]") -> DrawerServer:
        self._server = self._open_server(channel)
        self._timer = asyncio.get_running_loop().call_later(TIME_LIMIT_S, channel.abort)
        return self._server

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._server is not None:
            self._server.writable.clear()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._server is not None:
            self._server.writable.set()

    def eof_received(self) -> bool:
        """The client of SFTP has all it wants. Without an exit status it would report a failure."""
        stays_open = super().eof_received()
        channel = cast("SSHServerChannel[bytes]", self._chan)
        if channel.get_subsystem() == _SFTP:
            channel.exit(0)
        return stays_open

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._server is not None:
            self._server.end()
            self._server.writable.set()
        super().connection_lost(exc)
        self._closed()
