"""The limits of an API key at the gateway: enforced from the next request on, in OpenAI's words, and logged."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from store.sections import PriceSettings, PrivacySettings
from store.store import Store
from store.values.api_keys import ApiKeyLimits, LimitPeriod
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageFilter
from tests.fakes.scripted_model_server import CHAT, COST, ModelServer
from tests.harness.gateway_client import MODEL, PEER, PRICE, client_of, make_relayed
from tests.harness.stores import StillClock, sign_in

Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


async def call(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/v1/chat/completions", json=CHAT)


async def call_badly(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/v1/chat/completions", json={"model": 7})


async def call_long(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post(
        "/v1/chat/completions", json={**CHAT, "messages": [{"role": "user", "content": "x" * 100_000}]}
    )


async def list_models(client: httpx.AsyncClient) -> httpx.Response:
    return await client.get("/v1/models")


async def read_batch(client: httpx.AsyncClient) -> httpx.Response:
    return await client.get("/v1/batches/batch_1")


EVERY_ROUTE: list[Send] = [call, call_badly, call_long, list_models, read_batch]


def limit(store: Store, limits: ApiKeyLimits) -> None:
    session = sign_in(store)
    store.api_keys.edit(session, store.api_keys.list(session)[0].id, "laptop", limits)


def code(answer: httpx.Response) -> tuple[int, Any, Any]:
    error = answer.json()["error"]
    return answer.status_code, error["type"], error["code"]


def refusals(store: Store) -> list[str]:
    entries = store.usage.page(sign_in(store), UsageFilter(kind=Kind.ERROR)).entries
    assert all(logged.entry.api_key_name == "laptop" and logged.entry.detail for logged in entries)
    return [logged.entry.status for logged in entries]


@pytest.mark.parametrize("send", EVERY_ROUTE)
async def test_a_disabled_key_is_refused_from_the_next_request_on(store: Store, send: Send) -> None:
    key, models, session = make_relayed(store), ModelServer(), sign_in(store)
    key_id = store.api_keys.list(session)[0].id
    async with client_of(store, token=key, upstream=models) as client:
        assert (await call(client)).status_code == 200
        store.api_keys.disable(session, key_id)
        assert code(await send(client)) == (403, "permission_error", "api_key_disabled")
        store.api_keys.enable(session, key_id)
        assert (await call(client)).status_code == 200
    assert refusals(store) == ["api_key_disabled"]
    assert store.quota.state(session).held_micro_usd == 0


@pytest.mark.parametrize("send", EVERY_ROUTE)
async def test_a_key_is_refused_from_another_network(store: Store, send: Send) -> None:
    key, models = make_relayed(store), ModelServer()
    limit(store, ApiKeyLimits(allowed_networks=("203.0.113.0/26",)))
    async with client_of(store, token=key, upstream=models, peer="203.0.113.64") as client:
        assert code(await send(client)) == (403, "permission_error", "address_not_allowed")
    assert store.api_keys.list(sign_in(store))[0].last_used_at is None
    async with client_of(store, token=key, upstream=models, peer="::ffff:203.0.113.63") as client:
        assert (await call(client)).status_code == 200
    assert refusals(store) == ["address_not_allowed"]
    assert len(models.requests) == 1


async def test_the_network_is_that_of_the_client_behind_a_trusted_proxy(store: Store) -> None:
    key = make_relayed(store)
    limit(store, ApiKeyLimits(allowed_networks=("198.51.100.7",)))
    store.site.set("gateway.trusted_proxies", f"{PEER}/32")
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        for address, status in (("198.51.100.7", 200), ("198.51.100.8", 403)):
            headers = {"X-Forwarded-For": address}
            answer = await client.post("/v1/chat/completions", json=CHAT, headers=headers)
            assert answer.status_code == status


async def test_a_model_that_the_key_does_not_name_is_refused(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    store.pricing.set(ModelPrice("other", 1, 1))
    limit(store, ApiKeyLimits(allowed_models=("Other",)))
    async with client_of(store, token=key, upstream=models) as client:
        refused = await call(client)
        assert code(refused) == (403, "permission_error", "model_not_allowed")
        assert MODEL in refused.json()["error"]["message"]
        assert (await client.post("/v1/chat/completions", json={**CHAT, "model": "OTHER"})).status_code == 200
    (logged,) = store.usage.page(sign_in(store), UsageFilter(kind=Kind.ERROR)).entries
    assert (logged.entry.status, logged.entry.model) == ("model_not_allowed", MODEL)
    assert len(models.requests) == 1


async def test_only_the_allowed_models_are_listed(store: Store) -> None:
    key = make_relayed(store)
    store.pricing.set(ModelPrice("other", 1, 1))
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        assert len((await client.get("/v1/models")).json()["data"]) == 2
        limit(store, ApiKeyLimits(allowed_models=("OTHER", "not-there")))
        assert [model["id"] for model in (await client.get("/v1/models")).json()["data"]] == ["other"]
        assert (await client.get("/v1/models/other")).status_code == 200
        assert code(await client.get(f"/v1/models/{MODEL}"))[0::2] == (404, "model_not_found")


async def test_an_unpriced_model_is_called_only_if_the_key_names_it(store: Store) -> None:
    key = make_relayed(store)
    store.settings.save(sign_in(store), PriceSettings(accept_unpriced_models=True), 1)
    limit(store, ApiKeyLimits(allowed_models=(MODEL,)))
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        answer = await client.post("/v1/chat/completions", json={**CHAT, "model": "free"})
    assert code(answer)[0::2] == (403, "model_not_allowed")
    assert store.pricing.unpriced_models(sign_in(store)) == []


async def test_a_minute_admits_its_requests_on_all_routes_together(store: Store, clock: StillClock) -> None:
    key, models = make_relayed(store), ModelServer()
    limit(store, ApiKeyLimits(requests_per_minute=3))
    clock.advance(seconds=60 - clock.now().second + 20)
    async with client_of(store, token=key, upstream=models) as client:
        assert [(await each(client)).status_code for each in (call, list_models, call)] == [200] * 3
        for send in EVERY_ROUTE:
            refused = await send(client)
            assert code(refused) == (429, "rate_limit_error", "rate_limit_exceeded")
            assert refused.headers["retry-after"] == "40"
        clock.advance(seconds=40)
        assert (await call(client)).status_code == 200
    assert refusals(store) == ["rate_limit_exceeded"] * len(EVERY_ROUTE)
    assert store.quota.state(sign_in(store)).held_micro_usd == 0


async def test_a_limit_of_a_period_holds_at_the_gateway(store: Store, clock: StillClock) -> None:
    key = make_relayed(store)
    limit(store, ApiKeyLimits(spend_limit_micro_usd=COST, limit_period=LimitPeriod.DAILY))
    store.pricing.set(PRICE)
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        statuses = [(await call(client)).status_code for _ in "ab"]
        assert statuses[-1] == 429
        assert refusals(store)[0] == "spend_limit_reached"
        clock.advance(days=1)
        assert (await call(client)).status_code == statuses[0]


async def test_a_rotated_key_is_refused_after_its_overlap(store: Store, clock: StillClock) -> None:
    old, session = make_relayed(store), sign_in(store)
    new = store.api_keys.rotate(session, store.api_keys.list(session)[0].id, overlap_minutes=5).key
    async with client_of(store, upstream=ModelServer()) as client:

        async def status(key: str) -> int:
            headers = {"Authorization": f"Bearer {key}"}
            return (await client.post("/v1/chat/completions", json=CHAT, headers=headers)).status_code

        assert [await status(old), await status(new)] == [200, 200]
        clock.advance(minutes=5)
        assert [await status(old), await status(new)] == [401, 200]


@pytest.mark.parametrize("send", [call, list_models])
async def test_the_last_use_has_its_address_while_the_account_records_them(
    store: Store, clock: StillClock, send: Send
) -> None:
    key, session = make_relayed(store), sign_in(store)
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        assert (await send(client)).status_code == 200
        (info,) = store.api_keys.list(session)
        assert (info.last_used_at, info.last_used_ip) == (clock.now(), None)
        store.settings.save(session, PrivacySettings(record_client_ip=True), 1)
        clock.advance(minutes=1)
        assert (await send(client)).status_code == 200
        (info,) = store.api_keys.list(session)
        assert (info.last_used_at, info.last_used_ip) == (clock.now(), PEER)
