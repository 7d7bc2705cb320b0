"""`gatekey serve` with OTEL_EXPORTER_OTLP_ENDPOINT: a collector gets the spans, and one that is gone harms nobody."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.fakes.model_server import ModelServer
from tests.harness.charged_calls import CHAT, prepare_account
from tests.harness.live_servers import live
from tests.harness.served_gateway import PATIENCE, served
from tests.harness.stores import make_ring, sqlite_url

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
LONGEST_STOP_S: Final = 30.0
"""Seconds: more than the exporter tries, and less than a service manager waits."""


class Collector(HTTPServer):
    """Keeps the bodies that were posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the name is http.server's


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def call_and_stop(folder: Path, endpoint: str, *options: str) -> tuple[float, str]:
    """One call through a gateway that sends its spans to `endpoint`; the seconds of its stop, and its log."""
    url = sqlite_url(folder)
    with live(ModelServer().app) as upstream:
        key = prepare_account(url, upstream)
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        with served(folder, url, make_ring(), options=options, environ=environ) as gateway:
            headers = {"Authorization": f"Bearer {key}", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
            address = f"{gateway.url}/v1/chat/completions"
            httpx.post(address, json=CHAT, headers=headers, timeout=PATIENCE).raise_for_status()
            began = time.monotonic()
        return time.monotonic() - began, gateway.log.read_text()


@pytest.mark.parametrize("options", [(), ("--workers", "1")], ids=["alone", "worker"])
def test_the_spans_are_sent_before_the_gateway_has_stopped(
    tmp_path: Path, collector: Collector, options: tuple[str, ...]
) -> None:
    call_and_stop(tmp_path, f"http://127.0.0.1:{collector.server_port}", *options)
    sent = b"".join(collector.bodies)
    assert sent.count(bytes.fromhex(TRACE)) == 2, "one span of the request, and one of that to the model server"
    assert b"/v1/chat/completions" in sent


def test_a_collector_that_is_gone_keeps_no_call_and_no_stop_waiting_for_long(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    seconds, log = call_and_stop(tmp_path, f"http://127.0.0.1:{port}")
    assert seconds < LONGEST_STOP_S
    assert "Traceback" not in log
