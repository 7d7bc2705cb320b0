"""The cost of a relayed call, to the last micro-USD, and its log entry."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from gateway.relay import ledger
from gateway.relay.endpoints import ENDPOINTS
from gateway.relay.output_limits import CostCeiling
from gateway.relay.request import parse_request
from gateway.site_view import SiteView
from store.errors import DatabaseBusy, QuotaExceeded
from store.models import OutboxMessage, Price
from store.quota_warnings import QUOTA_WARNING
from store.sections import PriceSettings, PrivacySettings
from store.store import Store
from store.values.billing import ModelPrice
from store.values.usage import Kind
from tests.fakes.scripted_model_server import CHAT, COST, USAGE, Chunks, ModelServer, answer, chat
from tests.harness.gateway_client import MODEL, PEER, UPSTREAM_KEY, client_of, make_relayed
from tests.harness.quota_calls import hold_quota
from tests.harness.stores import sign_in
from tests.harness.usage_log import entries_of


def spent(store: Store) -> int:
    state = store.quota.state(sign_in(store))
    assert state.held_micro_usd == 0
    assert state.remaining_micro_usd + state.used_micro_usd == 5_000_000
    return state.used_micro_usd


@pytest.mark.parametrize("cached", [None, 500_000, 1_000_000, 9_000_000])
def test_what_is_held_covers_a_prompt_that_was_cached_whole(cached: int | None) -> None:
    """Older releases let cached input cost more than other input."""
    asked = json.dumps({**CHAT, "max_tokens": 4}).encode()
    call = parse_request(ENDPOINTS[0], "application/json", asked)
    price = ModelPrice(MODEL, 1_000_000, 2_000_000, cached_input_per_million=cached)
    ceiling = CostCeiling(call, price, SiteView("", "", (), 0, 0, 0, 0), trusts_limit=True)
    for tokens in (0, call.prompt_tokens):
        assert ceiling.max_micro_usd >= price.cost(call.prompt_tokens, 4, tokens)
    assert ceiling.affordable_tokens(ceiling.max_micro_usd) == 4


async def test_a_dearer_price_of_cached_input_was_held_and_charged(store: Store) -> None:
    key, held = make_relayed(store), []
    with store.database.write() as tx:
        tx.execute(update(Price).values(cached_input_micro_usd_per_million=9_000_000))

    def reply(_: httpx.Request) -> httpx.Response:
        held.append(store.quota.state(sign_in(store)).held_micro_usd)
        prompt = 5
        details = {"prompt_tokens_details": {"cached_tokens": prompt}}
        return answer(
            chat(usage={"prompt_tokens": prompt, "completion_tokens": 4, "total_tokens": prompt + 4, **details})
        )

    async with client_of(store, token=key, upstream=ModelServer(reply)) as client:
        assert (await client.post("/v1/chat/completions", json={**CHAT, "max_tokens": 4})).status_code == 200
    assert held[0] >= spent(store) == 5 * 9 + 4 * 2


async def test_a_call_cost_what_the_model_server_reported(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        relayed = await client.post("/v1/chat/completions", json={**CHAT, "temperature": 0.5, "max_tokens": 100})
    assert relayed.status_code == 200
    assert relayed.json() == chat()
    assert spent(store) == COST
    (entry,) = entries_of(store)
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micro_usd, entry.unpriced) == (10, 4, COST, False)
    assert relayed.headers["x-request-id"] == entry.request_id
    (request,) = models.requests
    assert str(request.url) == "http://models.test/v1/chat/completions"
    assert models.bodies == [{**CHAT, "temperature": 0.5, "max_tokens": 100}]
    assert request.headers["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert set(request.headers) == {
        "host",
        "authorization",
        "content-type",
        "content-length",
        "accept-encoding",
        "user-agent",
        "x-request-id",
    }


async def test_a_fraction_of_a_micro_dollar_was_rounded_up(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    store.pricing.set(ModelPrice(MODEL, 1, 1))
    async with client_of(store, token=key, upstream=models) as client:
        await client.post("/v1/chat/completions", json=CHAT)
    assert spent(store) == 1


@pytest.mark.parametrize(
    ("body", "price", "most"),
    [
        ({"max_tokens": 1000}, (0, 1_000_000, 0), 1000),
        ({"max_completion_tokens": 500, "max_tokens": 400}, (0, 1_000_000, 0), 500),
        ({"max_tokens": 100, "n": 3}, (0, 1_000_000, 0), 300),
        ({}, (0, 1_000_000, 0), 131_072),
        ({"max_tokens": 1}, (0, 0, 77), 77),
    ],
)
async def test_enough_was_held_while_the_model_server_answered(
    store: Store, body: dict[str, Any], price: tuple[int, int, int], most: int
) -> None:
    key, held = make_relayed(store), []

    def reply(_: object) -> Any:
        with store.database.read() as tx:
            held.append(store.quota.state_of(tx, 1).held_micro_usd)
        return answer()

    store.pricing.set(ModelPrice(MODEL, *price))
    async with client_of(store, token=key, upstream=ModelServer(reply)) as client:
        assert (await client.post("/v1/chat/completions", json={**CHAT, **body})).status_code == 200
    assert held == [most]


async def test_a_prompt_was_held_by_its_length_and_pictures_by_their_number(store: Store) -> None:
    key, held = make_relayed(store), []

    def reply(_: object) -> Any:
        with store.database.read() as tx:
            held.append(store.quota.state_of(tx, 1).held_micro_usd)
        return answer()

    store.pricing.set(ModelPrice(MODEL, 1_000_000, 0))
    text = {"type": "text", "text": "x" * 3000}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    async with client_of(store, token=key, upstream=ModelServer(reply)) as client:
        for content in ([text], [text, picture]):
            await client.post("/v1/chat/completions", json={**CHAT, "messages": [{"role": "user", "content": content}]})
    assert 1000 < held[0] < 1100
    assert 1500 <= held[1] - held[0] < 1600


async def test_a_call_beyond_the_quota_was_refused_before_the_model_server(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    store.quota.adjust("alice", set_to=100, actor="test")
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post("/v1/chat/completions", json={**CHAT, "max_tokens": 100})
        assert (await client.post("/v1/chat/completions", json={**CHAT, "max_tokens": 10})).status_code == 200
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "insufficient_quota"
    assert refused.headers["x-should-retry"] == "false"
    assert len(models.requests) == 1
    assert [(entry.kind, entry.status) for entry in entries_of(store)] == [
        (Kind.CONSUMPTION, "ok"),
        (Kind.ERROR, "insufficient_quota"),
    ]


async def test_a_key_stopped_at_its_own_limit(store: Store) -> None:
    key, models = make_relayed(store, spend_limit_micro_usd=100), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        statuses = [
            (await client.post("/v1/chat/completions", json={**CHAT, "max_tokens": 10})).status_code for _ in range(6)
        ]
    assert statuses == [200, 200, 200, 429, 429, 429]
    assert spent(store) == 3 * COST
    assert entries_of(store)[0].status == "spend_limit_reached"


@pytest.mark.parametrize("limit", ["account", "key"])
async def test_calls_that_cannot_be_paid_never_reached_what_others_write(
    store: Store, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """A hold that fails undoes what is written together with it, and their number is the caller's to choose."""
    key = make_relayed(store, spend_limit_micro_usd=1 if limit == "key" else None)
    if limit == "account":
        store.quota.adjust("alice", set_to=1, actor="test")
    holds: list[object] = []
    monkeypatch.setattr(store.quota, "hold", lambda *asked, **_: holds.append(asked))
    async with client_of(store, token=key) as client:
        refused = await client.post("/v1/chat/completions", json=CHAT)
    assert (refused.status_code, holds) == (429, [])
    assert entries_of(store)[0].status == refused.json()["error"]["code"]


