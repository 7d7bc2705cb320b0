"""The gateway as one ASGI application: account API, model relay, passkey page, and the middleware around them."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access_log import AccessLog
from gateway.account_api import account_routes
from gateway.background import background_tasks
from gateway.bearer import BearerMalformed, BearerMissing
from gateway.body_limit import BodyLimit
from gateway.dispatcher import DeliveryTransports
from gateway.endpoint_names import EndpointNames
from gateway.fast_routes import FastRoutes
from gateway.h11_patterns import use_linear_patterns
from gateway.head_middleware import HeadMiddleware
from gateway.health_routes import add_health_routes
from gateway.history_api import history_routes
from gateway.keys_api import key_routes
from gateway.metrics import Metrics
from gateway.metrics_middleware import MetricsMiddleware
from gateway.model_server.client import ModelServerClient
from gateway.openapi import methods_of, openapi_document
from gateway.pages import PAGE_HEADERS, PAGE_PATH
from gateway.passkey_routes import passkey_routes
from gateway.paths import PathNormalization, is_relayed
from gateway.problems import (
    REQUEST_ID_KEY,
    HttpProblem,
    OpenAiProblem,
    log_unforeseen,
    problem,
    validation_problem,
)
from gateway.relay.relay import Relay
from gateway.relay.relay_openapi import relay_paths, served_addresses
from gateway.relay.routes import CALL_PATHS, RelayRouting, call_app, relay_app
from gateway.relay_problems import relay_problem
from gateway.request_proofs import RequestProofs
from gateway.seat import Seat, seated_tasks
from gateway.services import Services
from gateway.settings_api import settings_routes
from gateway.shutdown_response import ShutdownResponse
from gateway.worker_locks import WorkerLocks
from store.errors import GatekeyError, InvalidApiKey, InvalidToken, TooManyAttempts
from store.store import Store

if TYPE_CHECKING:
    from gateway.tracing import Tracing


class _Gateway(FastAPI):
    calls: ASGIApp
    """Answers the POST requests of `CALL_PATHS`, which are nearly all requests, without the middleware and routers that
    others pass: 46 us of CPU in place of 72, with an endpoint that does nothing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in CALL_PATHS:
            scope["app"] = self  # as starlette does
            await self.calls(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi_document(self, relay_paths())
        return self.openapi_schema


_SENTENCES: Final = {
    404: "There is nothing at this address.",
    405: "This address does not know this method.",
    500: "Something went wrong. It was logged, and nothing was charged.",
}

_CLIENT_CLOSED_REQUEST: Final = 499
"""Status in the access log of a request whose client disconnected early, as in nginx. No client reads it."""


def create_app(
    store: Store,
    *,
    model_server: ModelServerClient | None = None,
    transports: DeliveryTransports | None = None,
    dispatches: bool = True,
    metrics: Metrics | None = None,
    locks: WorkerLocks | None = None,
    seat: Seat | None = None,
    tracing: "Tracing | None" = None,
) -> FastAPI:
    """The gateway over `store`, which the caller closes.

    Tests inject the model server's client and the transports of notifications. Without `dispatches`, no notification is
    sent and no cleanup runs. `metrics` counts the requests, and `tracing` records spans. One of several workers shares
    `locks` with the others, and does that background work only in its `seat`.
    """
    use_linear_patterns()
    services = Services.over(store, metrics, locks)
    relay = Relay(services, model_server or ModelServerClient(tracing=tracing))
    handlers = _handlers(services)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with _background(store, transports, seat) if dispatches else nullcontext():
                yield
        finally:
            await relay.drain()
            await services.aclose()
            await relay.aclose()

    app = _Gateway(
        title="Gatekey",
        description="The account API of Gatekey, and its OpenAI-compatible model relay.",
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        exception_handlers=handlers,
    )
    add_health_routes(app, services)
    proofs = RequestProofs(services)
    routers = [
        account_routes(services),
        history_routes(services),
        settings_routes(services, proofs),
        key_routes(services, proofs),
    ]
    for router in routers:
        app.include_router(router)
    app.router.routes.extend(passkey_routes(services))
    app.add_middleware(FastRoutes, routers=routers, exception_handlers=handlers)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(RelayRouting, relay=relay_app(relay, handlers))
    app.add_middleware(BodyLimit)
    app.add_middleware(ShutdownResponse)
    app.add_middleware(PathNormalization)
    app.add_middleware(AccessLog)
    app.calls = AccessLog(ShutdownResponse(BodyLimit(call_app(relay, handlers))))
    if metrics is not None:
        endpoints = EndpointNames(_paths(app))
        app.add_middleware(MetricsMiddleware, metrics=metrics, endpoints=endpoints)
        app.calls = MetricsMiddleware(app.calls, metrics, endpoints)
    if tracing is not None:
        from gateway.tracing_middleware import TracingMiddleware

        endpoints = EndpointNames(_paths(app))
        app.add_middleware(TracingMiddleware, tracing=tracing, endpoints=endpoints)
        app.calls = TracingMiddleware(app.calls, tracing, endpoints)
    return app


def _background(
    store: Store, transports: DeliveryTransports | None, seat: Seat | None
) -> AbstractAsyncContextManager[None]:
    return background_tasks(store, transports) if seat is None else seated_tasks(store, transports, seat)


def _paths(app: FastAPI) -> list[str]:
    """The path of every route, with the names of its parameters in braces."""
    return list(app.openapi()["paths"])


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


def _handlers(services: Services) -> dict[int | type[Exception], Handler]:
    async def failed(request: Request, error: GatekeyError) -> Response:
        if isinstance(error, BearerMissing | BearerMalformed | InvalidToken | InvalidApiKey):
            services.metrics.refused("invalid_api_key")
        if isinstance(error, BearerMalformed | InvalidToken | InvalidApiKey):
            error = await _count_bad_bearer(services, request, error)
        if is_relayed(request.scope["path"]):
            return relay_problem(error, request.scope["path"], request.scope.get(REQUEST_ID_KEY, ""))
        answer = problem(error)
        if request.scope["path"].startswith(PAGE_PATH):
            answer.headers.update(PAGE_HEADERS)
        return answer

    async def http(request: Request, error: HTTPException) -> Response:
        sentence = _SENTENCES.get(error.status_code, "The request could not be read.")
        if error.status_code == 404 and is_relayed(request.scope["path"]):
            return await failed(request, OpenAiProblem(404, f"{sentence} {served_addresses()}", code="unknown_url"))
        headers = dict(error.headers or {})
        if error.status_code == 405 and (allowed := methods_of(request.app.openapi(), request.scope["path"])):
            headers["Allow"] = allowed  # starlette names those of one route, and a path may have several
        return await failed(request, HttpProblem(error.status_code, sentence, headers=headers))

    async def validation(request: Request, error: RequestValidationError) -> Response:
        return await failed(request, validation_problem(error.errors()))

    async def departed(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=_CLIENT_CLOSED_REQUEST)

    async def unforeseen(request: Request, error: Exception) -> Response:
        log_unforeseen(error, request.scope.get(REQUEST_ID_KEY, ""))
        return await failed(request, HttpProblem(500, _SENTENCES[500]))

    return {
        GatekeyError: failed,
        HTTPException: http,
        RequestValidationError: validation,
        ClientDisconnect: departed,
        Exception: unforeseen,
    }


async def _count_bad_bearer(services: Services, request: Request, error: GatekeyError) -> GatekeyError:
    try:
        address = await services.address(request.scope)
        await services.bad_bearers.count(address, was_looked_up=not isinstance(error, BearerMalformed))
    except GatekeyError as refusal:
        return refusal if isinstance(refusal, TooManyAttempts) else error
    return error
