"""What arrives before a session is acknowledged at once; what arrives later, with the answer."""

import asyncio
import socket
from typing import Any

import asyncssh
import pytest

from ssh.prompt_connection import PromptConnection


class Visitor(asyncssh.SSHServer):
    """Lets everybody in."""

    def begin_auth(self, username: str) -> bool:
        return False


class Recorded(PromptConnection):
    """Notes whether the option was set when each piece of data had been handled."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.was_set: list[bool] = []

    def data_received(self, data: bytes, datatype: int | None = None) -> None:
        connected = self._transport.get_extra_info("socket") if self._transport is not None else None
        assert connected is not None
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        super().data_received(data, datatype)
        if self._transport is not None:
            self.was_set.append(bool(connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)))


async def test_until_the_session_begins_nobody_waits_for_an_acknowledgement() -> None:
    loop = asyncio.get_running_loop()
    options = await asyncssh.SSHServerConnectionOptions.construct(
        config=None, server_factory=Visitor, server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")]
    )
    connections: list[Recorded] = []

    def accept() -> Recorded:
        connections.append(Recorded(loop, options))
        return connections[-1]

    server = await loop.create_server(accept, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = await asyncssh.connect("127.0.0.1", port, username="alice", known_hosts=None, config=None)
        (connection,) = connections
        assert len(connection.was_set) >= 3
        assert all(connection.was_set)
        connection.is_starting, before = False, len(connection.was_set)
        with pytest.raises(asyncssh.ChannelOpenError):
            await client.create_session(asyncssh.SSHClientSession)
        assert connection.was_set[before:]
        assert not any(connection.was_set[before:])
        client.abort()
