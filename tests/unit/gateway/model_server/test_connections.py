"""Connections to the model server: one segment for a request, reuse, time limits, and what a server can do wrong."""

import asyncio
import contextlib
import importlib.util
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest

from gateway.model_server import connection as connection_module
from gateway.model_server import connections
from gateway.model_server.connections import ModelServerTransport
from gateway.network_errors import NETWORK_ERRORS
from tests.fakes.certificate_authority import Authority

PATIENCE: Final = 30.0
LOOPS: Final = ("asyncio", "uvloop") if importlib.util.find_spec("uvloop") else ("asyncio",)
SOON: Final = 0.05
TIMEOUTS: Final = {"connect": PATIENCE, "read": PATIENCE, "write": PATIENCE, "pool": PATIENCE}
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Chunks(httpx.AsyncByteStream):
    """A body in these pieces. An exception among them is raised."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def request_to(url: str, *pieces: bytes | Exception, length: int | None = None, **timeouts: float) -> httpx.Request:
    size = sum(len(each) for each in pieces if isinstance(each, bytes)) if length is None else length
    headers = [(b"Host", b"models.test"), (b"Content-Length", str(size).encode())]
    extensions = {"timeout": {**TIMEOUTS, **timeouts}}
    return httpx.Request("POST", url, headers=headers, stream=Chunks(*pieces), extensions=extensions)


async def read(response: httpx.Response) -> bytes:
    try:
        return b"".join([chunk async for chunk in response.stream])  # type: ignore[union-attr]  # it is asynchronous
    finally:
        await response.aclose()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request, its body included."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
    return head + await reader.readexactly(length)


@pytest.fixture(params=LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops on which the gateway may run."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@asynccontextmanager
async def serving(
    handle: Handle, tls: ssl.SSLContext | None = None, trust: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[ModelServerTransport, str]]:
    """A server that gives each connection to `handle`; a client's transport, and the URL."""
    tasks: set[asyncio.Task[Any]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]  # a task runs this
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handle(reader, writer)
        finally:
            writer.close()

    transport = ModelServerTransport(trust or ssl.create_default_context())
    server = await asyncio.start_server(run, "127.0.0.1", 0, ssl=tls)
    try:
        yield transport, f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat"
    finally:
        await transport.aclose()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # closed transports let go of their sockets


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 (what it looks at tells nobody)
            await asyncio.sleep(0.01)


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request(reader)
        writer.write(OK)


async def test_a_request_is_one_segment() -> None:
    first: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first.append(await reader.read(65536))
        writer.write(OK)

    async with serving(handle) as (transport, url):
        response = await transport.handle_async_request(request_to(url, b'{"model": "x"}'))
        assert (response.status_code, await read(response)) == (200, b"ok")
    head, _, body = first[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat HTTP/1.1\r\nHost: models.test\r\n")
    assert body == b'{"model": "x"}'


async def test_connections_are_reused_and_those_at_once_are_not_shared() -> None:
    peers: list[Any] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername"))
        await answer_all(reader, writer)

    async with serving(handle) as (transport, url):
        for _ in range(5):
            assert await read(await transport.handle_async_request(request_to(url))) == b"ok"
        assert len(peers) == 1
        responses = [await transport.handle_async_request(request_to(url)) for _ in range(3)]
        assert [await read(each) for each in responses] == [b"ok"] * 3
        assert len(peers) == 3


@pytest.mark.parametrize("way", ["closes", "says more", "asks to close", "expires", "is not read to its end"])
async def test_a_connection_that_cannot_be_used_again_is_not(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    count, gone = 0, asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await read_request(reader)
        close = b"Connection: close\r\n" if way == "asks to close" else b""
        writer.write(OK.replace(b"Content", close + b"Content", 1))
        if way == "says more":
            await asyncio.sleep(SOON)
            writer.write(b"HTTP/1.1 200 OK\r\n")
        if way == "closes":
            writer.close()
        gone.set()
        if way != "closes":
            await reader.read()

    async with serving(handle) as (transport, url):
        if way == "expires":
            monkeypatch.setattr(connections, "IDLE_TIMEOUT_S", 0.0)
        response = await transport.handle_async_request(request_to(url))
        if way == "is not read to its end":
            await response.aclose()
        else:
            assert await read(response) == b"ok"
        if way in ("closes", "says more"):
            await gone.wait()
            idle = [each for kept in transport._idle.values() for each in kept]
            await until(lambda: not any(each.is_usable(PATIENCE) for each in idle))
        assert await read(await transport.handle_async_request(request_to(url))) == b"ok"
    assert count == 2


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", httpx.RemoteProtocolError),
        (b"not HTTP at all\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, httpx.RemoteProtocolError),
        ("reset", httpx.ReadError),
    ],
)
async def test_a_broken_response_is_an_error_of_the_network(said: Any, error: type[Exception]) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        if said == "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.write(said)
            await writer.drain()

    async with serving(handle) as (transport, url):
        with pytest.raises(error) as raised:
            await read(await transport.handle_async_request(request_to(url)))
        assert isinstance(raised.value, NETWORK_ERRORS)
        assert transport._slots._value == connections.MAX_CONNECTIONS


async def test_an_informational_response_is_passed_over() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK)
        await reader.read()

    async with serving(handle) as (transport, url):
        assert await read(await transport.handle_async_request(request_to(url))) == b"ok"


