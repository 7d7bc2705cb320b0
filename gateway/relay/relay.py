"""One relayed call, from authentication to booking.

Steps: count the request, parse the body, hold the maximum cost, call the model server, charge the real cost and log it,
send the last byte. A client that has the complete answer therefore finds it in the usage log.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace

import httpx
from starlette.requests import Request
from starlette.responses import Response

from gateway.model_server.client import MAX_CALL_S, ModelServerClient, connection_problem, read_body, response_problem
from gateway.problems import OpenAiProblem, problem_code
from gateway.relay.admission import Admission
from gateway.relay.api_form import ApiForm
from gateway.relay.body_parser import BodyParser
from gateway.relay.body_reader import BodyReader
from gateway.relay.callers import Callers, RelayRequest
from gateway.relay.concurrency_limiter import ConcurrencyLimiter
from gateway.relay.known_calls import KnownCalls
from gateway.relay.ledger import GATEWAY_STOPPED, LOGGER, AdmittedCall, Ledger
from gateway.relay.messages_request import message_headers
from gateway.relay.model_response import batch_in_head, batch_status, other_media_type, relay_response
from gateway.relay.output_limits import CostCeiling
from gateway.relay.process_client import ParserFailed
from gateway.relay.request import Call, Endpoint
from gateway.relay.response_facts import ResponseFacts
from gateway.relay.response_parser import ResponseParser
from gateway.relay.responses_request import RESPONSE_ID
from gateway.relay.stream_options import send_call
from gateway.relay.streaming_response import StreamingRelayResponse, require_event_stream
from gateway.relay.usage import UNREAD_REMARK, estimated_usage, response_usage
from gateway.services import Services
from gateway.site_view import SiteView
from store.errors import GatekeyError, NotAllowed, UpstreamFailed
from store.reservations import Hold
from store.values.usage import Kind


class Relay:
    """The steps of a call, shared by all endpoints."""

    def __init__(self, services: Services, model_server: ModelServerClient) -> None:
        self.services = services
        self.model_server = model_server
        self.ledger = Ledger(services)
        self.callers = Callers(services, self.ledger)
        self.responses = ResponseParser()
        self._bodies = BodyReader(services)
        self._parser = BodyParser()
        self._known = KnownCalls()
        self.concurrency = ConcurrencyLimiter(services.locks)

    def endpoint(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """The ASGI endpoint that relays to `endpoint`."""

        async def relay(request: Request) -> Response:
            return await self._relay(endpoint, request)

        return relay

    async def drain(self) -> None:
        """Wait until every booking is made."""
        await self.ledger.drain()

    async def aclose(self) -> None:
        """Close the connections to the model server, and end the parser processes."""
        await self.model_server.aclose()
        await self.responses.aclose()
        await self._parser.aclose()

    async def _relay(self, endpoint: Endpoint, request: Request) -> Response:
        response, _ = await self.respond(endpoint, await self.callers.accept(request))
        return response

    async def respond(self, endpoint: Endpoint, incoming: RelayRequest) -> tuple[Response, AdmittedCall]:
        """The response to an accepted request, and its call, which tells its booking once it is made.

        Raises the errors of every step.
        """
        async with self.callers.rate_limited(incoming) as holder:
            with ExitStack() as reserved:
                call = await self._parse(endpoint, incoming, holder.account_id, reserved)
                call, admitted = await self._admit(incoming, call, holder.account_id)
                return await self._forward(call, admitted, incoming), admitted

    async def _parse(self, endpoint: Endpoint, incoming: RelayRequest, account_id: int, reserved: ExitStack) -> Call:
        media_type = incoming.request.headers.get("content-type", "")
        try:
            body = await self._bodies.read(incoming, reserved)
            return await self._parser.parse(endpoint, media_type, body, incoming.site.extra_fields, account_id)
        except (OpenAiProblem, NotAllowed) as error:
            caller = await self.callers.authenticate(incoming)
            await self.ledger.log_refusal(caller, "", error, problem_code(error))
            raise

    async def _admit(self, incoming: RelayRequest, call: Call, account_id: int) -> tuple[Call, AdmittedCall]:
        """Authenticate the key, read the price and hold the maximum cost, in one job of the writer thread."""
        compliance = self.ledger.limit_compliance
        admission = Admission(
            self.services.store, incoming.credential, incoming.address, call, incoming.site, compliance, self._known
        )
        try:
            # Not durable: if a crash of the database loses the hold, the booking works without it.
            holding = self.services.threads.write(
                admission.hold,
                first=admission.read,
                durable=False,
                account_id=account_id,
                shortcut=admission.hold_shortcut,
                expected=admission.expected_hold,
            )
            hold = await asyncio.shield(holding)
        except asyncio.CancelledError:
            # The hold is made all the same, and this task can no longer book it.
            self.ledger.book_cancelled(holding, lambda hold: self._admitted(incoming, admission, hold))
            raise
        except GatekeyError as error:
            if admission.holder is not None:
                caller = self.callers.identify(incoming, admission.holder)
                await self.ledger.log_refusal(caller, call.model, error, problem_code(error))
            raise
        return admission.call, self._admitted(incoming, admission, hold)

    def _admitted(self, incoming: RelayRequest, admission: Admission, hold: Hold) -> AdmittedCall:
        self.services.metrics.hold_made()
        caller = self.callers.identify(incoming, admission.known_holder)
        call, limit, trusts_limit = admission.call, admission.limit, admission.trusts_limit
        return AdmittedCall(caller, call.model, call.endpoint.kind, admission.price, hold, limit, trusts_limit)

    async def _forward(self, call: Call, admitted: AdmittedCall, incoming: RelayRequest) -> Response:
        """Send the call to the model server and book the outcome, whatever it is."""
        failure: GatekeyError = GATEWAY_STOPPED
        site, more = incoming.site, _more_headers(call.endpoint, incoming.request)
        try:
            with ExitStack() as slot:
                slot.enter_context(self.concurrency.slot(admitted.caller.holder.account_id))
                async with asyncio.timeout(MAX_CALL_S):
                    answer = await send_call(
                        self.model_server, site, call, request_id=admitted.caller.request_id, more=more
                    )
                    if call.streams and answer.is_success:
                        await require_event_stream(answer)
                        streamed = replace(call, content=b"")  # the body is sent, and a stream lasts for minutes
                        return StreamingRelayResponse(
                            streamed,
                            admitted,
                            answer,
                            self.ledger,
                            site,
                            slot.pop_all(),
                            self.responses,
                            _max_tokens(call, admitted, site),
                        )
                    content = await self._read(answer, admitted, site)
            others = call.endpoint.other_answers
            if others and (media_type := other_media_type(answer, others)):
                return await self._book_other(call, admitted, content, site, media_type)
            return await self._book(call, admitted, content, site)
        except TimeoutError as error:
            failure = connection_problem(error)
            raise failure from error
        except GatekeyError as error:
            failure = error
            raise
        finally:
            if not admitted.has_booker:
                await self.ledger.book_failure(admitted, failure, problem_code(failure))

    async def _read(self, answer: httpx.Response, admitted: AdmittedCall, site: SiteView) -> bytearray:
        try:
            if not answer.is_success:
                raise admitted.with_limit_remark(await response_problem(answer, site))
            return await read_body(answer)
        finally:
            await answer.aclose()

    async def _book(self, call: Call, admitted: AdmittedCall, content: bytearray, site: SiteView) -> Response:
        account_id = admitted.caller.holder.account_id
        try:
            facts = await self.responses.facts(
                content, account_id, has_completion=call.has_completion, form=call.endpoint.form
            )
        except ParserFailed as error:
            LOGGER.warning("A response of %d bytes to account %d was counted: %s", len(content), account_id, error)
            await self._book_unread(call, admitted, content, site)
        except asyncio.CancelledError:
            await self._book_unread(call, admitted, content, site)
            raise
        else:
            self._begin_booking(call, admitted, facts, len(content), site)
        # While the booking is made.
        response = await relay_response(content, site.upstream_key, admitted.caller.request_id)
        if admitted.limit:
            response.headers.update(admitted.headers)
        if call.endpoint.form is ApiForm.MESSAGES:
            response.headers.update(call.endpoint.form.id_headers(admitted.caller.request_id))
        await self.ledger.booked(admitted)
        return response

    async def _book_other(
        self, call: Call, admitted: AdmittedCall, content: bytearray, site: SiteView, media_type: str
    ) -> Response:
        """Book an answer that is not JSON, such as sound or plain text: it reports no usage."""
        if not content:
            raise UpstreamFailed("The model server's answer was empty.")
        usage = estimated_usage(call, len(content), _max_tokens(call, admitted, site))
        await self.ledger.book(admitted, usage, detail=usage.remark(admitted.price))
        return await relay_response(content, site.upstream_key, admitted.caller.request_id, media_type)

    def _begin_booking(
        self, call: Call, admitted: AdmittedCall, facts: ResponseFacts, length: int, site: SiteView
    ) -> None:
        status, batch = batch_status(facts, site) if call.endpoint.kind is Kind.TASK else ("ok", "")
        usage = response_usage(call, facts, length, secret=site.upstream_key, host=site.upstream_host)
        if admitted.trusts_limit:
            self.ledger.limit_compliance.record(call, usage)
        stored = facts.id if call.stores and facts.id and RESPONSE_ID.fullmatch(facts.id) else ""
        self.ledger.begin_booking(
            admitted, usage, status=status, detail=usage.remark(admitted.price), batch=batch, response_id=stored
        )

    async def _book_unread(self, call: Call, admitted: AdmittedCall, content: bytearray, site: SiteView) -> None:
        """Book a response that could not be read: by its length, and for no more than was held."""
        usage = estimated_usage(call, len(content), _max_tokens(call, admitted, site))
        found = batch_in_head(content, site) if call.endpoint.kind is Kind.TASK else None
        status, batch = found or ("ok", "")
        await self.ledger.book(admitted, usage, status=status, detail=UNREAD_REMARK, batch=batch)


def _max_tokens(call: Call, admitted: AdmittedCall, site: SiteView) -> int:
    """The number of tokens of one answer that were held."""
    return admitted.limit or CostCeiling(call, admitted.price, site, admitted.trusts_limit).tokens


def _more_headers(endpoint: Endpoint, request: Request) -> tuple[tuple[str, str], ...]:
    """The headers of a request to the model server that differ from those of a chat."""
    if endpoint.files:
        return (("Content-Type", request.headers["content-type"]),)
    return message_headers(request.headers.getlist("anthropic-beta")) if endpoint.form is ApiForm.MESSAGES else ()