async def test_a_call_that_cost_more_than_was_left_took_what_was_left(store: Store) -> None:
    key = make_relayed(store)
    usage = {"prompt_tokens": 10_000_000, "completion_tokens": 0}
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(chat(usage=usage)))) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 429
    assert spent(store) == 5_000_000


async def test_sixteen_calls_at_once_were_sixteen_times_the_price(store: Store) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        answers = await asyncio.gather(*(client.post("/v1/chat/completions", json=CHAT) for _ in range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert spent(store) == 16 * COST
    assert len({answer.headers["x-request-id"] for answer in answers}) == 16


async def test_calls_at_once_never_overdrew(store: Store) -> None:
    key = make_relayed(store)
    store.quota.adjust("alice", set_to=200, actor="test")
    body = {**CHAT, "max_tokens": 10}
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        answers = await asyncio.gather(*(client.post("/v1/chat/completions", json=body) for _ in range(16)))
    passed = sum(answer.status_code == 200 for answer in answers)
    assert 0 < passed < 16
    state = store.quota.state(sign_in(store))
    assert (state.held_micro_usd, state.used_micro_usd, state.remaining_micro_usd) == (
        0,
        passed * COST,
        200 - passed * COST,
    )


async def test_falling_below_the_threshold_queued_one_warning(store: Store) -> None:
    key = make_relayed(store)
    store.quota.adjust("alice", set_to=1_000_000 + COST, actor="test")
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        for expected in (0, 1, 1):
            await client.post("/v1/chat/completions", json={**CHAT, "max_tokens": 1})
            with store.database.read() as tx:
                count = tx.execute(select(func.count()).where(OutboxMessage.c.kind == QUOTA_WARNING)).scalar()
            assert count == expected


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": -1, "completion_tokens": 0},
        {"prompt_tokens": 1.5, "completion_tokens": 0},
        {"prompt_tokens": True, "completion_tokens": 0},
        {"prompt_tokens": "10", "completion_tokens": 4},
        {"prompt_tokens": 10**30, "completion_tokens": 4},
        [],
        "many",
    ],
)
async def test_what_nobody_reported_was_counted_and_said_so(store: Store, usage: Any) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(chat(usage=usage)))) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
    (entry,) = entries_of(store)
    assert entry.prompt_tokens == -(-len(json.dumps(CHAT, separators=(",", ":"))) // 3)
    assert entry.completion_tokens > 0
    assert "reported no usage" in entry.detail
    assert spent(store) == entry.cost_micro_usd > 0


async def test_an_embedding_cost_its_prompt(store: Store) -> None:
    key = make_relayed(store)
    document = {"data": [{"embedding": [1.0]}], "usage": {"prompt_tokens": 7, "total_tokens": 7}}
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(document))) as client:
        assert (await client.post("/v1/embeddings", json={"model": MODEL, "input": "x"})).status_code == 200
    assert spent(store) == 7