async def test_a_refusal_of_a_long_body_is_read_although_the_server_takes_no_more() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Long\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await writer.drain()
        # Read on a little, or the reset of unread bytes overtakes the response.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while await reader.read(65536):
                    pass

    async with serving(handle) as (transport, url):
        pieces = [b"x" * 65536] * 4096
        response = await transport.handle_async_request(request_to(url, *pieces))
        assert (response.status_code, await read(response)) == (413, b"no")


async def test_time_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(silent) as (transport, url):
        with pytest.raises(httpx.ReadTimeout):
            await transport.handle_async_request(request_to(url, read=SOON))
        body = [b"x" * 2**20] * 64
        with pytest.raises(httpx.WriteTimeout):
            await transport.handle_async_request(request_to(url, *body, write=SOON))
        monkeypatch.setattr(transport, "_slots", asyncio.Semaphore(0))
        with pytest.raises(httpx.PoolTimeout):
            await transport.handle_async_request(request_to(url, pool=SOON))


async def test_silence_within_a_body_is_limited_and_not_its_length() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await reader.read()

    async with serving(handle) as (transport, url):
        response = await transport.handle_async_request(request_to(url, read=SOON))
        with pytest.raises(httpx.ReadTimeout):
            await read(response)


async def test_a_server_that_is_not_there() -> None:
    transport = ModelServerTransport(ssl.create_default_context())
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        await transport.handle_async_request(request_to(f"http://127.0.0.1:{port}/"))
    with pytest.raises(httpx.UnsupportedProtocol):
        await transport.handle_async_request(request_to("ftp://127.0.0.1/"))


async def test_tls_is_verified_and_its_connection_reused() -> None:
    authority, peers = Authority(), list[Any]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await answer_all(reader, writer)

    tls = authority.serve("127.0.0.1")
    tls.set_alpn_protocols(["h2", "http/1.1"])
    async with serving(handle, tls, authority.trust()) as (transport, url):
        for _ in range(3):
            assert await read(await transport.handle_async_request(request_to(url, b"x" * 300_000))) == b"ok"
    assert peers == ["http/1.1"]


@pytest.mark.parametrize("fault", ["a stranger's", "another name's"])
async def test_a_certificate_that_is_not_trusted_ends_the_connection(fault: str) -> None:
    authority = Authority()
    trust = Authority().trust() if fault == "a stranger's" else authority.trust()
    tls = authority.serve("127.0.0.1" if fault == "a stranger's" else "models.test")
    async with serving(answer_all, tls, trust) as (transport, url):
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await transport.handle_async_request(request_to(url))
        assert transport._slots._value == connections.MAX_CONNECTIONS


async def test_plain_http_behind_https_is_a_connection_error() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(handle) as (transport, url):
        with pytest.raises(httpx.ConnectError):
            await transport.handle_async_request(request_to(url.replace("http:", "https:")))


async def test_a_server_faster_than_its_reader_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "READ_AHEAD_BYTES", 64 * 1024)
    size, sent = 64 * 2**20, 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 65536):
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with serving(handle) as (transport, url):
        response = await transport.handle_async_request(request_to(url))
        before = -1
        while before != sent:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.2)
        assert 0 < sent < size
        assert len(await read(response)) == size


@pytest.mark.parametrize("moment", ["head", "body"])
async def test_a_call_that_is_cancelled_gives_its_slot_back_and_closes(moment: str) -> None:
    ended = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        if moment == "body":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        with contextlib.suppress(OSError):
            await reader.read()
        ended.set()

    async with serving(handle) as (transport, url):

        async def call() -> bytes:
            return await read(await transport.handle_async_request(request_to(url)))

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON):
                await call()
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
        assert transport._slots._value == connections.MAX_CONNECTIONS


async def test_an_error_of_the_body_is_raised_and_closes_the_connection() -> None:
    class Broken(Exception):
        pass

    async with serving(answer_all) as (transport, url):
        with pytest.raises(Broken):
            await transport.handle_async_request(request_to(url, b"x", Broken(), length=10))
        assert transport._slots._value == connections.MAX_CONNECTIONS
        assert await read(await transport.handle_async_request(request_to(url))) == b"ok"


async def test_connections_beneath_a_fresh_one_expire_and_those_of_another_origin() -> None:
    closed = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal closed
        try:
            await answer_all(reader, writer)
        finally:
            closed += 1

    def grow_old(*idle: Any) -> None:
        for each in idle:
            each._idle_since -= connections.IDLE_TIMEOUT_S

    async with serving(handle) as (transport, url), serving(answer_all) as (_, other_url):
        responses = [await transport.handle_async_request(request_to(url)) for _ in range(3)]
        assert [await read(each) for each in responses] == [b"ok"] * 3
        (idle,) = transport._idle.values()
        grow_old(*[*idle][:2])
        assert await read(await transport.handle_async_request(request_to(url))) == b"ok"
        await until(lambda: closed == 2)
        assert len(idle) == 1
        grow_old(*idle)
        assert await read(await transport.handle_async_request(request_to(other_url))) == b"ok"
        await until(lambda: closed == 3)
        assert len(transport._idle) == 1
