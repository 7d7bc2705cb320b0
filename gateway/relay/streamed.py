"""A streamed answer: pumped from the model server to the client, and booked however it ends."""

import asyncio
from typing import Final

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.faults import FOREIGN
from gateway.problems import openai_body
from gateway.relay.ledger import Held, Ledger
from gateway.relay.request import Call
from gateway.relay.stream import DONE, Meter, error_event
from gateway.relay.upstream import LONGEST_CALL, chunks, unreachable
from store.errors import UpstreamFailed
from store.usage_log import Kind

_GONE: Final = "The client left before the end; what it had received was counted."
_COUNTED: Final = "The model server reported no usage; it was counted from the stream."


async def check_streams(answer: httpx.Response) -> None:
    """Raises `UpstreamFailed`, with `answer` closed, unless it is an event stream as it was asked for.

    A model server that does not stream answers with one document. It holds no event, so it would be an empty answer.
    """
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "text/event-stream" and answer.headers.get("content-encoding", "identity") == "identity":
        return
    await answer.aclose()
    raise UpstreamFailed("The model server's answer was not an event stream, as was asked of it.")


class _ClientGoneError(Exception):
    """Nobody takes what is sent."""


class StreamedAnswer(Response):
    """The answer of the model server, event by event, for as long as both sides stay.

    The end of the stream is sent when the call is booked, so whoever saw the end finds it in the log.
    """

    def __init__(self, call: Call, held: Held, answer: httpx.Response, ledger: Ledger, secret: str) -> None:
        super().__init__(
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "X-Request-Id": held.caller.request_id},
            media_type="text/event-stream",
        )
        del self.headers["content-length"]
        self._call = call
        self._held = held
        held.is_taken = True
        self._is_booked = False
        self._answer = answer
        self._ledger = ledger
        self._meter = Meter(hides_usage=not call.wants_usage, secret=secret.encode())

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        pump = asyncio.create_task(self._pump(send))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # The client may be gone, or this very task cancelled: the call is booked first.
            await self._book("client_gone", _GONE)
            pump.cancel()
            gone.cancel()
            await asyncio.wait({pump, gone})
            await self._answer.aclose()
        if not pump.cancelled() and not isinstance(pump.exception(), _ClientGoneError):
            pump.result()

    async def _pump(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            await self._pass_on(send)
        except (*FOREIGN, UpstreamFailed) as error:
            failure = error if isinstance(error, UpstreamFailed) else unreachable(error)
            await self._book("upstream_broken", str(failure), kind=Kind.ERROR)
            await _send(send, error_event(openai_body(failure)))
        else:
            await self._book("ok", "")
            if self._meter.is_done:
                await _send(send, DONE)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pass_on(self, send: Send) -> None:
        async with asyncio.timeout(LONGEST_CALL):
            async for chunk in chunks(self._answer):
                for event in self._meter.feed(chunk):
                    await _send(send, event)
                if self._meter.is_done:
                    return
        self._meter.end()

    async def _book(self, status: str, detail: str, *, kind: Kind | None = None) -> None:
        if self._is_booked:
            return
        self._is_booked = True
        meter = self._meter
        # Of a failure before the first piece nothing was answered, unless it was reported.
        is_nothing = kind is Kind.ERROR and not meter.pieces and meter.told is None
        usage = None if is_nothing else meter.usage(self._call)
        counted = _COUNTED if usage is not None and usage.is_counted else ""
        await self._ledger.book(self._held, usage, kind=kind, status=status, detail=detail or counted)


async def _send(send: Send, event: bytes) -> None:
    try:
        await send({"type": "http.response.body", "body": event, "more_body": True})
    except OSError as error:  # what ASGI 2.4 says of a client that is gone
        raise _ClientGoneError from error


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
