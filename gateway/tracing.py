"""Spans of OpenTelemetry: one of each request, and within it one of each request to the model server.

A span names the endpoint, never the path that a client asked for, and holds no address of a client, no header, no body
and no credential. Its trace is that of the caller's `traceparent`, and the model server is told of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from gateway.endpoint_names import OTHER

METHODS: Final = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
_OTHER_METHOD: Final = "_OTHER"
"""OpenTelemetry's name of a method that is none of HTTP's: a client can invent any."""
_CONTEXT_HEADERS: Final = ("traceparent", "tracestate")


def exporting() -> SpanProcessor:
    """Sends spans in batches, from a thread of its own, to where OpenTelemetry's variables say."""
    return BatchSpanProcessor(OTLPSpanExporter())


class Tracing:
    """Records the spans of one process. OpenTelemetry's own variables for the sampler and the resource hold."""

    def __init__(self, processor: SpanProcessor) -> None:
        said = OTELResourceDetector().detect().attributes
        resource = Resource.create({"service.name": "gatekey", **said})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("gatekey")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def serving(self, scope: Scope, endpoint: str) -> Iterator[Span]:
        """The span of a request to `endpoint`, a name of `EndpointNames`; spans made within are parts of it."""
        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = {name: sent[name] for name in _CONTEXT_HEADERS if name in sent}
        method = scope["method"] if scope["method"] in METHODS else _OTHER_METHOD
        known = "HTTP" if method == _OTHER_METHOD else method
        attributes = {"http.request.method": method, "url.scheme": scope["scheme"]}
        if endpoint != OTHER:
            attributes["http.route"] = endpoint
        span = self._tracer.start_span(
            known if endpoint == OTHER else f"{known} {endpoint}",
            self._propagator.extract(given),
            SpanKind.SERVER,
            attributes,
        )
        with _recorded(span):
            yield span

    @contextmanager
    def calling(self, request: httpx.Request) -> Iterator[Span]:
        """The span of a request to the model server, which gets the trace in its headers."""
        attributes: dict[str, str | int] = {
            "http.request.method": request.method,
            "server.address": request.url.host,
            "server.port": request.url.port or (443 if request.url.scheme == "https" else 80),
        }
        span = self._tracer.start_span(request.method, kind=SpanKind.CLIENT, attributes=attributes)
        with _recorded(span):
            headers: dict[str, str] = {}
            self._propagator.inject(headers)
            request.headers.update(headers)
            yield span

    def close(self) -> None:
        """Send what was recorded and not sent yet."""
        self._provider.shutdown()


def note_status(span: Span, status: int, *, failed_from: int) -> None:
    """Note the status of a response; one of `failed_from` and above is an error."""
    span.set_attribute("http.response.status_code", status)
    if status >= failed_from:
        span.set_attribute("error.type", str(status))
        span.set_status(Status(StatusCode.ERROR))


@contextmanager
def _recorded(span: Span) -> Iterator[None]:
    """Make `span` the current one, and end it. An error is noted by its class: its words may hold what is secret."""
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise


class TracedTransport(httpx.AsyncBaseTransport):
    """Records each request that goes through another transport, until its head has come."""

    def __init__(self, transport: httpx.AsyncBaseTransport, tracing: Tracing) -> None:
        self._transport = transport
        self._tracing = tracing

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with self._tracing.calling(request) as span:
            response = await self._transport.handle_async_request(request)
            note_status(span, response.status_code, failed_from=400)
            return response

    async def aclose(self) -> None:
        await self._transport.aclose()
