"""The connections to the model server: an httpx transport that keeps idle ones at hand.

httpcore's pool scans all of its connections at each request and each response, which costs several times as much as the
request itself. Here an idle connection is popped from a deque, and appended when its response is read. There are no
proxies from the environment, no redirects and no cookies.
"""

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from typing import Final, NamedTuple, cast

import httpx

from gateway.model_server.connection import ModelServerConnection
from gateway.model_server.light_framing import Headers

MAX_CONNECTIONS: Final = 4000
IDLE_TIMEOUT_S: Final = 15.0
"""Seconds an idle connection is kept. One that the server closed earlier is detected on its next use."""
Origin = tuple[str, str, int]
_PORTS: Final = {"http": 80, "https": 443}


class Target(NamedTuple):
    """The parts of a URL that a request needs."""

    url: httpx.URL
    origin: Origin
    host: bytes
    """With the port, unless it is the usual one (RFC 9110, 7.2)."""
    path: bytes
    """With the query."""

    @classmethod
    def of(cls, url: httpx.URL) -> "Target":
        """Raises `httpx.UnsupportedProtocol`."""
        if url.scheme not in _PORTS:
            raise httpx.UnsupportedProtocol("The address of the model server must begin with http:// or https://.")
        origin = (url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])
        return cls(url, origin, url.netloc, url.raw_path)


class ModelServerTransport(httpx.AsyncBaseTransport):
    """Idle connections by origin, the longest idle first. The last used is reused first, so the others expire."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        tls.set_alpn_protocols(["http/1.1"])
        self._tls = tls
        self._idle: dict[Origin, deque[ModelServerConnection]] = {}
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As `send`, for httpx; `request.extensions` has the timeouts. Also raises `httpx.UnsupportedProtocol`."""
        target, body = Target.of(request.url), cast("httpx.AsyncByteStream", request.stream)
        return await self.send(
            request.method, target, request.headers.raw, body, timeouts=request.extensions["timeout"]
        )

    async def send(
        self,
        method: str,
        target: Target,
        headers: Headers,
        body: bytes | AsyncIterable[bytes],
        *,
        timeouts: Mapping[str, float],
    ) -> httpx.Response:
        """The response to a request, given as its parts: an `httpx.Request` would check and copy each again.

        Closing it returns the connection to the pool. Raises `httpx.PoolTimeout` while `MAX_CONNECTIONS` connections
        are in use, and the exceptions of `ModelServerConnection`.
        """
        await self._acquire_slot(timeouts["pool"])
        try:
            connection = await self._take(target.origin, timeouts["connect"])
            try:
                # A server may refuse a body before it has read all of it, and close: its response says why.
                with contextlib.suppress(httpx.WriteError):
                    await connection.send(method, target.path, headers, body, seconds=timeouts["write"])
                status, received = await connection.receive_head(seconds=timeouts["read"])
            except BaseException:
                connection.abort()
                raise
        except BaseException:
            self._slots.release()
            raise

        def release() -> None:
            self._slots.release()
            if connection.finish():
                self._idle.setdefault(target.origin, deque()).append(connection)
            self._expire()

        return httpx.Response(status, headers=received, stream=ResponseBody(connection, timeouts["read"], release))

    async def aclose(self) -> None:
        """Close the idle connections. Responses that are still being read keep theirs."""
        kept, self._idle = self._idle, {}
        for connections in kept.values():
            for connection in connections:
                connection.abort()

    def _expire(self) -> None:
        """Close the connections that were idle for too long, of every origin: the address of the server may change."""
        for origin, idle in [*self._idle.items()]:
            while idle and not idle[0].is_usable(IDLE_TIMEOUT_S):
                idle.popleft().abort()
            if not idle:
                del self._idle[origin]

    async def _acquire_slot(self, seconds: float) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("Too many requests are under way.") from error

    async def _take(self, origin: Origin, seconds: float) -> ModelServerConnection:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_usable(IDLE_TIMEOUT_S):
                return connection
            connection.abort()
        scheme, host, port = origin
        return await ModelServerConnection.open(host, port, self._tls if scheme == "https" else None, seconds)


class ResponseBody(httpx.AsyncByteStream):
    """The body of a response, which returns its connection when it is closed."""

    def __init__(self, connection: ModelServerConnection, seconds: float, release: Callable[[], None]) -> None:
        self._connection = connection
        self._seconds = seconds
        self._release = release
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.receive_body(seconds=self._seconds)

    def at_hand(self) -> bytes:
        """The received part of the body, before it is iterated. The iteration goes on after it."""
        return self._connection.body_at_hand()

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._release()
