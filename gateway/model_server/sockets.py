"""httpcore's network backend over asyncio streams. The default backend, anyio, costs half as much again."""

import asyncio
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpcore

_READ_AHEAD_BYTES: Final = 256 * 1024
"""Bytes read ahead of the consumer."""


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """TCP connections on the running event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 (asyncio sets TCP_NODELAY)
    ) -> httpcore.AsyncNetworkStream:
        """Raises `httpcore.ConnectTimeout`, `httpcore.ConnectError`."""
        loop = asyncio.get_running_loop()
        local = (local_address, 0) if local_address else None
        reader = _CountingReader(limit=_READ_AHEAD_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        with _httpcore_errors(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                transport, _ = await loop.create_connection(lambda: protocol, host, port, local_addr=local)
        return _AsyncioStream(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


class _CountingReader(asyncio.StreamReader):
    """A stream reader that counts the bytes nobody has read yet."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.unread = 0
        self.has_ended = False

    def feed_data(self, data: Any) -> None:
        self.unread += len(data)
        super().feed_data(data)

    def feed_eof(self) -> None:
        self.has_ended = True
        super().feed_eof()

    def set_exception(self, exc: Exception) -> None:
        self.has_ended = True
        super().set_exception(exc)


class _AsyncioStream(httpcore.AsyncNetworkStream):
    def __init__(self, reader: _CountingReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 (httpcore's)
        with _httpcore_errors(httpcore.ReadTimeout, httpcore.ReadError):
            async with asyncio.timeout(timeout):
                data = await self._reader.read(max_bytes)
        self._reader.unread -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 (httpcore's)
        with _httpcore_errors(httpcore.WriteTimeout, httpcore.WriteError):
            self._writer.write(buffer)
            async with asyncio.timeout(timeout):
                await self._writer.drain()

    async def aclose(self) -> None:
        # Abort: closing would wait for a TLS shutdown that the peer may never answer.
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
    ) -> httpcore.AsyncNetworkStream:
        with _httpcore_errors(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:
        """Extra information for httpcore. `is_readable` is true for an idle connection that the peer has closed."""
        if info == "is_readable":
            return self._reader.has_ended or self._reader.unread > 0
        return self._writer.get_extra_info(info)


@contextmanager
def _httpcore_errors(timeout: type[Exception], failure: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error)) from error
    except OSError as error:  # includes ssl.SSLError
        raise failure(str(error)) from error
