"""ASGI middleware that serves routes without parameters directly, without FastAPI.

FastAPI documents them, but would scan all of its routes and open three exit stacks per request, a sixth of the time of
reading a settings page. Routes with parameters, which need validation, stay with FastAPI.
"""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import request_response
from starlette.types import ASGIApp, Receive, Scope, Send


class FastRoutes:
    """Serves the routes of `routers` that take only the request; all others go to the wrapped application."""

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter], exception_handlers: Mapping[Any, Any]) -> None:
        self._app = app
        self._direct: dict[tuple[str, str], ASGIApp] = {}
        for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
            if list(inspect.signature(route.endpoint).parameters) == ["request"]:
                endpoint = ExceptionMiddleware(request_response(route.endpoint), handlers=exception_handlers)
                self._direct |= {(method, route.path): endpoint for method in route.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._direct.get((scope["method"], scope["path"]), self._app) if scope["type"] == "http" else self._app
        await app(scope, receive, send)
