"""A streamed response: copied from the model server to the client, and booked however it ends."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractContextManager, suppress
from typing import Any, Final

import httpx
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.held_head import hold_next_write
from gateway.model_server.client import MAX_CALL_S, body_at_hand, body_chunks, connection_problem
from gateway.network_errors import NETWORK_ERRORS
from gateway.problems import openai_body
from gateway.relay.keep_alive import KEEP_ALIVE_COMMENT, KeepAlive
from gateway.relay.ledger import LOGGER, AdmittedCall, Ledger
from gateway.relay.model_response import masked_pieces
from gateway.relay.process_client import ParserFailed
from gateway.relay.request import Call
from gateway.relay.response_parser import ResponseParser
from gateway.relay.stream_event import EventFacts, unread_facts
from gateway.relay.stream_meter import SLICE_BYTES, StreamMeter, error_event, stream_slices
from gateway.relay.usage import UNREAD_REMARK, Usage
from gateway.site_view import SiteView
from store.errors import UpstreamFailed
from store.values.usage import Kind

SEND_TIMEOUT_S: Final = 60.0
"""Seconds. A client that reads nothing for so long is considered gone: its call occupies a connection."""
TRAILER_TIMEOUT_S: Final = 1.0
"""Seconds to wait for the end of the HTTP message after the end of the event stream."""
MAX_TRAILER_BYTES: Final = 64 * 1024
"""Bytes read until that end. A new connection costs less than reading more."""
READ_ON_TIMEOUT_S: Final = 30.0
"""Seconds. After the client has left, the stream is read on to its usage, the only source of the reasoning tokens."""
MAX_READ_ON_BYTES: Final = 1024 * 1024
"""Bytes read after the client has left."""
_CLIENT_GONE_STATUS: Final = "client_gone"
_STOPPED_STATUS: Final = "gateway_stopped"
_STOPPED_DETAIL: Final = "The gateway was stopped before the end; what had been sent was counted."
_GONE_DETAIL: Final = "The client left before the end; what it had received was counted."
_STALLED_DETAIL: Final = "The client took nothing for too long; what it had been sent was counted."
_REPORTED_DETAIL: Final = "The client left before the end; what the model server reported was charged."


async def require_event_stream(answer: httpx.Response) -> None:
    """Raises `UpstreamFailed`, with `answer` closed, unless it is an uncompressed event stream.

    A model server that cannot stream answers with one JSON document. As a stream it would be an empty answer.
    """
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "text/event-stream" and answer.headers.get("content-encoding", "identity") == "identity":
        return
    await answer.aclose()
    raise UpstreamFailed("The model server's answer was not an event stream, as was asked of it.")


class _ClientGoneError(Exception):
    """The client no longer reads."""


class StreamingRelayResponse(Response):
    """Passes on the model server's events while both sides are connected.

    The end of the stream is sent after the booking, so a client that has seen the end finds the call in the usage log.
    """

    def __init__(
        self,
        call: Call,
        admitted: AdmittedCall,
        answer: httpx.Response,
        ledger: Ledger,
        site: SiteView,
        slot: AbstractContextManager[Any],
        parser: ResponseParser,
        max_tokens: int,
    ) -> None:
        """`max_tokens` is how many one answer may have at most."""
        super().__init__(
            headers={
                "Cache-Control": "no-cache",
                "X-Accel-Buffering": "no",
                **call.endpoint.form.id_headers(admitted.caller.request_id),
            },
            media_type="text/event-stream",
        )
        del self.headers["content-length"]
        self.headers.update(admitted.headers)
        self._call = call
        self._admitted = admitted
        admitted.has_booker = True
        self._is_booked = False
        self._answer = answer
        self._chunks: AsyncIterator[bytes] = stream_slices(aiter(body_chunks(answer)))
        self._slot = slot
        self._sending_since: float | None = None
        self._keep_alive_s = site.keep_alive_s
        self._keep_alive: KeepAlive | None = None
        self._usage_at_departure: Usage | None = None
        """The usage counted until the client left; None while it is connected."""
        self._read_on_bytes = 0
        self._ledger = ledger
        self._parser = parser
        self._max_tokens = max_tokens
        self._meter = StreamMeter(
            hides_usage=not call.wants_usage,
            secret=site.upstream_key.encode(),
            host=site.upstream_host,
            read_long=self._read_long,
            form=call.endpoint.form,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._slot:
            try:
                await self._serve(scope, receive, send)
                if self._meter.is_done:
                    await self._read_rest()
            finally:
                await self._answer.aclose()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, detail = _CLIENT_GONE_STATUS, _GONE_DETAIL
        pump: asyncio.Task[None] | None = None
        tasks = set[asyncio.Task[None]]()
        try:
            remark = await self._begin_in_time(send)
            if not remark:
                pump = asyncio.create_task(self._pump(scope, send))
                tasks |= {pump, asyncio.create_task(_wait_for_disconnect(receive))}
                remark = "" if await self._is_over(tasks) else _STALLED_DETAIL
            detail = remark or detail
            if not self._is_booked:
                detail = await self._read_on(pump) or detail
        except asyncio.CancelledError:
            if self._usage_at_departure is None:
                status, detail = _STOPPED_STATUS, _STOPPED_DETAIL
            raise
        finally:
            # The client may be gone, or this task cancelled: book the call first.
            await self._book(status, detail)
            self._end_keep_alive()
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
        if pump is not None and not pump.cancelled() and not isinstance(pump.exception(), _ClientGoneError):
            pump.result()

    async def _begin_in_time(self, send: Send) -> str:
        """Send the start at once: the pump is a task, and waits for its turn. Returns a remark if the client left."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._begin(send)
        except TimeoutError:
            return _STALLED_DETAIL
        except _ClientGoneError:
            return _GONE_DETAIL
        return ""

    async def _begin(self, send: Send) -> None:
        """Send the head, and what is there of the body."""
        await self._send(send, {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        self._keep_alive = KeepAlive(self._keep_alive_s, lambda: self._send_comment(send))
        self._keep_alive.start()
        if begun := body_at_hand(self._answer):
            self._chunks = stream_slices(_after(begun[SLICE_BYTES:], body_chunks(self._answer)))
            await self._count_and_send(send, begun[:SLICE_BYTES])

    async def _read_on(self, pump: asyncio.Task[None] | None) -> str:
        """Read on to the usage after the client has left; returns the remark for the log, empty if no usage came."""
        is_at_work = pump is not None and not pump.done()
        has_left = (
            pump is None or is_at_work or (not pump.cancelled() and isinstance(pump.exception(), _ClientGoneError))
        )
        if has_left and not self._meter.has_final_usage:
            self._usage_at_departure = self._usage()
            is_comment = self._keep_alive is not None and self._keep_alive.is_sending
            self._end_keep_alive()
            if pump is not None and self._sending_since is not None and not is_comment:
                # The pump waits for the client, not for the model server: another task can read the stream.
                pump.cancel()
                await asyncio.wait({pump})
            reader = asyncio.create_task(self._discard()) if pump is None or pump.done() else pump
            try:
                await asyncio.wait({reader}, timeout=READ_ON_TIMEOUT_S)
            finally:
                reader.cancel()
                await asyncio.wait({reader})
        if not has_left or not self._meter.has_final_usage:
            return ""
        self._usage_at_departure = None
        return _REPORTED_DETAIL

    async def _discard(self) -> None:
        with suppress(*NETWORK_ERRORS, UpstreamFailed):
            await self._pass_on(_discard_message)

    async def _is_over(self, tasks: set[asyncio.Task[None]]) -> bool:
        """Wait for one of `tasks`. False: the client read nothing for `SEND_TIMEOUT_S`."""
        now = asyncio.get_running_loop().time
        # The clock is checked now and then: a timeout around each event would cost more than sending it.
        while (left := SEND_TIMEOUT_S - (now() - self._sending_since if self._sending_since is not None else 0)) > 0:
            done, _ = await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return True
        return False

    async def _pump(self, scope: Scope, send: Send) -> None:
        try:
            await self._pass_on(send)
        except (*NETWORK_ERRORS, UpstreamFailed) as error:
            failure = error if isinstance(error, UpstreamFailed) else connection_problem(error)
            self._ledger.metrics.model_server_failed("upstream_broken")
            await self._book("upstream_broken", str(failure), kind=Kind.ERROR)
            # Close first: sending may take long, and the connection is no longer needed.
            await self._answer.aclose()
            last = [error_event(openai_body(failure), self._call.endpoint.form)]
        else:
            await self._book("ok", "")
            last = await masked_pieces(self._meter.last_event, self._meter.secret) or [b""]
        for piece in last[:-1]:
            await self._send(send, _body_message(piece))
        self._end_keep_alive()
        hold_next_write(scope)
        await self._send(send, {"type": "http.response.body", "body": last[-1], "more_body": False})

    async def _pass_on(self, send: Send) -> None:
        if self._is_at_end():
            return
        async with asyncio.timeout(MAX_CALL_S):
            async for chunk in self._chunks:
                await self._count_and_send(send, chunk)
                if self._is_at_end() or self._has_read_on(chunk):
                    return
        self._meter.end()

    async def _count_and_send(self, send: Send, chunk: bytes) -> None:
        # All events of the slice are counted before the first is sent: sending may be cancelled.
        for events in await self._meter.feed(chunk):
            await self._send(send, _body_message(events))

    def _is_at_end(self) -> bool:
        """True if the last event has arrived. Raises `UpstreamFailed` for an event that reports an error."""
        if self._meter.failure is not None:
            raise self._meter.failure
        return self._meter.is_done

    async def _read_long(self, event: bytes) -> EventFacts:
        account_id = self._admitted.caller.holder.account_id
        try:
            return await self._parser.event(event, account_id, self._call.endpoint.form)
        except ParserFailed as error:
            LOGGER.warning("An event of %d bytes to account %d was counted: %s", len(event), account_id, error)
            return unread_facts(len(event))

    def _usage(self) -> Usage:
        return self._meter.usage(self._call, self._max_tokens)

    def _remark(self, usage: Usage) -> str:
        if self._meter.has_unread and usage.is_counted:
            return UNREAD_REMARK
        return usage.remark(self._admitted.price, "from the stream")

    def _has_read_on(self, chunk: bytes) -> bool:
        """True if enough was read after the client has left. False while it is connected."""
        if self._usage_at_departure is None:
            return False
        self._read_on_bytes += len(chunk)
        return self._meter.has_final_usage or self._read_on_bytes > MAX_READ_ON_BYTES

    async def _read_rest(self) -> None:
        """Read to the end of the HTTP message: a connection in the middle of one cannot be reused."""
        left = MAX_TRAILER_BYTES
        with suppress(*NETWORK_ERRORS):
            async with asyncio.timeout(TRAILER_TIMEOUT_S):
                async for chunk in self._chunks:
                    left -= len(chunk)
                    if left < 0:
                        return

    async def _send(self, send: Send, message: Message) -> None:
        if self._keep_alive is not None and self._keep_alive.is_sending:
            await self._keep_alive.settle()
        if self._usage_at_departure is None:
            await self._deliver(send, message)

    async def _send_comment(self, send: Send) -> None:
        # A message that is being sent may be a piece of an event, and shows that the stream is not silent.
        if self._sending_since is None and self._usage_at_departure is None:
            with suppress(_ClientGoneError):
                await self._deliver(send, _body_message(KEEP_ALIVE_COMMENT))

    def _end_keep_alive(self) -> None:
        if self._keep_alive is not None:
            self._keep_alive.stop()

    async def _deliver(self, send: Send, message: Message) -> None:
        self._sending_since = asyncio.get_running_loop().time()
        try:
            await send(message)
        except OSError as error:  # ASGI 2.4: the client has disconnected
            raise _ClientGoneError from error
        self._sending_since = None
        if self._keep_alive is not None:
            self._keep_alive.note_sent()

    async def _book(self, status: str, detail: str, *, kind: Kind | None = None) -> None:
        if self._is_booked or (self._usage_at_departure is not None and status != _CLIENT_GONE_STATUS):
            return
        self._is_booked = True
        meter = self._meter
        # A failure before the first part has no usage, unless the server reported one.
        is_nothing = kind is Kind.ERROR and not meter.deltas and meter.reported is None
        usage = None if is_nothing else self._usage_at_departure or self._usage()
        if usage is not None and self._admitted.trusts_limit:
            self._ledger.limit_compliance.record(self._call, usage)
        detail = detail or (self._remark(usage) if usage is not None else "")
        stored = meter.response_id if self._call.stores else ""
        await self._ledger.book(self._admitted, usage, kind=kind, status=status, detail=detail, response_id=stored)


async def _after(begun: bytes, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if begun:
        yield begun
    async for chunk in chunks:
        yield chunk


def _body_message(events: bytes) -> Message:
    return {"type": "http.response.body", "body": events, "more_body": True}


async def _discard_message(_: Message) -> None:
    """Discard a message for a client that has left."""


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
