"""The relay's addresses, in an application of their own.

FastAPI looks through all of its routes and opens two exit stacks per request. That is nothing beside a settings
page, and a tenth of a relayed call.
"""

from collections.abc import Mapping
from typing import Any

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.paths import RELAY_PREFIX, is_relayed
from gateway.relay.batches import Batches
from gateway.relay.models import Models
from gateway.relay.relay import Relay
from gateway.relay.request import ENDPOINTS


def relay_app(relay: Relay, exception_handlers: Mapping[Any, Any]) -> ASGIApp:
    """Every route below `RELAY_PREFIX`, with its failures told by `exception_handlers`."""
    models, tasks = Models(relay), Batches(relay)
    posts = [Route(RELAY_PREFIX + each.path, relay.endpoint(each), methods=["POST"]) for each in ENDPOINTS]
    routes = [
        *posts,
        Route(f"{RELAY_PREFIX}/batches/{{batch_id}}", tasks.read, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/models", models.every, methods=["GET"]),
        Route(f"{RELAY_PREFIX}/models/{{model:path}}", models.one, methods=["GET"]),
    ]
    return ExceptionMiddleware(Router(routes, redirect_slashes=False), handlers=exception_handlers)


class RelayFirst:
    """Hands what lies below `RELAY_PREFIX` to the relay, and the rest to the application it wraps."""

    def __init__(self, app: ASGIApp, relay: ASGIApp) -> None:
        self._app = app
        self._relay = relay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._relay if scope["type"] == "http" and is_relayed(scope["path"]) else self._app
        await app(scope, receive, send)
