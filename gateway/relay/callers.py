"""The start of a relay request: its id, its API key, the rate limits, and its caller."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from starlette.requests import Request

from gateway.bearer import bearer_token, key_or_bearer_token
from gateway.client_address import client_address
from gateway.paths import is_anthropic
from gateway.problems import REQUEST_ID_KEY, OpenAiProblem, problem_code
from gateway.rate_limiter import CountedRequest
from gateway.relay.ledger import Caller, Ledger
from gateway.services import Services
from gateway.site_view import SiteView
from store.api_key_use import KeyHolder
from store.call_credentials import ApiKeyCredential, CallCredential, SessionCredential
from store.errors import InvalidApiKey, NotAllowed
from store.tokens import API_KEY_PREFIX

_CREDENTIAL_NAME: Final = "an API key"


@dataclass(slots=True)
class RelayRequest:
    """A request with its credential, which is not checked yet, and the settings at its arrival."""

    request: Request
    credential: CallCredential
    site: SiteView
    started_at: float
    """By `time.perf_counter`."""

    @property
    def address(self) -> str:
        """The client's address; empty if it is unknown."""
        return client_address(self.request.scope, self.site.trusted_proxies)

    @property
    def id(self) -> str:
        """The request id, which its response and its usage log entry carry."""
        request_id: str = self.request.scope[REQUEST_ID_KEY]
        return request_id


class Callers:
    """Accepts requests, counts them against the rate limits, and authenticates their callers."""

    def __init__(self, services: Services, ledger: Ledger) -> None:
        self._services = services
        self._ledger = ledger

    async def accept(self, request: Request) -> RelayRequest:
        """Assign the request its id. Raises `BearerMissing`, `BearerMalformed`, and `StoreUnavailable`."""
        return await self._accept(request, lambda: self._api_key(request))

    async def accept_session(self, request: Request, token: str, key_id: int | None) -> RelayRequest:
        """As `accept`, for a call of this program itself with the session `token`. Raises `StoreUnavailable`."""
        store = self._services.store
        return await self._accept(request, lambda: SessionCredential(store.sessions, store.api_keys, token, key_id))

    async def _accept(self, request: Request, credential: Callable[[], CallCredential]) -> RelayRequest:
        request.scope[REQUEST_ID_KEY] = "req_" + self._services.store.context.rng.randbytes(12).hex()
        started_at = time.perf_counter()
        return RelayRequest(request, credential(), await self._services.site.current(), started_at)

    def _api_key(self, request: Request) -> ApiKeyCredential:
        scope = request.scope
        read = key_or_bearer_token if is_anthropic(scope["path"]) else bearer_token
        key = read(scope, API_KEY_PREFIX, _CREDENTIAL_NAME)
        return ApiKeyCredential(self._services.store.api_keys, key)

    def rate_limited(self, incoming: RelayRequest) -> "RateLimited":
        """Count the request for its key and its account. An invalid key undoes the count.

        Entering raises `OpenAiProblem` 429, and `InvalidApiKey`.
        """
        return RateLimited(self, incoming)

    async def count(self, incoming: RelayRequest) -> tuple[KeyHolder, CountedRequest]:
        """As `rate_limited`, for whoever undoes the count."""
        rates = self._services.rates
        holder = await rates.key_holder(incoming.credential.name, lambda: self._holder(incoming.credential))
        try:
            return holder, rates.count(holder, incoming.site)
        except OpenAiProblem as error:
            caller = self.identify(incoming, holder._replace(records_ip=False))
            await self._ledger.log_refusal(caller, "", error, problem_code(error))
            raise

    def forget(self, incoming: RelayRequest, counted: CountedRequest) -> None:
        """Undo the count of a request whose key turned out to be invalid."""
        self._services.rates.forget(incoming.credential.name, counted)

    async def authenticate(self, incoming: RelayRequest, model: str | None = None) -> Caller:
        """The caller, if its key may be used from its address now, and for `model`; a refusal is logged.

        Raises `InvalidApiKey` and the errors of `ApiKeyUse.check`.
        """
        threads, api_keys = self._services.threads, self._services.store.api_keys
        holder = await threads.read(lambda: self._holder(incoming.credential))
        caller = self.identify(incoming, holder)
        async with self._refusals_logged(caller, model):
            api_keys.check(holder, caller.address, model)
        if holder.is_stale:
            await threads.read(lambda: api_keys.note_use_soon(holder, caller.address))
        return caller

    async def accept_bodiless(self, request: Request, model: str | None = None) -> tuple[Caller, SiteView]:
        """Accept, count and authenticate a request that calls no model, but may need the key to allow `model`.

        Raises what those steps raise.
        """
        incoming, api_keys = await self.accept(request), self._services.store.api_keys
        async with self.rate_limited(incoming):
            caller = await self.authenticate(incoming, model)
            if caller.holder.requests_per_minute is not None:
                async with self._refusals_logged(caller, model):
                    await self._services.threads.write(
                        lambda tx: api_keys.claim_request(tx, caller.holder), durable=False
                    )
            return caller, incoming.site

    def identify(self, incoming: RelayRequest, holder: KeyHolder) -> Caller:
        """The caller for the ledger. Adds the account to the access log entry."""
        address = incoming.address
        self._services.log_account(incoming.request.scope, holder, address)
        return Caller(holder, address, incoming.id, incoming.started_at)

    def _holder(self, credential: CallCredential) -> KeyHolder:
        with self._services.store.database.look() as tx:
            return credential.holder(tx)

    @asynccontextmanager
    async def _refusals_logged(self, caller: Caller, model: str | None) -> AsyncIterator[None]:
        try:
            yield
        except NotAllowed as error:
            await self._ledger.log_refusal(caller, model or "", error, problem_code(error))
            raise


class RateLimited:
    """The context of a counted request: every relayed call enters one, and a generator of `contextlib` takes longer."""

    __slots__ = ("_callers", "_counted", "_incoming")

    def __init__(self, callers: Callers, incoming: RelayRequest) -> None:
        self._callers = callers
        self._incoming = incoming

    async def __aenter__(self) -> KeyHolder:
        holder, self._counted = await self._callers.count(self._incoming)
        return holder

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, InvalidApiKey):
            self._callers.forget(self._incoming, self._counted)
