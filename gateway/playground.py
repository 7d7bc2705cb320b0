"""The playground: calls that this program makes itself, by the same steps as a request to the model relay.

A call is admitted, limited, booked, logged and warned about like any other. No server has to run.
"""

import asyncio
import base64
import binascii
import json
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.types import Message

from gateway.json_text import loads_lenient
from gateway.model_server.client import ModelServerClient
from gateway.problems import OpenAiProblem
from gateway.relay.endpoints import CHAT, IMAGES
from gateway.relay.ledger import AdmittedCall
from gateway.relay.output_limits import CostCeiling
from gateway.relay.relay import Relay
from gateway.relay.request import Endpoint, parse_request
from gateway.relay.stream_meter import EVENT_END
from gateway.services import Services
from gateway.site_view import SiteView
from store.errors import GatekeyError, GatewayError, ModelNotPriced, QuestionRefused, UpstreamFailed
from store.running_answer import UNREAD, RunningAnswer, chat_request
from store.store import Store
from store.values.playground import (
    AnswerEnd,
    AnswerImage,
    CostEstimate,
    PlaygroundMode,
    PlaygroundPrice,
    PlaygroundQuestion,
)

_STOPPED_SENTENCE: Final = "You stopped the answer; what had come was charged."
_STREAM_END: Final = b"[DONE]"


class Playground:
    """Answers questions for sessions of one store, on one event loop."""

    def __init__(self, store: Store, *, model_server: ModelServerClient | None = None) -> None:
        self._services = Services.over(store)
        self._relay = Relay(self._services, model_server or ModelServerClient())

    def ask(self, token: str, question: PlaygroundQuestion) -> "PlaygroundAnswer":
        """The answer to `question`, at the expense of the account of the session `token`."""
        return PlaygroundAnswer(self._relay, token, question)

    async def price(self, token: str, model: str) -> PlaygroundPrice:
        """The price that the account of the session pays for `model`. Raises the errors of `Sessions.authorise`."""
        return await self._services.threads.read(lambda: self._price(token, model))

    async def estimate(self, token: str, question: PlaygroundQuestion) -> CostEstimate:
        """The most that the answer to `question` can cost.

        Raises `QuestionRefused`, and the errors of `Sessions.authorise`.
        """
        site = await self._services.site.current()
        return await self._services.threads.read(lambda: self._estimate(token, question, site))

    def _price(self, token: str, model: str) -> PlaygroundPrice:
        store = self._services.store
        with store.database.read() as tx:
            session = store.sessions.authorise(tx, token)
            try:
                return PlaygroundPrice(store.pricing.quote(tx, session.account_id, model))
            except ModelNotPriced:
                return PlaygroundPrice(None, is_refused=True)

    def _estimate(self, token: str, question: PlaygroundQuestion, site: SiteView) -> CostEstimate:
        endpoint, body = _request(question)
        try:
            call = parse_request(endpoint, "application/json", body, site.extra_fields)
        except OpenAiProblem as error:
            raise _for_a_person(error) from error
        price = self._price(token, question.model).price
        ceiling = CostCeiling(call, price, site, self._relay.ledger.limit_compliance.trusts(site, question.model))
        return CostEstimate(call.prompt_tokens, ceiling.tokens, None if price is None else ceiling.max_micro_usd)

    async def aclose(self) -> None:
        """Wait until every call is booked, and close the connections."""
        await self._relay.drain()
        await self._services.aclose()
        await self._relay.aclose()


