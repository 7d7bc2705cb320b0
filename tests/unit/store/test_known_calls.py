"""A hold by what an earlier call has read: it is made as after a read, and not at all once a read would find other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Table, delete, select, update

from store.api_key_use import LAST_USE_INTERVAL
from store.call_credentials import ApiKeyCredential
from store.known_calls import KnownCall, known_call
from store.models import Account, ApiKey, Price, Quota, Reservation
from store.sections import PrivacySettings
from store.shortcut import take_shortcuts
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from store.values.billing import ModelPrice
from tests.harness.people import Person, contents
from tests.harness.quota_calls import taken
from tests.harness.stores import START, StillClock, sign_in

PRICE: Final = ModelPrice("gpt-5", 3, 4, 5, 1, 1000)
MODEL: Final = "GPT-5"
"""As it is asked for: the price is found by a name in another case."""
LIMITS: Final = ApiKeyLimits(
    spend_limit_micro_usd=2_000_000, allowed_models=("gpt-5", "GPT-5", "ü\\u0041"), allowed_networks=("203.0.113.0/24",)
)


def used_key(store: Store, person: Person, limits: ApiKeyLimits = LIMITS) -> str:
    """A key whose last use is noted."""
    store.pricing.set(PRICE)
    made = store.api_keys.create(person.token, "laptop", limits)
    store.api_keys.authenticate(made.key, "203.0.113.9")
    return made.key


def known_of(store: Store, key: str) -> KnownCall:
    with store.database.look() as tx:
        holder, price = ApiKeyCredential(store.api_keys, key).holder_and_price(tx, MODEL)
    known = known_call(holder, price, key=key, model=MODEL)
    assert known is not None
    return known


def is_held(store: Store, known: KnownCall, amount: int = 1000) -> bool:
    """True if the hold was made. Else nothing was changed."""
    before = contents(store)
    hold = taken(store, store.quota.shortcuts.known_hold(known, amount), durable=False)
    assert hold is not None or contents(store) == before
    return hold is not None


@pytest.mark.parametrize("limits", [LIMITS, ApiKeyLimits(), replace(LIMITS, allowed_networks=None)])
@pytest.mark.parametrize("records", [False, True])
def test_a_hold_by_what_is_known_is_a_hold(store: Store, alice: Person, limits: ApiKeyLimits, records: bool) -> None:
    key = used_key(store, alice, limits)
    if records:
        records_addresses(store)
    known = known_of(store, key)
    assert known.price == PRICE
    assert is_held(store, known)
    with store.database.look() as tx:
        holder, _ = ApiKeyCredential(store.api_keys, key).holder_and_price(tx, MODEL)
    assert (holder.held_micro_usd, holder.held_on_key_micro_usd) == (1000, 1000)
    assert holder.records_ip is records
    assert is_held(store, known), "the money of then is no condition"
    assert not is_held(store, known, 5_000_000), "the money of now is"


def held_together(store: Store, known: list[KnownCall], amounts: list[int]) -> list[bool]:
    """Which of the holds were made, each by its own of `known`; each has a reservation of its own amount."""
    shortcuts = [store.quota.shortcuts.known_hold(each, amount) for each, amount in zip(known, amounts, strict=True)]
    rows = take_shortcuts(store.database, shortcuts, durable=False)
    holds = {
        shortcut.result(row).id: amount
        for shortcut, row, amount in zip(shortcuts, rows, amounts, strict=True)
        if row is not None
    }
    with store.database.look() as tx:
        stored = tx.execute(select(Reservation.c.id, Reservation.c.held_micro_usd)).all()
    assert {row.id: row.held_micro_usd for row in stored} == holds
    return [row is not None for row in rows]


@pytest.mark.parametrize(
    ("amounts", "is_made"),
    [
        ([700_000, 600_000, 700_000], True),
        ([700_000, 600_000, 700_001], False),
        ([0, 5, 0], True),
        ([2_000_000, 0], True),
        ([2_000_001, 0], False),
    ],
)
def test_holds_of_a_key_are_made_at_once_if_all_fit(
    store: Store, alice: Person, amounts: list[int], is_made: bool
) -> None:
    key = used_key(store, alice)
    known = known_of(store, key)
    assert held_together(store, [known] * len(amounts), amounts) == [is_made] * len(amounts)
    held = sum(amounts) * is_made
    now = known_of(store, key).holder
    assert (now.held_micro_usd, now.held_on_key_micro_usd) == (held, held)
    assert now.free_micro_usd == known.holder.free_micro_usd - held


def test_holds_by_different_knowledge_are_not_made_for_each_other(store: Store, alice: Person) -> None:
    key = used_key(store, alice)
    known = known_of(store, key)
    outdated = KnownCall.of(known.holder, replace(PRICE, output_per_million=1), key=key, model=MODEL)
    made = held_together(store, [outdated, known, outdated, known], [5, 6, 7, 8])
    assert made == [False, True, False, True]


def changed(table: Table, **values: Any) -> Callable[[Store], None]:
    def change(store: Store) -> None:
        with store.database.write() as tx:
            tx.execute(update(table).values(values))

    return change


def records_addresses(store: Store) -> None:
    token = sign_in(store)
    store.settings.save(
        token, PrivacySettings(record_client_ip=True), store.settings.load(token, PrivacySettings).version
    )


def rotated_a_while_ago(store: Store) -> None:
    with store.database.write() as tx:
        tx.execute(
            update(ApiKey).values(
                previous_key_hash=ApiKey.c.key_hash,
                key_hash=b"another",
                previous_expires_at=START - timedelta(minutes=1),
            )
        )


def unpriced(store: Store) -> None:
    with store.database.write() as tx:
        tx.execute(delete(Price))


def priced_by_its_own_name(store: Store) -> None:
    """The price of the exact name goes before that of a name in another case, and is the same but for it."""
    with store.database.write() as tx:
        tx.execute(update(Price).values(model_key="another"))
    store.pricing.set(replace(PRICE, model=MODEL))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(changed(ApiKey, revoked_at=START), id="revoked"),
        pytest.param(changed(ApiKey, disabled_at=START), id="disabled"),
        pytest.param(changed(ApiKey, expires_at=START - timedelta(seconds=1)), id="expired"),
        pytest.param(changed(ApiKey, key_hash=b"another"), id="rotated"),
        pytest.param(rotated_a_while_ago, id="rotated a while ago"),
        pytest.param(changed(ApiKey, name="another"), id="renamed"),
        pytest.param(changed(ApiKey, allowed_models=["gpt-5"]), id="models"),
        pytest.param(changed(ApiKey, allowed_models=None), id="every model"),
        pytest.param(changed(ApiKey, allowed_networks=["198.51.100.0/24"]), id="networks"),
        pytest.param(changed(ApiKey, allowed_networks=None), id="every network"),
        pytest.param(changed(ApiKey, requests_per_minute=9), id="rate"),
        pytest.param(changed(ApiKey, last_used_at=START - LAST_USE_INTERVAL), id="use to be noted"),
        pytest.param(changed(ApiKey, last_used_at=None), id="never used"),
        pytest.param(changed(ApiKey, spend_limit_micro_usd=999), id="key's limit"),
        pytest.param(changed(Account, suspended_at=START), id="suspended"),
        pytest.param(changed(Account, name="another"), id="account renamed"),
        pytest.param(records_addresses, id="addresses recorded"),
        pytest.param(changed(Quota, remaining_micro_usd=999), id="quota"),
        *(
            pytest.param(changed(Price, **{name: 2}), id=name)
            for name in (
                "input_micro_usd_per_million",
                "output_micro_usd_per_million",
                "request_micro_usd",
                "cached_input_micro_usd_per_million",
                "max_output_tokens",
            )
        ),
        pytest.param(changed(Price, cached_input_micro_usd_per_million=None), id="no price of cached input"),
        pytest.param(unpriced, id="unpriced"),
        pytest.param(priced_by_its_own_name, id="priced by its own name"),
    ],
)
def test_what_has_changed_since_is_not_held_by(store: Store, alice: Person, change: Callable[[Store], None]) -> None:
    key = used_key(store, alice)
    known = known_of(store, key)
    assert is_held(store, known)
    change(store)
    assert not is_held(store, known)


def test_another_key_or_account_is_not_held_by_what_is_known(store: Store, alice: Person, bob: Person) -> None:
    key, other = used_key(store, alice), used_key(store, bob)
    known = known_of(store, key)
    assert not is_held(store, KnownCall.of(known.holder, PRICE, key=other, model=MODEL))
    second = known_of(store, used_key(store, alice)).holder.key_id
    assert not is_held(store, KnownCall.of(known.holder._replace(key_id=second), PRICE, key=key, model=MODEL))
    holder = known_of(store, other).holder
    assert not is_held(store, KnownCall.of(known.holder._replace(key_id=holder.key_id), PRICE, key=key, model=MODEL))
    assert not is_held(
        store, KnownCall.of(known.holder._replace(account_id=holder.account_id), PRICE, key=key, model=MODEL)
    )


def test_what_the_steps_decide_is_not_known(store: Store, alice: Person, clock: StillClock) -> None:
    key = used_key(store, alice)
    with store.database.look() as tx:
        holder, price = ApiKeyCredential(store.api_keys, key).holder_and_price(tx, MODEL)
    assert known_call(holder, None, key=key, model=MODEL) is None
    assert known_call(holder, replace(PRICE, is_default=True), key=key, model=MODEL) is None
    for other in ({"is_stale": True}, {"key_id": None}, {"is_disabled": True}, {"requests_per_minute": 9}):
        assert known_call(holder._replace(**other), price, key=key, model=MODEL) is None
    clock.advance(minutes=1)
    assert not is_held(store, KnownCall.of(holder, PRICE, key=key, model=MODEL)), "the use of the key has to be noted"
