"""A client that leaves while it sends: no fault of the gateway's, and nothing is charged."""

import logging
from collections.abc import Iterator

import pytest
from starlette.types import Message

from gateway.access_log import LOGGER
from gateway.app import create_app
from gateway.model_server.client import ModelServerClient
from store.store import Store
from tests.fakes.scripted_model_server import ModelServer
from tests.harness.gateway_client import make_relayed, make_token
from tests.harness.stores import sign_in


async def begin_and_leave(store: Store, method: str, path: str, bearer: str) -> list[Message]:
    """The beginning of a request; returns what it was answered."""
    headers = {"content-type": "application/json", "content-length": "1000", "if-match": "*"}
    headers |= {"authorization": f"Bearer {bearer}"}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    came: Iterator[Message] = iter([{"type": "http.request", "body": b"{", "more_body": True}])
    answered: list[Message] = []

    async def receive() -> Message:
        return next(came, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        answered.append(message)

    app = create_app(store, model_server=ModelServerClient(ModelServer()), dispatches=False)
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    return answered


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/chat/completions"), ("PUT", "/api/account/settings/price")])
async def test_a_client_that_left_while_it_sent_was_no_fault(
    store: Store, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    key = make_relayed(store)
    caplog.set_level(logging.INFO, LOGGER.name)
    answered = await begin_and_leave(store, method, path, key if path.startswith("/v1") else make_token(store))
    assert answered[0]["status"] == 499
    (record,) = [record for record in caplog.records if record.name.startswith("gatekey")]
    assert record.getMessage().startswith(f"{method} {path} 499 ")
    assert store.quota.state(sign_in(store)).used_micro_usd == 0
