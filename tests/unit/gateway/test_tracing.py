"""Traces: a span of each request and of each request to the model server, in the caller's trace, without secrets."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway.tracing import Tracing
from gateway.tracing_setting import opened_tracing
from store.errors import TracesMissing
from store.store import Store
from tests.fakes.scripted_model_server import CHAT, ModelServer, answer, said, stream
from tests.harness.gateway_client import FILE_ID, PEER, UPSTREAM_KEY, client_of, make_relayed

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
PARENT: Final = "b7ad6b7169203331"
TRACEPARENT: Final = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"}


class Recorded:
    """What was recorded in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracing = Tracing(SimpleSpanProcessor(self._exporter))

    def spans(self, kind: SpanKind) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.kind is kind]

    def one(self, kind: SpanKind) -> ReadableSpan:
        (span,) = self.spans(kind)
        return span

    def text(self) -> str:
        """All that a collector would get."""
        spans = self._exporter.get_finished_spans()
        assert spans
        return "".join(span.to_json() for span in spans)


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.tracing.close()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_call_is_two_spans_of_the_callers_trace(store: Store, recorded: Recorded) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models, tracing=recorded.tracing) as client:
        (await client.post("/v1/chat/completions", json=CHAT, headers=TRACEPARENT)).raise_for_status()
    server, caller = recorded.one(SpanKind.SERVER), recorded.one(SpanKind.CLIENT)
    assert server.resource.attributes["service.name"] == "gatekey"
    assert server.name == "POST /v1/chat/completions"
    assert attributes(server) == {
        "http.request.method": "POST",
        "http.route": "/v1/chat/completions",
        "url.scheme": "http",
        "http.response.status_code": 200,
    }
    assert attributes(caller) == {
        "http.request.method": "POST",
        "server.address": "models.test",
        "server.port": 80,
        "http.response.status_code": 200,
    }
    assert server.parent is not None
    assert caller.parent is not None
    assert (server.context.trace_id, server.parent.span_id) == (int(TRACE, 16), int(PARENT, 16))
    assert (caller.context.trace_id, caller.parent.span_id) == (int(TRACE, 16), server.context.span_id)
    (asked,) = models.requests
    assert asked.headers["traceparent"] == f"00-{TRACE}-{caller.context.span_id:016x}-01"
    assert asked.headers["tracestate"] == "vendor=1"


@pytest.mark.parametrize("sent", [{}, {"traceparent": "00-x-y-01"}, {"traceparent": f"00-{'0' * 32}-{PARENT}-01"}])
async def test_without_a_sound_trace_of_the_caller_one_begins(
    store: Store, recorded: Recorded, sent: dict[str, str]
) -> None:
    models = ModelServer()
    async with client_of(store, token=make_relayed(store), upstream=models, tracing=recorded.tracing) as client:
        (await client.post("/v1/chat/completions", json=CHAT, headers=sent)).raise_for_status()
    server = recorded.one(SpanKind.SERVER)
    assert server.parent is None
    assert f"{server.context.trace_id:032x}" in models.requests[0].headers["traceparent"]


async def test_the_span_of_a_stream_ends_with_it(store: Store, recorded: Recorded) -> None:
    models = ModelServer(lambda _: stream(said("Hi"), said(" there")))
    async with client_of(store, token=make_relayed(store), upstream=models, tracing=recorded.tracing) as client:
        (await client.post("/v1/chat/completions", json={**CHAT, "stream": True})).raise_for_status()
    server, caller = recorded.one(SpanKind.SERVER), recorded.one(SpanKind.CLIENT)
    assert server.end_time is not None
    assert caller.end_time is not None
    assert server.end_time > caller.end_time


