"""The routes that take nothing but the request, answered without FastAPI.

FastAPI documents them, and would look through all of its routes and open three exit stacks before it called them:
a sixth of what reading a settings page takes. What has parameters to be checked stays with it.
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
    """Answers what it can of `routers`, and hands the rest to the application it wraps."""

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
