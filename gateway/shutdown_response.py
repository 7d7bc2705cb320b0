"""ASGI middleware that answers a request with 503 if shutdown cancels it before its response has started.

uvicorn would answer 500 and log an application error.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.paths import is_relayed
from gateway.problems import REQUEST_ID_KEY, HttpProblem, problem
from gateway.relay_problems import relay_problem


class ShutdownResponse:
    """Answers a cancelled request with 503."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_and_note_start(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note_start)
        except asyncio.CancelledError:
            if has_begun:
                raise
            error = HttpProblem(503, "The gateway is being stopped.", headers={"Retry-After": "5"})
            if is_relayed(scope["path"]):
                response = relay_problem(error, scope["path"], scope.get(REQUEST_ID_KEY, ""))
            else:
                response = problem(error)
            await response(scope, receive, send)
