"""A connection pool for the model server that keeps idle connections in a list.

httpcore's own pool scans all of its connections at each request and each response, which costs several times as much as
the request itself. This pool pops an idle connection from a list and appends it when its response is read. TLS,
HTTP/1.1 and the exceptions are those of httpcore and httpx.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any, Final

import httpcore
import httpx

from gateway.model_server.sockets import AsyncioBackend

MAX_CONNECTIONS: Final = 1000
IDLE_TIMEOUT_S: Final = 15.0
"""Seconds an idle connection is kept. One that the server closed earlier is detected on its next use."""


class IdleListPool(httpcore.AsyncConnectionPool):
    """Idle connections by origin. The last used is reused first, so the others expire."""

    def __init__(self, tls: ssl.SSLContext, network_backend: httpcore.AsyncNetworkBackend | None = None) -> None:
        super().__init__(ssl_context=tls, keepalive_expiry=IDLE_TIMEOUT_S, network_backend=network_backend)
        self._idle: dict[str, list[httpcore.AsyncConnectionInterface]] = {}
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """The response. Closing it returns the connection to the pool.

        Raises `httpcore.PoolTimeout` while `MAX_CONNECTIONS` connections are in use.
        """
        await self._acquire_slot(request.extensions["timeout"]["pool"])
        origin = request.url.origin
        try:
            connection = await self._take(origin)
            try:
                response = await connection.handle_async_request(request)
            except BaseException:
                await connection.aclose()
                raise
        except BaseException:
            self._slots.release()
            raise

        async def release() -> None:
            self._slots.release()
            if connection.is_idle():
                self._idle.setdefault(str(origin), []).append(connection)
            else:
                await connection.aclose()

        return httpcore.Response(
            response.status,
            headers=response.headers,
            content=_ReleasingStream(response.stream, release),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the idle connections. Responses that are still being read keep theirs."""
        kept, self._idle = self._idle, {}
        for connections in kept.values():
            for connection in connections:
                await connection.aclose()

    async def _acquire_slot(self, seconds: float) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError as error:
            raise httpcore.PoolTimeout from error

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        idle = self._idle.get(str(origin), [])
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return self.create_connection(origin)


class _ReleasingStream:
    """The body of a response, which returns its connection to the pool when it is closed."""

    def __init__(self, stream: Any, release: Any) -> None:
        self._stream = stream
        self._release = release
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        chunks: AsyncIterator[bytes] = self._stream.__aiter__()
        return chunks

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            try:
                await self._stream.aclose()
            finally:
                await self._release()


class ModelServerTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over `IdleListPool`: no proxies from the environment, no redirects, no cookies."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = IdleListPool(tls, AsyncioBackend())
