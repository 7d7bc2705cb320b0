"""One relayed call, from authentication to booking.

Steps: count the request, parse the body, hold the maximum cost, call the model server, charge the real cost and log it,
send the last byte. A client that has the complete answer therefore finds it in the usage log.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

import httpx
from starlette.requests import Request
from starlette.responses import Response

from gateway.bearer import bearer_token
from gateway.body_limit import MAX_RELAY_BODY_BYTES
from gateway.client_address import client_address
from gateway.json_text import loads_lenient
from gateway.model_server.client import MAX_CALL_S, ModelServerClient, connection_problem, read_body, response_problem
from gateway.model_server.error_reasons import mask_host, mask_secrets
from gateway.problems import REQUEST_ID_KEY, OpenAiProblem, problem_code
from gateway.relay.admission import Admission
from gateway.relay.body_memory import BodyMemory
from gateway.relay.body_parser import MAX_INLINE_BYTES, BodyParser
from gateway.relay.concurrency_limiter import ConcurrencyLimiter
from gateway.relay.ledger import GATEWAY_STOPPED, AdmittedCall, Caller, Ledger
from gateway.relay.request import Call, Endpoint
from gateway.relay.stream_options import send_call
from gateway.relay.streaming_response import StreamingRelayResponse, require_event_stream
from gateway.relay.usage import response_usage
from gateway.services import Services
from gateway.site_view import SiteView
from store.api_keys import KeyHolder
from store.errors import GatekeyError, InvalidApiKey, QuotaExceeded, UpstreamFailed
from store.reservations import Hold
from store.tokens import API_KEY_PREFIX
from store.values.billing import QuotaState
from store.values.usage import Kind

_CREDENTIAL_NAME: Final = "an API key"
BATCH_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_MAX_ANONYMOUS_BYTES: Final = 64 * 1024
"""Bytes of a body that are read before the sender is authenticated."""
T = TypeVar("T")


class Relay:
    """The steps of a call, shared by all endpoints."""

    def __init__(self, services: Services, model_server: ModelServerClient) -> None:
        self.services = services
        self.model_server = model_server
        self.ledger = Ledger(services)
        self._parser = BodyParser()
        self._concurrency = ConcurrencyLimiter()
        self._body_memory = BodyMemory()
        self._parsing = asyncio.Lock()
        """One parser thread at a time: several would compete for the GIL with each other and with the event loop."""

    def endpoint(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """The ASGI endpoint that relays to `endpoint`."""

        async def relay(request: Request) -> Response:
            return await self._relay(endpoint, request)

        return relay

    async def drain(self) -> None:
        """Wait until every booking is made."""
        await self.ledger.drain()

    async def aclose(self) -> None:
        """Close the connections to the model server, and end the parser process."""
        await self.model_server.aclose()
        await self._parser.aclose()

    async def _relay(self, endpoint: Endpoint, request: Request) -> Response:
        started_at, key, site = self.begin(request), self.key(request), await self.site()
        async with self.counted(request, key, site, started_at) as holder:
            return await self._counted(endpoint, request, key, site, started_at, holder.account_id)

    async def _counted(
        self, endpoint: Endpoint, request: Request, key: str, site: SiteView, started_at: float, account_id: int
    ) -> Response:
        with ExitStack() as held:
            try:
                raw = await self._body(request, key, site, held)
                media_type = request.headers.get("content-type", "")
                call = await self._parser.parse(endpoint, media_type, raw, site.extra_fields, account_id)
            except (OpenAiProblem, QuotaExceeded) as error:
                caller = await self.caller(request, key, site, started_at)
                await self.ledger.log_refusal(caller, "", error, problem_code(error))
                raise
            del raw
            call, admitted = await self._admit(request, key, call, site, started_at)
            return await self._forward(call, admitted, site)

    async def _admit(
        self, request: Request, key: str, call: Call, site: SiteView, started_at: float
    ) -> tuple[Call, AdmittedCall]:
        """Authenticate the key, read the price and hold the maximum cost, in one job of the writer thread."""
        admission = Admission(self.services.store, key, call, site, self.ledger.limit_compliance)
        try:
            # Not durable: if a crash of the database loses the hold, the booking works without it.
            held = self.services.threads.write(admission.hold, first=admission.read, durable=False)
            holding = asyncio.ensure_future(held)
            hold = await asyncio.shield(holding)
        except asyncio.CancelledError:
            # The hold is made all the same, and this task can no longer book it.
            self.ledger.book_cancelled(holding, lambda hold: self._held(request, site, started_at, admission, hold))
            raise
        except GatekeyError as error:
            if admission.holder is not None:
                caller = self.identified(request, admission.holder, site, started_at)
                await self.ledger.log_refusal(caller, call.model, error, problem_code(error))
            raise
        return admission.call, self._held(request, site, started_at, admission, hold)

    def _held(
        self, request: Request, site: SiteView, started_at: float, admission: Admission, hold: Hold
    ) -> AdmittedCall:
        caller = self.identified(request, admission.known_holder, site, started_at)
        call, limit, trusts_limit = admission.call, admission.limit, admission.trusts_limit
        return AdmittedCall(caller, call.model, call.endpoint.kind, admission.price, hold, limit, trusts_limit)

    async def _forward(self, call: Call, held: AdmittedCall, site: SiteView) -> Response:
        """Send the call to the model server and book the outcome, whatever it is."""
        failure: GatekeyError = GATEWAY_STOPPED
        try:
            with ExitStack() as place:
                place.enter_context(self._concurrency.one(held.caller.holder.account_id))
                async with asyncio.timeout(MAX_CALL_S):
                    answer = await send_call(self.model_server, site, call, request_id=held.caller.request_id)
                    if call.streams and answer.is_success:
                        await require_event_stream(answer)
                        streamed = replace(call, content=b"")  # the body is sent, and a stream lasts for minutes
                        return StreamingRelayResponse(streamed, held, answer, self.ledger, site, place.pop_all())
                    content = await self._read(answer, held, site)
            return await self._book(call, held, content, site)
        except TimeoutError as error:
            failure = connection_problem(error)
            raise failure from error
        except GatekeyError as error:
            failure = error
            raise
        finally:
            if not held.has_booker:
                await self.ledger.book_failure(held, failure, problem_code(failure))

    async def _read(self, answer: httpx.Response, held: AdmittedCall, site: SiteView) -> bytes:
        try:
            if not answer.is_success:
                raise held.told(await response_problem(answer, site))
            return await read_body(answer)
        finally:
            await answer.aclose()

    async def _book(self, call: Call, held: AdmittedCall, content: bytes, site: SiteView) -> Response:
        document = await self.document(content)
        status, task = batch_status(document, site) if call.endpoint.kind is Kind.TASK else ("ok", "")
        usage = response_usage(call, document, len(content), secret=site.upstream_key, host=site.upstream_host)
        if held.trusts_limit:
            self.ledger.limit_compliance.note(call, usage)
        await self.ledger.book(held, usage, status=status, detail=usage.remark(held.price), task=task)
        relayed = relay_response(content, site.upstream_key, held.caller.request_id)
        relayed.headers.update(held.headers)
        return relayed

    def begin(self, request: Request) -> float:
        """Assign the request its id, which its response and its usage log entry carry; returns the start time."""
        request.scope[REQUEST_ID_KEY] = "req_" + self.services.store.context.rng.randbytes(12).hex()
        return time.perf_counter()

    def key(self, request: Request) -> str:
        """The API key of `request`. Raises `BearerMissing` or `BearerMalformed`."""
        return bearer_token(request.scope, API_KEY_PREFIX, _CREDENTIAL_NAME)

    def named(self, request: Request) -> dict[str, str]:
        """The response header with the id of `request`."""
        return {"X-Request-Id": request.scope[REQUEST_ID_KEY]}

    async def site(self) -> SiteView:
        return await self.services.site.current()

    @asynccontextmanager
    async def counted(self, request: Request, key: str, site: SiteView, started_at: float) -> AsyncIterator[KeyHolder]:
        """Count the request for its key and its account. An invalid key undoes the count.

        Raises `OpenAiProblem` 429, and `InvalidApiKey`.
        """
        holder = await self.services.rates.holder(key, self._holder)
        try:
            counted = self.services.rates.count(holder, site)
        except OpenAiProblem as error:
            caller = self.identified(request, replace(holder, records_ip=False), site, started_at)
            await self.ledger.log_refusal(caller, "", error, problem_code(error))
            raise
        try:
            yield holder
        except InvalidApiKey:
            self.services.rates.forget(key, counted)
            raise

    async def _body(self, request: Request, key: str, site: SiteView, held: ExitStack) -> bytes | bytearray:
        """Read the body. A long one is read only if the key is valid, the account has money, and its bytes in memory
        stay within the limits; leaving `held` releases them."""
        if "content-encoding" in request.headers:
            raise OpenAiProblem(415, "Send the body as it is, without a content encoding.")
        announced = request.headers.get("content-length", "")
        # RFC 9112, 6.3: Transfer-Encoding overrides Content-Length.
        is_announced = announced.isdigit() and "transfer-encoding" not in request.headers
        if not is_announced or int(announced) > _MAX_ANONYMOUS_BYTES:
            holder, quota = await self.services.threads.read(lambda: self._holder_and_quota(key))
            if quota.remaining_micro_usd < 1:
                raise QuotaExceeded
            claim = held.enter_context(self._body_memory.of(holder.account_id, site))
            claim.announce(min(int(announced), MAX_RELAY_BODY_BYTES) if is_announced else 0)
            body = bytearray()
            async for chunk in request.stream():
                claim.grow_to(len(body) + len(chunk))
                body += chunk
            return body
        return await request.body()

    async def document(self, content: bytes) -> dict[str, Any]:
        """The JSON object in the model server's response. Raises `UpstreamFailed`."""
        return await self._off_loop(content, lambda: _parse_document(content))

    async def _off_loop(self, content: bytes, parse: Callable[[], T]) -> T:
        """The result of `parse`: run in a thread if `content` is long, so that the event loop is not blocked."""
        if len(content) <= MAX_INLINE_BYTES:
            return parse()
        async with self._parsing:
            return await asyncio.to_thread(parse)

    async def caller(self, request: Request, key: str, site: SiteView, started_at: float) -> Caller:
        """Authenticate the sender of `request`. Raises `InvalidApiKey`."""
        holder = await self.services.threads.read(lambda: self.services.store.api_keys.authenticate(key))
        return self.identified(request, holder, site, started_at)

    def identified(self, request: Request, holder: KeyHolder, site: SiteView, started_at: float) -> Caller:
        """The caller for the ledger. Adds the account to the access log entry."""
        address = client_address(request.scope, site.trusted_proxies)
        self.services.log_account(request.scope, holder, address)
        return Caller(holder, address, request.scope[REQUEST_ID_KEY], started_at)

    def _holder(self, key: str) -> KeyHolder:
        with self.services.store.database.read() as tx:
            return self.services.store.api_keys.holder(tx, key)

    def _holder_and_quota(self, key: str) -> tuple[KeyHolder, QuotaState]:
        store = self.services.store
        with store.database.read() as tx:
            holder = store.api_keys.holder(tx, key)
            return holder, store.quota.state_of(tx, holder.account_id)


def relay_response(content: bytes, secret: str, request_id: str) -> Response:
    """The model server's response, with the gateway's key masked."""
    known = secret.encode()
    if known and known in content:
        content = content.replace(known, b"...")
    return Response(content, headers={"X-Request-Id": request_id}, media_type="application/json")


def _parse_document(content: bytes) -> dict[str, Any]:
    """The JSON object in `content`. Raises `UpstreamFailed`."""
    try:
        document = loads_lenient(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UpstreamFailed("The model server's answer was not a JSON object.")
    return document


def batch_status(document: Mapping[str, Any], site: SiteView) -> tuple[str, str]:
    """Status and id of a batch at the model server. Raises `UpstreamFailed`."""
    status, name = document.get("status"), document.get("id")
    if not isinstance(status, str) or not isinstance(name, str) or not BATCH_ID.fullmatch(name):
        raise UpstreamFailed("The model server's answer was no batch.")
    return mask_secrets(mask_host(status, site.upstream_host), site.upstream_key), name
