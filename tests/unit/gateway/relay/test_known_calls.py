"""Calls whose key and price an earlier call has read: what was changed since holds for the next call (PostgreSQL)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.relay import known_calls
from gateway.relay.admission import Admission
from gateway.relay.known_calls import KnownCalls
from store.call_credentials import ApiKeyCredential
from store.money import MICRO_PER_USD
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from tests.fakes.scripted_model_server import CHAT, ModelServer
from tests.harness.gateway_client import MODEL, PRICE, client_of, make_relayed
from tests.harness.stores import sign_in
from tests.harness.usage_log import entries_of

PATH = "/v1/chat/completions"


def revoke(store: Store) -> None:
    (key,) = store.api_keys.list(sign_in(store))
    store.api_keys.revoke(sign_in(store), key.id)


def disable(store: Store) -> None:
    (key,) = store.api_keys.list(sign_in(store))
    store.api_keys.disable(sign_in(store), key.id)


def suspend(store: Store) -> None:
    store.suspension.suspend("alice", actor="test")


def forbid_model(store: Store) -> None:
    (key,) = store.api_keys.list(sign_in(store))
    store.api_keys.edit(sign_in(store), key.id, key.name, ApiKeyLimits(allowed_models=("another",)))


def unprice(store: Store) -> None:
    store.pricing.remove(MODEL)


def spend_all(store: Store) -> None:
    store.quota.adjust("alice", set_to=0, actor="test")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (revoke, 401, "invalid_api_key"),
        (disable, 403, "api_key_disabled"),
        (suspend, 403, "account_suspended"),
        (forbid_model, 403, "model_not_allowed"),
        (unprice, 403, "model_not_priced"),
        (spend_all, 429, "insufficient_quota"),
    ],
)
async def test_a_call_is_refused_by_what_was_changed_since_the_last(
    store: Store, change: Callable[[Store], None], status: int, code: str
) -> None:
    models = ModelServer()
    async with client_of(store, token=make_relayed(store), upstream=models) as client:
        for _ in range(3):
            assert (await client.post(PATH, json=CHAT)).status_code == 200
        change(store)
        answer = await client.post(PATH, json=CHAT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert len(models.requests) == 3


async def test_a_call_costs_the_price_that_there_is_when_it_is_held(store: Store) -> None:
    async with client_of(store, token=make_relayed(store), upstream=ModelServer()) as client:
        for per_request in (0, 0, 0, MICRO_PER_USD, MICRO_PER_USD):
            store.pricing.set(replace(PRICE, per_request=per_request))
            assert (await client.post(PATH, json=CHAT)).status_code == 200
    costs = [entry.cost_micro_usd for entry in reversed(entries_of(store))]
    assert costs == [costs[0]] * 3 + [costs[0] + MICRO_PER_USD] * 2
    state = store.quota.state(sign_in(store))
    assert (state.used_micro_usd, state.held_micro_usd) == (sum(costs), 0)


async def test_a_call_that_is_known_reads_nothing_before_its_hold(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[str]()
    holder_and_price = store.api_keys.holder_and_price

    def noting(*arguments: object) -> object:
        read.append("read")
        return holder_and_price(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store.api_keys, "holder_and_price", noting)
    async with client_of(store, token=make_relayed(store), upstream=ModelServer()) as client:
        for model in (MODEL, MODEL, MODEL, MODEL.upper(), MODEL.upper(), MODEL):
            assert (await client.post(PATH, json={**CHAT, "model": model})).status_code == 200
    assert len(read) == 3, "the first call has to note the use of the key, and each name is read once"


def test_what_is_known_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_relayed(store)
    store.api_keys.authenticate(key)
    credential, known = ApiKeyCredential(store.api_keys, key), KnownCalls()
    with store.database.look() as tx:
        holder, price = credential.holder_and_price(tx, MODEL)
    monkeypatch.setattr(known_calls, "MAX_KNOWN_CALLS", 2)
    for name in ("one", "two", "three"):
        known.note(credential, name, holder, price)
    found = [known.find(credential, name) is not None for name in ("one", "two", "three")]
    assert found == [False, False, True]
    known.note(credential, "four", holder, None)
    assert known.find(credential, "four") is None
    known.forget(credential, "three")
    assert known.find(credential, "three") is None


async def test_a_key_that_is_refused_is_known_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each further call with it would take SQLite's write lock before it is read and refused."""
    asked, expected = list[bool](), Admission.expected_hold

    def noting(admission: Admission) -> object:
        shortcut = expected(admission)
        asked.append(shortcut is not None)
        return shortcut

    monkeypatch.setattr(Admission, "expected_hold", noting)
    async with client_of(store, token=make_relayed(store), upstream=ModelServer()) as client:
        for _ in range(3):
            assert (await client.post(PATH, json=CHAT)).status_code == 200
        store.suspension.suspend("alice", actor="test")
        for _ in range(3):
            assert (await client.post(PATH, json=CHAT)).status_code == 403
    assert asked == [False, False, True, True, False, False]
