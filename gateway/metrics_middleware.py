"""The middleware that counts requests for the metrics."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.endpoint_names import EndpointNames
from gateway.metrics import Metrics
from gateway.paths import is_relayed, normalized_path


class MetricsMiddleware:
    """ASGI middleware that counts each request when its response is complete."""

    def __init__(self, app: ASGIApp, metrics: Metrics, endpoints: EndpointNames) -> None:
        self._app = app
        self._metrics = metrics
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, metrics = time.perf_counter(), 0, self._metrics
        path = normalized_path(scope["path"])
        is_call = is_relayed(path) and scope["method"] == "POST"

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        if is_call:
            metrics.call_began()
        try:
            await self._app(scope, receive, send_and_note_status)
        finally:
            if is_call:
                metrics.call_ended()
            metrics.request_ended(self._endpoints.find(path), status, time.perf_counter() - started)
