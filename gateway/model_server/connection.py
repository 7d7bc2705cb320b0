"""One HTTP/1.1 connection to the model server: parts of h11 between asyncio's transport and httpx's exceptions.

httpcore does the same through streams, locks and two timeouts for each message, which cost a quarter of a relayed call.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import Any, Final

import h11
import httpx

from gateway.model_server.light_framing import Headers, LightFraming

READ_AHEAD_BYTES: Final = 256 * 1024
"""Bytes read ahead of the consumer."""
WRITE_BYTES: Final = 256 * 1024
"""Bytes written at once. Each such piece has the whole time limit, so that a slow server may take a long body."""
_MAX_HEAD_BYTES: Final = 100 * 1024
_CONNECT_TIMEOUT: Final = "The connection was not made in time."
_READ_TIMEOUT: Final = "Nothing was received in time."
_WRITE_TIMEOUT: Final = "Nothing could be sent in time."
_LOST: Final = "The connection was lost."


class ModelServerConnection(asyncio.Protocol):
    """Sends one request at a time. Its methods raise the exceptions of httpx."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._framing = LightFraming(_MAX_HEAD_BYTES)
        self._transport: asyncio.Transport | None = None
        self._buffered = 0
        """Bytes received since the consumer last waited."""
        self._is_paused = False
        """True while reading is paused."""
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._waiter: asyncio.Future[None] | None = None
        self._has_ended = False
        """True once nothing more will be received."""
        self._error: Exception | None = None
        self._idle_since: float | None = None

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None, seconds: float) -> "ModelServerConnection":
        """A new connection, encrypted if `tls` is given. Raises `httpx.ConnectTimeout` or `httpx.ConnectError`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(
                    cls, host, port, ssl=tls, server_hostname=host if tls else None
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(_CONNECT_TIMEOUT) from error
        except OSError as error:  # includes ssl.SSLError
            raise httpx.ConnectError(str(error)) from error
        return connection

    # -- asyncio.Protocol ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # TCP has a full transport

    def data_received(self, data: bytes) -> None:
        if self._has_ended:
            return
        if self._idle_since is not None:
            self.abort()  # nobody asked for it, and the next response would begin in it
            return
        self._framing.receive_data(data)
        self._buffered += len(data)
        if self._waiter is not None:
            self._wake()
        elif self._buffered > READ_AHEAD_BYTES and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._framing.receive_data(b"")
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._error = error or ConnectionAbortedError()
        self._can_write.set()
        self._wake()

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    # -- one request -----------------------------------------------------------------------------------------------

    async def send(
        self, method: str, target: bytes, headers: Headers, body: bytes | AsyncIterable[bytes], *, seconds: float
    ) -> None:
        """Send a request; `seconds` is the longest time in which the server may take nothing.

        The head and the first piece of the body leave together. Raises `httpx.WriteTimeout`, `httpx.WriteError`,
        `httpx.LocalProtocolError`, and what iterating `body` raises.
        """
        self._idle_since = None
        head = self._written_head(method, target, headers)
        if isinstance(body, bytes):
            head = await self._send_chunk(head, body, seconds)
        else:
            async for chunk in body:
                head = await self._send_chunk(head, chunk, seconds)
        if rest := head + self._written(h11.EndOfMessage()):
            await self._write(rest, seconds)

    async def _send_chunk(self, head: bytes, chunk: bytes, seconds: float) -> bytes:
        """Send a part of the body after `head`; returns what is left of `head`."""
        for start in range(0, len(chunk), WRITE_BYTES):
            piece = chunk[start : start + WRITE_BYTES]
            await self._write(head + self._written(h11.Data(data=piece)), seconds)
            head = b""
        return head

    async def receive_head(self, *, seconds: float) -> tuple[int, list[tuple[bytes, bytes]]]:
        """The status and the headers of the response. `seconds` is the longest silence before each part of it.

        Raises `httpx.ReadTimeout`, `httpx.ReadError`, `httpx.RemoteProtocolError`.
        """
        while type(event := await self._next_event(seconds)) is not h11.Response:
            if type(event) is not h11.InformationalResponse:
                raise httpx.RemoteProtocolError(_LOST)
        return event.status_code, event.headers.raw_items()

    async def receive_body(self, *, seconds: float) -> AsyncIterator[bytes]:
        """The body as it arrives: what is there already is one chunk. Raises what `receive_head` does."""
        event = await self._next_event(seconds)
        while type(event) is h11.Data:
            joined = bytearray(event.data)
            while type(event := self._event_at_hand()) is h11.Data:
                joined += event.data
            yield bytes(joined)
            if event is h11.NEED_DATA:
                event = await self._next_event(seconds)

    def body_at_hand(self) -> bytes:
        """The part of the body that has come. `receive_body` goes on after it."""
        parts = []
        while type(event := self._event_at_hand()) is h11.Data:
            parts.append(event.data)
        return b"".join(parts)

    def finish(self) -> bool:
        """True if the response was read to its end, and the connection can take another request. Else abort it."""
        is_done = self._framing.our_state is h11.DONE and self._framing.their_state is h11.DONE
        if not is_done or self._has_ended or self._framing.trailing_data[0]:
            self.abort()
            return False
        self._framing.start_next_cycle()
        self._buffered = 0
        self._resume_reading()
        self._idle_since = time.monotonic()
        return True

    def is_usable(self, idle_timeout_s: float) -> bool:
        """True if it is still open, and was idle for no more than `idle_timeout_s` seconds."""
        is_fresh = self._idle_since is not None and time.monotonic() - self._idle_since < idle_timeout_s
        return is_fresh and not self._has_ended

    def abort(self) -> None:
        """Close at once: a proper close would wait for a TLS shutdown that the server may never answer."""
        self._has_ended = True
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def _written_head(self, method: str, target: bytes, headers: Headers) -> bytes:
        try:
            return self._framing.send_head(method, target, headers)
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error

    def _written(self, event: Any) -> bytes:
        try:
            return self._framing.send(event)
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error

    async def _write(self, data: bytes, seconds: float) -> None:
        if self._has_ended or self._transport is None:
            raise httpx.WriteError(_LOST)
        self._transport.write(data)
        if not self._can_write.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._can_write.wait()
            except TimeoutError as error:
                raise httpx.WriteTimeout(_WRITE_TIMEOUT) from error

    def _event_at_hand(self) -> Any:
        """The next event, or `h11.NEED_DATA`. `_next_event` raises an error, once what came before it was read."""
        try:
            return self._framing.next_event()
        except h11.RemoteProtocolError:
            return h11.NEED_DATA

    async def _next_event(self, seconds: float) -> Any:
        while True:
            try:
                event = self._framing.next_event()
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            if self._has_ended:
                raise httpx.ReadError(_LOST) from self._error
            await self._wait_for_data(seconds)

    async def _wait_for_data(self, seconds: float) -> None:
        self._buffered = 0
        self._resume_reading()
        waiter = self._waiter = self._loop.create_future()
        # A timer of its own costs a third of `asyncio.timeout`.
        timer = self._loop.call_later(seconds, self._time_out)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _time_out(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(httpx.ReadTimeout(_READ_TIMEOUT))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume_reading(self) -> None:
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            with suppress(RuntimeError):  # the transport is closing
                self._transport.resume_reading()
