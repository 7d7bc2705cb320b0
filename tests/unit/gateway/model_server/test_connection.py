"""The pieces in which a connection writes a body."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, cast

import pytest

from gateway.model_server import connection as connection_module
from gateway.model_server.connection import ModelServerConnection

PATIENCE: Final = 30.0
MORE: Final = 1000


class SlowTransport:
    """A transport whose buffer is full after each write, until the test says that the server took all."""

    def __init__(self, connection: ModelServerConnection) -> None:
        self._connection = connection
        self.written: list[bytes] = []
        self.has_written = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self._connection.pause_writing()
        self.has_written.set()


@pytest.mark.anyio
async def test_each_piece_of_a_long_body_has_the_time_limit_of_its_own() -> None:
    connection = ModelServerConnection()
    transport = SlowTransport(connection)
    connection.connection_made(cast("asyncio.Transport", transport))
    size = connection_module.WRITE_BYTES
    whole = bytes(3 * size + MORE)

    async def body() -> AsyncIterator[bytes]:
        yield whole

    headers = [(b"Host", b"models.test"), (b"Content-Length", b"%d" % len(whole))]
    async with asyncio.timeout(PATIENCE):
        sending = asyncio.create_task(connection.send("POST", b"/", headers, body(), seconds=PATIENCE))
        for count in range(1, 5):
            await transport.has_written.wait()
            assert len(transport.written) == count
            transport.has_written.clear()
            connection.resume_writing()
        await sending
    head, _, first = transport.written[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1")
    assert [len(each) for each in (first, *transport.written[1:])] == [size, size, size, MORE]