async def test_pictures_were_paid_one_by_one_and_tokens_where_reported(store: Store) -> None:
    key = make_relayed(store)
    store.pricing.set(ModelPrice(MODEL, 1_000_000, 1_000_000, 100))
    answers = iter(
        [
            answer({"data": [{}, {}, {}]}),
            answer({"data": [{}], "usage": {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}}),
        ]
    )
    async with client_of(store, token=key, upstream=ModelServer(lambda _: next(answers))) as client:
        for count in (3, 1):
            body = {"model": MODEL, "prompt": "A horse", "n": count}
            assert (await client.post("/v1/images/generations", json=body)).status_code == 200
    assert [entry.cost_micro_usd for entry in entries_of(store)] == [111, 300]
    assert {entry.kind for entry in entries_of(store)} == {Kind.DRAWING}


async def test_pictures_at_once_that_are_priced_by_tokens_never_overdrew(store: Store) -> None:
    key, drawn, answered = make_relayed(store), asyncio.Event(), []
    store.pricing.set(ModelPrice(MODEL, 5_000_000, 400_000))  # 8,000 tokens: 3,200 micro-USD
    store.quota.adjust("alice", set_to=10_000, actor="test")

    def note(status: int) -> None:
        answered.append(status)
        if len(answered) == 16:
            drawn.set()

    def reply(_: httpx.Request) -> httpx.Response:
        note(200)
        usage = b'{"data": [{}], "usage": {"input_tokens": 5, "output_tokens": 6000}}'
        return httpx.Response(200, stream=Chunks([drawn, usage]))

    async with client_of(store, token=key, upstream=ModelServer(reply)) as client:

        async def draw(count: int) -> None:
            body = {"model": MODEL, "prompt": "A horse", "n": count}
            status = (await client.post("/v1/images/generations", json=body)).status_code
            if status != 200:
                note(status)

        await asyncio.gather(*(draw(1) for _ in range(15)), draw(128))
    assert sorted(answered) == [200] * 3 + [429] * 13
    state = store.quota.state(sign_in(store))
    assert (state.held_micro_usd, state.used_micro_usd) == (0, 3 * (25 + 2400))