class PlaygroundAnswer(RunningAnswer):
    """One answer. What came of one that is stopped is charged, and one that is closed is booked by the relay."""

    def __init__(self, relay: Relay, token: str, question: PlaygroundQuestion) -> None:
        super().__init__(question)
        self._relay = relay
        self._token = token
        self._body_is_sent = False
        self._failure: GatekeyError | None = None
        """The error that ended the stream after its first part."""
        self._content = bytearray()
        """The body of an answer that is no stream."""
        self._is_stream = False
        self._rest = b""
        """The bytes behind the last complete event."""

    async def _answer(self) -> None:
        try:
            await self._call()
        except OpenAiProblem as error:
            raise _for_a_person(error) from error

    async def _call(self) -> None:
        endpoint, body = _request(self._question)
        self._body = body
        scope = {
            "type": "http",
            "method": "POST",
            "path": endpoint.path,
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
            "client": None,
        }
        request = Request(scope, self._receive)
        incoming = await self._relay.callers.accept_session(request, self._token, self._question.key_id)
        response, admitted = await self._relay.respond(endpoint, incoming)
        await response(scope, self._receive, self._send)
        if self._is_stream:
            await self._read_event(self._rest)
        else:
            await self._read_document()
        if admitted.booking is not None:
            await asyncio.wait({admitted.booking})
        await self._parts.put(self._end(admitted))

    async def _receive(self) -> Message:
        if not self._body_is_sent:
            self._body_is_sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._stopped.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            media_type = dict(message["headers"]).get(b"content-type", b"")
            self._is_stream = media_type.startswith(b"text/event-stream")
            return
        body: bytes = message.get("body", b"")
        if not self._is_stream:
            self._content += body
            return
        # A long event comes in several pieces.
        *events, self._rest = EVENT_END.split(self._rest + body)
        for event in events:
            await self._read_event(event)

    async def _read_event(self, event: bytes) -> None:
        data = b"\n".join(line[5:].strip() for line in event.splitlines() if line.startswith(b"data:"))
        if not data or data == _STREAM_END:
            return
        document = await self._parsed(data, loads_lenient)
        if "error" in document:
            self._failure = UpstreamFailed(_error_sentence(document["error"]))
            return
        self._put_texts(document)

    async def _read_document(self) -> None:
        document = await self._parsed(bytes(self._content), loads_lenient)
        self._put_texts(document)
        listed = document.get("data")
        for item in listed if isinstance(listed, list) else ():
            image = await asyncio.to_thread(_image, item)
            if image is not None:
                await self._parts.put(image)

    def _end(self, admitted: AdmittedCall) -> AnswerEnd:
        entry = admitted.booked
        status, detail = ("ok", "") if entry is None else (entry.status, entry.detail)
        if self._has_unread:
            detail = f"{detail} {UNREAD}".strip()
        if self._stopped.is_set() and self._failure is None:
            detail = _STOPPED_SENTENCE
        return AnswerEnd(
            request_id=admitted.caller.request_id,
            kind=admitted.kind if entry is None else entry.kind,
            status=status,
            detail=str(self._failure) if self._failure is not None else detail,
            prompt_tokens=entry.prompt_tokens if entry is not None else 0,
            completion_tokens=entry.completion_tokens if entry is not None else 0,
            cost_micro_usd=entry.cost_micro_usd if entry is not None else None,
            duration_ms=self._elapsed_ms(),
            first_token_ms=self._first_token_ms,
        )


def _request(question: PlaygroundQuestion) -> tuple[Endpoint, bytes]:
    """The endpoint and the body of the request that asks `question`."""
    if question.mode is PlaygroundMode.IMAGE:
        prompt = question.turns[-1].text if question.turns else ""
        return IMAGES, json.dumps({"model": question.model, "prompt": prompt, "n": 1}).encode()
    return CHAT, json.dumps(chat_request(question)).encode()


def _image(item: Any) -> AnswerImage | None:
    if not isinstance(item, dict):
        return None
    if isinstance(item.get("url"), str):
        return AnswerImage(url=item["url"])
    try:
        return AnswerImage(data=base64.b64decode(item.get("b64_json") or "", validate=True))
    except (binascii.Error, TypeError, ValueError):
        return None


def _for_a_person(error: OpenAiProblem) -> GatewayError:
    """The error of a request, with a title that a screen can show."""
    is_server_error = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return UpstreamFailed(str(error)) if is_server_error else QuestionRefused(str(error))


def _error_sentence(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else str(OpenAiProblem(502, "The model server broke off the answer."))
