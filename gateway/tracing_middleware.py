"""The middleware that records a span of each request."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.endpoint_names import EndpointNames
from gateway.paths import normalized_path
from gateway.tracing import Tracing, note_status


class TracingMiddleware:
    """ASGI middleware: the span ends when the response is complete."""

    def __init__(self, app: ASGIApp, tracing: Tracing, endpoints: EndpointNames) -> None:
        self._app = app
        self._tracing = tracing
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._tracing.serving(scope, self._endpoints.find(normalized_path(scope["path"]))) as span:

            async def send_and_note_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    note_status(span, message["status"], failed_from=500)
                await send(message)

            await self._app(scope, receive, send_and_note_status)