async def test_pictures_that_are_priced_one_by_one_held_no_tokens(store: Store) -> None:
    key = make_relayed(store)
    store.pricing.set(ModelPrice(MODEL, 0, 0, 100))
    store.quota.adjust("alice", set_to=300, actor="test")
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer({"data": [{}] * 3}))) as client:
        for status in (200, 429):
            body = {"model": MODEL, "prompt": "A horse", "n": 3}
            assert (await client.post("/v1/images/generations", json=body)).status_code == status


async def test_an_unpriced_model_that_was_accepted_cost_nothing_and_was_flagged(store: Store) -> None:
    key = make_relayed(store)
    store.settings.save(sign_in(store), PriceSettings(accept_unpriced_models=True), 1)
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        assert (await client.post("/v1/chat/completions", json={**CHAT, "model": "new-model"})).status_code == 200
    (entry,) = entries_of(store)
    assert (entry.cost_micro_usd, entry.unpriced, entry.prompt_tokens) == (0, True, 10)
    assert spent(store) == 0
    assert [seen.model for seen in store.pricing.unpriced_models(sign_in(store))] == ["new-model"]


async def test_the_address_was_logged_only_while_the_switch_was_on(store: Store) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        for version, on in enumerate((True, False, True), 1):
            store.settings.save(sign_in(store), PrivacySettings(record_client_ip=on), version)
            await client.post("/v1/chat/completions", json=CHAT)
            await client.post("/v1/chat/completions", json={**CHAT, "model": "unpriced"})
            store.pricing.set(ModelPrice("painter", 0, 0, 1))
            await client.post("/v1/images/generations", json={"model": "painter", "prompt": "x"})
    addresses = [(entry.kind, entry.client_ip) for entry in reversed(entries_of(store))]
    assert addresses == [
        pair for ip in (PEER, None, PEER) for pair in ((Kind.CONSUMPTION, ip), (Kind.ERROR, ip), (Kind.DRAWING, None))
    ]


async def test_a_key_that_was_revoked_opened_nothing(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        store.api_keys.revoke(sign_in(store), 1)
        refused = await client.post("/v1/chat/completions", json=CHAT)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "invalid_api_key"
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert len(models.requests) == 1


async def test_a_call_was_booked_when_the_database_came_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key, book, fails = make_relayed(store), type(store.quota).book, iter([True, True, False])

    def flaky(*args: Any) -> int:
        if next(fails):
            raise DatabaseBusy
        return book(*args)

    monkeypatch.setattr(type(store.quota), "book", flaky)
    monkeypatch.setattr(ledger, "BOOKING_RETRY_DELAYS_S", (0.0, 0.0))
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
    assert spent(store) == COST
    assert USAGE["prompt_tokens"] == entries_of(store)[0].prompt_tokens


async def test_a_call_whose_account_was_deleted_meanwhile_went_its_way(store: Store) -> None:
    key = make_relayed(store)

    def reply(_: object) -> Any:
        store.deletion.delete(sign_in(store), "alice")
        return answer()

    async with client_of(store, token=key, upstream=ModelServer(reply)) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 401


def test_the_store_still_refuses_what_the_relay_would_hold(store: Store) -> None:
    make_relayed(store)
    with pytest.raises(QuotaExceeded):
        hold_quota(store, 1, 5_000_001)
