"""The relay's routes, in an ASGI application of their own.

FastAPI scans all of its routes and opens two exit stacks per request, which is a tenth of the time of a relayed call.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.paths import RELAY_PREFIX, is_relayed
from gateway.relay.batches import Batches
from gateway.relay.endpoints import ENDPOINTS
from gateway.relay.file_upload import FileUpload
from gateway.relay.files import Files
from gateway.relay.models import Models
from gateway.relay.relay import Relay
from gateway.relay.stored_responses import StoredResponses

CALL_PATHS: Final = frozenset(RELAY_PREFIX + each.path for each in ENDPOINTS)
"""The paths to which models are called."""


def relay_app(relay: Relay, exception_handlers: Mapping[Any, Any]) -> ASGIApp:
    """All routes below `RELAY_PREFIX`; `exception_handlers` turn errors into responses."""
    models, tasks, files, responses = Models(relay), Batches(relay), Files(relay), StoredResponses(relay)
    posts = [Route(RELAY_PREFIX + each.path, relay.endpoint(each), methods=["POST"]) for each in ENDPOINTS]
    routes = [
        *posts,
        Route(f"{RELAY_PREFIX}/batches", tasks.list_all, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/batches/{{batch_id}}", tasks.read, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/batches/{{batch_id}}/cancel", tasks.cancel, methods=["POST"]),
        Route(f"{RELAY_PREFIX}/responses/{{response_id}}", responses.read, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/responses/{{response_id}}", responses.delete, methods=["DELETE"]),
        Route(f"{RELAY_PREFIX}/responses/{{response_id}}/input_items", responses.input_items, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/files", FileUpload(relay).upload, methods=["POST"]),
        Route(f"{RELAY_PREFIX}/files", files.list_all, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/files/{{file_id}}", files.read, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/files/{{file_id}}", files.delete, methods=["DELETE"]),
        Route(f"{RELAY_PREFIX}/files/{{file_id}}/content", files.content, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/models", models.list_all, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/models/{{model:path}}", models.read_one, methods=["GET"]),
    ]
    return ExceptionMiddleware(Router(routes, redirect_slashes=False), handlers=exception_handlers)


def call_app(relay: Relay, exception_handlers: Mapping[Any, Any]) -> ASGIApp:
    """The endpoints of `CALL_PATHS` alone, for POST requests: each is found by its path, without a scan of routes."""
    endpoints = {RELAY_PREFIX + each.path: relay.endpoint(each) for each in ENDPOINTS}

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoints[scope["path"]](Request(scope, receive, send))
        await response(scope, receive, send)

    return ExceptionMiddleware(call, handlers=exception_handlers)


class RelayRouting:
    """ASGI middleware that sends requests below `RELAY_PREFIX` to the relay, others to the application."""

    def __init__(self, app: ASGIApp, relay: ASGIApp) -> None:
        self._app = app
        self._relay = relay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._relay if scope["type"] == "http" and is_relayed(scope["path"]) else self._app
        await app(scope, receive, send)
