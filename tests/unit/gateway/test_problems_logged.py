"""A failure that nobody thought of is logged by its type and place, and by nothing that was sent."""

import logging
from typing import Final

import httpx
import pytest

from gateway.log import TracebackFormatter
from gateway.problems import log_unforeseen
from store.settings import Settings
from store.store import Store
from tests.fakes.scripted_model_server import CHAT, ModelServer
from tests.harness.gateway_client import client_of, make_relayed, make_token

SECRET: Final = "sk-planted-0123456789"


def fails(*_: object) -> httpx.Response:
    planted = SECRET
    try:
        raise KeyError(planted)
    except KeyError as error:
        raise ZeroDivisionError(planted) from error


async def test_a_mistake_in_the_relay_was_logged_by_type_and_place(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(fails)) as client:
        failed = await client.post("/v1/chat/completions", json=CHAT)
    assert failed.status_code == 500
    assert "It was logged" in failed.json()["error"]["message"]
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    line = record.getMessage()
    assert failed.headers["x-request-id"] in line
    assert "builtins.ZeroDivisionError at " in line
    assert "builtins.KeyError at " in line
    assert "relay/relay.py:" in line
    assert "gateway/test_problems_logged.py:" in line
    assert line.count(":fails") == 2
    assert SECRET not in caplog.text
    assert record.exc_info is None


async def test_a_mistake_in_a_direct_route_was_logged(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_relayed(store)
    token = make_token(store)
    monkeypatch.setattr(Settings, "read", fails)
    async with client_of(store, token=token) as client:
        failed = await client.get("/api/account/settings/privacy")
    assert failed.status_code == 500
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert ["builtins.ZeroDivisionError at " in line and ":fails" in line for line in lines] == [True]
    assert SECRET not in caplog.text


def test_an_endless_recursion_was_one_short_line(caplog: pytest.LogCaptureFixture) -> None:
    def deeper() -> None:
        deeper()

    with pytest.raises(RecursionError) as caught:
        deeper()
    log_unforeseen(caught.value)
    (record,) = caplog.records
    assert len(record.getMessage()) < 4000
    assert "\n" not in record.getMessage()


def test_the_server_log_holds_no_message_of_an_exception() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        fails()
    told = (type(caught.value), caught.value, caught.value.__traceback__)
    record = logging.LogRecord("uvicorn.error", logging.ERROR, __file__, 1, "Exception in an application", None, told)
    line = TracebackFormatter("%(message)s").format(record)
    assert SECRET not in line
    assert "builtins.ZeroDivisionError at" in line
    assert "test_problems_logged.py" in line
