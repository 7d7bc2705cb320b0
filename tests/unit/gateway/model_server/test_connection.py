"""The pieces in which a connection writes a body, and those in which it reads one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, cast

import httpx
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

    def abort(self) -> None:
        self.written.clear()


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


@pytest.mark.parametrize("header", [(b"X-Split", b"a\r\nb"), (b"X Name", b"a"), (b"Host", b"second.test")])
async def test_a_head_that_cannot_be_sent_is_an_error_of_httpx_and_nothing_is_written(
    header: tuple[bytes, bytes],
) -> None:
    connection = ModelServerConnection()
    transport = SlowTransport(connection)
    connection.connection_made(cast("asyncio.Transport", transport))

    async def body() -> AsyncIterator[bytes]:
        yield b""

    with pytest.raises(httpx.LocalProtocolError):
        await connection.send("GET", b"/", [(b"Host", b"models.test"), header], body(), seconds=PATIENCE)
    assert transport.written == []


CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def asked() -> ModelServerConnection:
    """A connection that waits for the head of a response."""
    connection = ModelServerConnection()
    transport = SlowTransport(connection)
    connection.connection_made(cast("asyncio.Transport", transport))

    async def body() -> AsyncIterator[bytes]:
        yield b"{}"

    headers = [(b"Host", b"models.test"), (b"Content-Length", b"2")]
    sending = asyncio.create_task(connection.send("POST", b"/", headers, body(), seconds=PATIENCE))
    await transport.has_written.wait()
    connection.resume_writing()
    await sending
    return connection


async def test_what_has_come_is_read_as_one_chunk_and_what_comes_later_as_another() -> None:
    async with asyncio.timeout(PATIENCE):
        connection = await asked()
        connection.data_received(CHUNKED + b"3\r\none\r\n3\r\ntwo\r\n5\r\nth")
        await connection.receive_head(seconds=PATIENCE)
        body = connection.receive_body(seconds=PATIENCE)
        assert await anext(body) == b"onetwoth"

        async def read_on() -> bytes:
            return await anext(body)

        later = asyncio.create_task(read_on())
        await asyncio.sleep(0)
        assert not later.done()
        connection.data_received(b"ree\r\n4\r\nfour\r\n0\r\n\r\n")
        assert await later == b"reefour"
        assert [piece async for piece in body] == []
        assert connection.finish()


@pytest.mark.parametrize("end", [b"no length\r\n", b""])
async def test_what_came_before_an_error_is_read_before_it(end: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        connection = await asked()
        connection.data_received(CHUNKED + b"3\r\none\r\n3\r\ntwo\r\n" + end)
        if not end:
            connection.eof_received()
        await connection.receive_head(seconds=PATIENCE)
        body = connection.receive_body(seconds=PATIENCE)
        assert await anext(body) == b"onetwo"
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(body)
        assert not connection.finish()


async def test_what_is_at_hand_is_not_read_again() -> None:
    async with asyncio.timeout(PATIENCE):
        connection = await asked()
        connection.data_received(CHUNKED + b"3\r\none\r\n3\r\ntwo\r\n5\r\nth")
        await connection.receive_head(seconds=PATIENCE)
        assert connection.body_at_hand() == b"onetwoth"
        assert connection.body_at_hand() == b""
        connection.data_received(b"ree\r\n0\r\n\r\n")
        assert [piece async for piece in connection.receive_body(seconds=PATIENCE)] == [b"ree"]
        assert connection.finish()


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"no length\r\n"])
async def test_after_what_is_at_hand_the_body_ends_as_it_would(end: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        connection = await asked()
        connection.data_received(CHUNKED + b"3\r\none\r\n" + end)
        await connection.receive_head(seconds=PATIENCE)
        assert connection.body_at_hand() == b"one"
        body = connection.receive_body(seconds=PATIENCE)
        if end.startswith(b"0"):
            assert [piece async for piece in body] == []
            assert connection.finish()
        else:
            with pytest.raises(httpx.RemoteProtocolError):
                await anext(body)
            assert not connection.finish()
