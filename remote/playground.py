"""Questions to models through the server's relay, paid by one of the account's API keys.

The server takes a session for its own chat page alone; its relay takes keys, and is the same in both generations.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

from remote.api_keys import ApiKeys
from remote.event_stream import DONE, EventData
from remote.fields import fields_of, parse_json
from remote.network_failures import NETWORK_ERRORS, server_failure, was_never_sent
from remote.patience import Sleep
from remote.relay_errors import failure_of, relay_error
from remote.transport import HttpAnswer, Request, Transport
from remote.usage import LogEntry, LogFilter, LogKind, Usage
from store.errors import (
    AnswerLost,
    AnswerUnreadable,
    CertificateRefused,
    GatekeyError,
    InvalidApiKey,
    NoSuchItem,
)
from store.running_answer import UNREAD, RunningAnswer, chat_request
from store.text import sanitize
from store.values.playground import AnswerEnd, PlaygroundQuestion
from store.values.usage import Kind

CHAT_PATH: Final = "/v1/chat/completions"
LONGEST_S: Final = 1800.0
"""Seconds that an answer may take."""
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
_WAITS: Final = httpx.Timeout(30.0, connect=10.0, read=300.0)
"""A model that thinks may say nothing for minutes."""
_MAX_ERROR_BYTES: Final = 256 * 1024
_BOOKED_AFTER_S: Final = (0.0, 0.5, 1.0, 2.0)
"""Seconds between the looks into the log: the server books an answer at its end, and a broken-off one later."""
_STOPPED: Final = "You stopped the answer. The server charges what it had made by then."
_MAY_BE_CHARGED: Final = "The question may be charged all the same: Usage Logs tells."


class Playground:
    """Asks models."""

    def __init__(self, transport: Transport, api_keys: ApiKeys, usage: Usage, sleep: Sleep) -> None:
        self.transport = transport
        self.api_keys = api_keys
        self.usage = usage
        self.sleep = sleep

    def ask(self, key_id: int, question: PlaygroundQuestion) -> "RunningChat":
        """The answer to `question`, paid by the key. Iterating over it asks for it."""
        return RunningChat(self, key_id, question)


class RunningChat(RunningAnswer):
    """One answer.

    Iterating raises `InvalidApiKey`, `ModelNotPriced`, `QuotaExceeded`, `SpendLimitReached`, `QuestionRefused`,
    `UpstreamFailed`, and the session errors, of a question that failed before the first part of its answer.
    """

    def __init__(self, playground: Playground, key_id: int, question: PlaygroundQuestion) -> None:
        super().__init__(question)
        self._playground = playground
        self._key_id = key_id
        self._is_sent = False
        self._is_cut_off = False
        """True if the person stopped it before its end."""
        self._request_id = ""

    async def _answer(self) -> None:
        failure = await self._until_stopped()
        if failure is not None and self._first_token_ms is None:
            raise failure
        self._parts.put_nowait(await self._end(failure))

    async def _until_stopped(self) -> GatekeyError | None:
        """Read the answer to its end, or until the person stops it. Returns the error that ended it."""
        if self._stopped.is_set():
            self._is_cut_off = True
            return None
        reading, stopping = asyncio.create_task(self._ask()), asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            stopping.cancel()
            await asyncio.wait({reading, stopping})
        if reading.cancelled():
            self._is_cut_off = True
            return None
        error = reading.exception()
        if error is not None and not isinstance(error, GatekeyError):
            raise error
        return error

    async def _ask(self) -> None:
        try:
            key = await self._playground.api_keys.reveal(self._key_id)
        except NoSuchItem as error:
            raise InvalidApiKey from error
        headers = {"Authorization": f"Bearer {key}"}
        request = Request("POST", CHAT_PATH, body=chat_request(self._question), headers=headers, changes=True)
        transport, self._is_sent = self._playground.transport, True
        try:
            async with asyncio.timeout(LONGEST_S):
                response = await transport.open(request, _WAITS, accept="text/event-stream, application/json")
                try:
                    await self._take(response, transport.address.host)
                finally:
                    await response.aclose()
        except NETWORK_ERRORS as error:
            failure = server_failure(error, transport.address.host, changes=False)
            if was_never_sent(error) or isinstance(failure, CertificateRefused):
                raise failure from error
            raise AnswerLost(f"{failure} {_MAY_BE_CHARGED}") from error

    async def _take(self, response: httpx.Response, host: str) -> None:
        self._request_id = sanitize(response.headers.get("x-oneapi-request-id", ""), 100)
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise AnswerUnreadable
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.status_code == httpx.codes.OK and kind == "text/event-stream":
            await self._take_stream(response)
            return
        limit = MAX_ANSWER_BYTES if response.status_code == httpx.codes.OK else _MAX_ERROR_BYTES
        body = b"".join([piece async for piece in _bounded(response, limit)])
        answer = HttpAnswer(response.status_code, response.headers, body)
        document = await self._parsed(body, parse_json) if answer.is_json else {}
        if response.status_code != httpx.codes.OK or "choices" not in document:
            raise relay_error(answer, host, self._question.model)
        self._put_texts(document)

    async def _take_stream(self, response: httpx.Response) -> None:
        events = EventData()
        async for piece in _bounded(response, MAX_ANSWER_BYTES):
            for data in events.feed(piece):
                await self._take_event(data)
        for data in events.end():
            await self._take_event(data)

    async def _take_event(self, data: bytes) -> None:
        if data == DONE:
            return
        document = await self._parsed(data, parse_json)
        if "error" in document:
            raise failure_of(fields_of(document["error"]).text("code", 80), 0)
        self._put_texts(document)

    # -- the end ------------------------------------------------------------------------------------------------

    async def _end(self, failure: GatekeyError | None) -> AnswerEnd:
        duration_ms = self._elapsed_ms()
        entry = await self._booked()
        is_error = failure is not None or (entry is not None and entry.kind == LogKind.ERROR)
        detail = UNREAD if self._has_unread else ""
        if self._is_cut_off:
            detail = _STOPPED
        cost = 0 if not self._is_sent else None if entry is None else entry.cost_micro_usd
        return AnswerEnd(
            request_id=self._request_id,
            kind=Kind.ERROR if is_error else Kind.CONSUMPTION,
            status="error" if is_error else "ok",
            detail=detail if failure is None else str(failure),
            prompt_tokens=0 if entry is None else entry.prompt_tokens,
            completion_tokens=0 if entry is None else entry.completion_tokens,
            cost_micro_usd=cost,
            duration_ms=duration_ms,
            first_token_ms=self._first_token_ms,
        )

    async def _booked(self) -> LogEntry | None:
        """The entry of the log about this answer; None if the server has none, or does not say which it is."""
        if not self._request_id:
            return None
        only = LogFilter(request_id=self._request_id)
        # An answer that came is worth more than the reason why its cost is not known.
        with contextlib.suppress(GatekeyError):
            for pause in _BOOKED_AFTER_S:
                await self._playground.sleep(pause)
                for entry in (await self._playground.usage.page(only, 1, 5)).entries:
                    if entry.request_id == self._request_id and entry.kind in (LogKind.CONSUMPTION, LogKind.ERROR):
                        return entry
        return None


async def _bounded(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """The pieces of the body. Raises `AnswerUnreadable` beyond `limit` bytes."""
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > limit:
            raise AnswerUnreadable("The answer is longer than any that is read.")
        yield piece
