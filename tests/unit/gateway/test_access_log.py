"""One line per request, without a secret, and with an address only where its account asked for that."""

import logging

import pytest

from gateway.access_log import LOGGER, log_line
from store.sections import PrivacySettings
from store.store import Store
from tests.harness.gateway_client import PEER, client_of, make_token
from tests.harness.stores import add_account, make_store, sign_in

HOSTILE = (
    "\r\nGET /forged 200",
    "\x1b]0;title\x07",
    "\u2028line",
    "\x85",
    "%0d%0a",
    "‮txt.exe",
    " ",
    "\ud800",
)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, LOGGER.name)
    return caplog


def logged(lines: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in lines.records if record.name == LOGGER.name]


async def test_a_request_was_one_line(lines: pytest.LogCaptureFixture) -> None:
    with make_store() as store:
        add_account(store)
        async with client_of(store, token=make_token(store)) as client:
            await client.get("/api/account", params={"access_token": "planted"})
            await client.get("/nothing", headers={"User-Agent": "planted", "Authorization": "Bearer planted"})
    first, second = logged(lines)
    assert first.startswith("GET /api/account 200 ")
    assert first.endswith("account=1 client=-")
    assert second.startswith("GET /nothing 404 ")
    assert second.endswith("account=- client=-")
    assert "planted" not in lines.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/sk-{0}",
        "/api/gk_{0}",
        "/whsec_{0}",
        "/a/sk-{0}/b",
        "/xsk-{0}",
        "/_gk_{0}",
        "/Bearer%20sk-{0}",
        "/0sk-{0}",
    ],
)
async def test_a_secret_in_a_path_was_masked(lines: pytest.LogCaptureFixture, path: str) -> None:
    secret = "AbCd" * 9
    with make_store() as store:
        async with client_of(store) as client:
            await client.get(path.format(secret))
    (text,) = logged(lines)
    assert secret not in text
    assert "…" in text


@pytest.mark.parametrize("payload", HOSTILE)
def test_a_hostile_path_stayed_on_its_line(payload: str) -> None:
    for scope in ({"method": "GET", "path": f"/{payload}"}, {"method": f"GET{payload}", "path": "/"}):
        text = log_line(scope, 200, 0.001)
        assert len(text.splitlines()) == 1
        assert text.isprintable()
        assert len(text.split(" ")) == 6


async def test_the_address_was_logged_only_for_an_account_that_records_it(lines: pytest.LogCaptureFixture) -> None:
    with make_store() as store:
        add_account(store)
        token = make_token(store)
        async with client_of(store, token=token) as client:
            await client.get("/api/account")
            switch(store, on=True)
            await client.get("/api/account")
            await client.get("/nothing")
            switch(store, on=False)
            await client.get("/api/account")
    assert [PEER in text for text in logged(lines)] == [False, True, False, False]


def switch(store: Store, *, on: bool) -> None:
    session = sign_in(store)
    version = store.settings.load(session, PrivacySettings).version
    store.settings.save(session, PrivacySettings(record_client_ip=on), version)
