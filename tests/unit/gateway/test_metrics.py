"""The metrics: each figure counted once, and no label that a client or a model server chooses."""

import ast
import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from prometheus_client import CollectorRegistry

import gateway
from gateway.metrics_app import MetricsApp
from gateway.problems import OWN_CODES
from gateway.prometheus import PrometheusMetrics
from store.errors import DatabaseUnreachable
from store.store import Store
from tests.fakes.scripted_model_server import CHAT, COST, USAGE, ModelServer, answer, chat, event, said, stream
from tests.harness.gateway_client import MODEL, client_of, make_relayed

DONE: Final = b"data: [DONE]\n\n"
CHATS: Final = "/v1/chat/completions"


class Counted:
    """A gateway that counts, and the values of its metrics."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.registry = CollectorRegistry()
        self.metrics = PrometheusMetrics(self.registry)

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    async def page(self, path: str = "/metrics", method: str = "GET") -> httpx.Response:
        transport = httpx.ASGITransport(MetricsApp(self.store, self.registry))
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics.test") as client:
            return await client.request(method, path)


@pytest.fixture
def counted(store: Store) -> Counted:
    return Counted(store)


async def call(counted: Counted, key: str | None, models: ModelServer, body: dict[str, Any] = CHAT) -> httpx.Response:
    async with client_of(counted.store, token=key, upstream=models, metrics=counted.metrics) as client:
        return await client.post(CHATS, json=body)


@pytest.mark.parametrize("streams", [False, True])
async def test_a_served_call_is_in_every_figure_once(counted: Counted, streams: bool) -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        return stream(said("Hi"), event(chat(choices=[], usage=USAGE)), DONE) if streams else answer(chat())

    key = make_relayed(counted.store)
    assert (await call(counted, key, ModelServer(reply), {**CHAT, "stream": streams})).is_success
    value = counted.value
    assert value("gatekey_requests_total", endpoint=CHATS, status="2xx") == 1
    assert value("gatekey_request_seconds_count", endpoint=CHATS) == 1
    assert value("gatekey_charged_micro_usd_total", model=MODEL) == COST
    assert value("gatekey_tokens_total", model=MODEL, direction="in") == USAGE["prompt_tokens"]
    assert value("gatekey_tokens_total", model=MODEL, direction="out") == USAGE["completion_tokens"]
    assert value("gatekey_holds_total") == 1
    assert value("gatekey_holds_open") == value("gatekey_calls_in_flight") == 0


async def test_a_call_under_way_is_in_flight_and_its_hold_is_open(counted: Counted) -> None:
    seen = []

    def reply(_: httpx.Request) -> httpx.Response:
        seen.append((counted.value("gatekey_calls_in_flight"), counted.value("gatekey_holds_open")))
        return answer(chat())

    await call(counted, make_relayed(counted.store), ModelServer(reply))
    assert seen == [(1, 1)]


async def test_refusals_are_counted_by_the_codes_of_the_gateway(counted: Counted) -> None:
    key, models = make_relayed(counted.store), ModelServer()
    for token, body in (
        (None, CHAT),
        ("sk-nonsense", CHAT),
        (key, {**CHAT, "model": "a-model-that-nobody-priced"}),
        (key, {**CHAT, "max_tokens": 10_000_000}),
    ):
        assert not (await call(counted, token, models, body)).is_success
    assert counted.value("gatekey_refusals_total", reason="invalid_api_key") == 2
    assert counted.value("gatekey_refusals_total", reason="model_not_priced") == 1
    assert counted.value("gatekey_refusals_total", reason="insufficient_quota") == 1
    assert counted.value("gatekey_holds_total") == 0


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (lambda _: answer({"error": {"message": "no", "code": "a-word-of-its-own"}}, status=400), "other"),
        (lambda _: answer({"error": {"message": "no"}}, status=500), "upstream_error"),
        (httpx.ConnectError("refused"), "upstream_unreachable"),
    ],
)
async def test_errors_of_the_model_server_are_counted_by_kind(counted: Counted, reply: Any, reason: str) -> None:
    def answered(request: httpx.Request) -> httpx.Response:
        if isinstance(reply, Exception):
            raise reply
        response: httpx.Response = reply(request)
        return response

    assert not (await call(counted, make_relayed(counted.store), ModelServer(answered))).is_success
    assert counted.value("gatekey_model_server_errors_total", reason=reason) == 1
    assert counted.value("gatekey_holds_open") == 0


async def test_no_label_holds_a_text_that_somebody_chose(counted: Counted) -> None:
    key = make_relayed(counted.store)
    counted.store.site.set("price.unpriced_rate", "1/1")
    models = ModelServer()
    async with client_of(counted.store, token=key, upstream=models, metrics=counted.metrics) as client:
        for number in range(20):
            await client.get(f"/canary-{number}")
            await client.get(f"/v1/models/canary-{number}/part")
            await client.post(CHATS, json={**CHAT, "model": f"canary-{number}"})
    page = (await counted.page()).text
    assert "canary" not in page
    assert "alice" not in page
    assert "laptop" not in page
    assert set(re.findall(r'model="([^"]*)"', page)) <= {MODEL, "other"}
    assert counted.value("gatekey_requests_total", endpoint="/v1/models/{model}", status="4xx") == 20
    assert counted.value("gatekey_requests_total", endpoint="other", status="4xx") == 20


async def test_every_code_of_the_gateway_is_a_reason_of_its_own() -> None:
    """A code that is not in the list would be counted as `other`."""
    written: set[str] = set()
    for path in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Problem"):
                values = [each.value for each in node.keywords if each.arg == "code"]
                written |= {str(each.value) for each in values if isinstance(each, ast.Constant) and each.value}
    assert "upstream_timeout" in written
    assert written <= OWN_CODES


async def test_the_page_tells_the_depth_of_the_outbox_and_is_at_one_address(counted: Counted) -> None:
    page = await counted.page()
    assert page.headers["content-type"].startswith("text/plain; version=")
    assert "gatekey_outbox_messages 0.0" in page.text
    assert "gatekey_database_up 1.0" in page.text
    head = await counted.page(method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert (await counted.page("/")).status_code == 404
    assert (await counted.page(method="POST")).status_code == 404


async def test_a_database_that_is_down_is_a_figure_and_no_error(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> int:
        raise DatabaseUnreachable

    monkeypatch.setattr(counted.store.deliveries, "count_waiting", broken)
    page = await counted.page()
    assert page.status_code == 200
    assert "gatekey_database_up 0.0" in page.text
    assert "gatekey_outbox_messages" not in page.text


async def test_the_gateway_itself_has_no_metrics_at_its_address(counted: Counted) -> None:
    async with client_of(counted.store, metrics=counted.metrics) as client:
        assert (await client.get("/metrics")).status_code == 404
