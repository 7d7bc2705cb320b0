"""The relay's addresses, in an application of their own.

FastAPI looks through all of its routes and opens two exit stacks per request. That is nothing beside a settings
page, and a tenth of a relayed call.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.relay.batches import Batches
from gateway.relay.models import Models
from gateway.relay.relay import Relay
from gateway.relay.request import ENDPOINTS

PREFIX: Final = "/v1"


def relay_app(relay: Relay, exception_handlers: Mapping[Any, Any]) -> ASGIApp:
    """Every route below `PREFIX`, with its failures told by `exception_handlers`."""
    models, tasks = Models(relay), Batches(relay)
    posts = [Route(PREFIX + each.path, relay.endpoint(each), methods=["POST"]) for each in ENDPOINTS]
    routes = [
        *posts,
        Route(f"{PREFIX}/batches/{{batch_id}}", tasks.read, methods=["GET"]),
        Route(f"{PREFIX}/models", models.every, methods=["GET"]),
        Route(f"{PREFIX}/models/{{model:path}}", models.one, methods=["GET"]),
    ]
    return ExceptionMiddleware(Router(routes, redirect_slashes=False), handlers=exception_handlers)


class RelayFirst:
    """Hands what lies below `PREFIX` to the relay, and the rest to the application it wraps."""

    def __init__(self, app: ASGIApp, relay: ASGIApp) -> None:
        self._app = app
        self._relay = relay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_relayed = scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/")
        await (self._relay if is_relayed else self._app)(scope, receive, send)