async def test_no_key_no_body_no_address_and_no_path_of_a_client_is_recorded(store: Store, recorded: Recorded) -> None:
    key = make_relayed(store)
    models = ModelServer(lambda _: answer({"error": {"message": "The planted reason"}}, 500))
    chat = {**CHAT, "messages": [{"role": "user", "content": "The planted words"}]}
    headers = {"X-Planted": "The planted header", "User-Agent": "planted-agent", "baggage": "planted=1"}
    async with client_of(store, token=key, upstream=models, tracing=recorded.tracing) as client:
        failed = await client.post("/v1/chat/completions?planted=1", json=chat, headers=headers)
        await client.get(f"/v1/files/{FILE_ID}?planted=1", headers=headers)
        await client.get("/planted/../path", headers=headers)
        await client.request("PLANTED", "/v1/models", headers=headers)
    assert failed.status_code == 502
    text = recorded.text()
    for secret in (key, key[:12], UPSTREAM_KEY, PEER, FILE_ID, "planted", "Planted", "PLANTED", "Bearer", "laptop"):
        assert secret not in text, secret
    assert "baggage" not in models.requests[0].headers
    names = [span.name for span in recorded.spans(SpanKind.SERVER)]
    assert names == ["POST /v1/chat/completions", "GET /v1/files/{file_id}", "GET", "HTTP /v1/models"]


async def test_what_failed_is_an_error_by_its_class_or_status(store: Store, recorded: Recorded) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("planted reason")

    async with client_of(
        store, token=make_relayed(store), upstream=ModelServer(fail), tracing=recorded.tracing
    ) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 502
    server, caller = recorded.one(SpanKind.SERVER), recorded.one(SpanKind.CLIENT)
    assert attributes(caller)["error.type"] == "ConnectError"
    assert attributes(server)["error.type"] == "502"
    assert {server.status.status_code, caller.status.status_code} == {StatusCode.ERROR}
    assert not server.events
    assert not caller.events
    assert "planted" not in recorded.text()


async def test_a_refused_request_is_no_error_of_the_gateway(store: Store, recorded: Recorded) -> None:
    async with client_of(store, token="gk-nothing", tracing=recorded.tracing) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 401
    server = recorded.one(SpanKind.SERVER)
    assert server.status.status_code is StatusCode.UNSET
    assert "error.type" not in attributes(server)


class Collector(BaseHTTPRequestHandler):
    """Takes what is exported."""

    received: Final[list[tuple[str, str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, self.headers["Content-Type"], body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the name is http.server's


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, bytes]]]:
    Collector.received.clear()
    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield Collector.received
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_are_sent_to_the_endpoint_at_the_end_at_the_latest(
    collector: list[tuple[str, str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=planted-place")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "planted-name")
    scope = {"method": "GET", "scheme": "http", "headers": [(b"traceparent", TRACEPARENT["traceparent"].encode())]}
    with opened_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://as.the.process"}) as tracing:
        assert tracing is not None
        with tracing.serving(scope, "/v1/models"):
            pass
    ((path, media_type, body),) = collector
    assert (path, media_type) == ("/v1/traces", "application/x-protobuf")
    for part in (bytes.fromhex(TRACE), b"/v1/models", b"planted-name", b"planted-place"):
        assert part in body


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "True"},
    ],
)
def test_there_are_no_traces_unless_they_are_asked_for(environ: dict[str, str]) -> None:
    with opened_tracing(environ) as tracing:
        assert tracing is None


def test_nothing_of_it_is_imported_where_there_are_no_traces() -> None:
    code = """
import json, sys
ours = ("opentelemetry.sdk", "opentelemetry.exporter")
from gateway.tracing_setting import opened_tracing
import gateway.app, gateway.serve, gateway.worker
with opened_tracing({}):
    print(json.dumps([name for name in sys.modules if name.startswith(ours)]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("missing", ["opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"])
def test_a_missing_extra_is_a_sentence(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delitem(sys.modules, "gateway.tracing")
    for name in [name for name in sys.modules if name.startswith(missing)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with (
        pytest.raises(TracesMissing, match=r"install gatekey\[otel\]"),
        opened_tracing({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}),
    ):
        pass
