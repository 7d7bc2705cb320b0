"""API keys: named, hashed, refused once expired or revoked, and with a spend limit of their own."""

from datetime import timedelta

import pytest

from store import tokens
from store.api_key_acts import MAX_API_KEYS
from store.errors import (
    GatekeyError,
    InvalidApiKey,
    InvalidExpiry,
    InvalidLabel,
    InvalidModel,
    InvalidMoney,
    InvalidNetwork,
    InvalidNumber,
    LimitReached,
    NoSuchItem,
    SpendLimitReached,
)
from store.money import MAXIMUM_MICRO_USD
from store.sections import PrivacySettings
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from store.values.usage import Kind, UsageEntry
from tests.harness.fixtures import in_memory
from tests.harness.people import Person, contents, tags
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.stores import START, StillClock

ENTRY = UsageEntry(Kind.CONSUMPTION, "model")


def test_only_keys_of_the_account_that_are_not_revoked_are_counted(store: Store, alice: Person, bob: Person) -> None:
    first = store.api_keys.create(alice.token, "laptop")
    store.api_keys.create(alice.token, "phone")
    store.api_keys.create(bob.token, "other")
    store.api_keys.revoke(alice.token, first.info.id)
    assert store.api_keys.count_active(alice.token) == 1


def test_a_new_key_speaks_for_its_account(store: Store, alice: Person, clock: StillClock) -> None:
    made = store.api_keys.create(
        alice.token, " laptop ", ApiKeyLimits(expires_at=START + timedelta(days=1), spend_limit_micro_usd=1_000_000)
    )
    assert made.key not in repr(made)
    assert made.key[:-4] not in repr(contents(store))
    assert store.api_keys.list(alice.token) == [made.info]
    assert (made.info.name, made.info.last_four, made.info.created_at) == ("laptop", made.key[-4:], clock.now())
    assert (made.info.spend_limit_micro_usd, made.info.spent_micro_usd) == (1_000_000, 0)
    holder = store.api_keys.authenticate(made.key)
    assert (holder.account_id, holder.account_name) == (alice.id, "alice")
    assert (holder.key_id, holder.key_name, holder.records_ip) == (made.info.id, "laptop", False)
    store.settings.save(alice.token, PrivacySettings(record_client_ip=True), 1)
    assert store.api_keys.authenticate(made.key).records_ip
    assert tags(store, alice.id).count("api-key:created") == 1


@in_memory
@pytest.mark.parametrize(
    ("name", "limits", "error", "at"),
    [
        ("", ApiKeyLimits(), InvalidLabel, "api-key-name"),
        ("   ", ApiKeyLimits(), InvalidLabel, "api-key-name"),
        ("x" * 65, ApiKeyLimits(), InvalidLabel, "api-key-name"),
        ("red\x1b[31m", ApiKeyLimits(), InvalidLabel, "api-key-name"),
        ("key", ApiKeyLimits(expires_at=START), InvalidExpiry, "api-key-expiry"),
        ("key", ApiKeyLimits(expires_at=START - timedelta(days=1)), InvalidExpiry, "api-key-expiry"),
        ("key", ApiKeyLimits(spend_limit_micro_usd=0), InvalidMoney, "api-key-limit"),
        ("key", ApiKeyLimits(spend_limit_micro_usd=-1), InvalidMoney, "api-key-limit"),
        ("key", ApiKeyLimits(spend_limit_micro_usd=MAXIMUM_MICRO_USD + 1), InvalidMoney, "api-key-limit"),
        ("key", ApiKeyLimits(allowed_models=()), InvalidModel, "api-key-models"),
        ("key", ApiKeyLimits(allowed_models=("gpt", "")), InvalidModel, "api-key-models"),
        ("key", ApiKeyLimits(allowed_models=("g\x1bpt",)), InvalidModel, "api-key-models"),
        ("key", ApiKeyLimits(allowed_models=tuple(f"m{n}" for n in range(101))), InvalidModel, "api-key-models"),
        ("key", ApiKeyLimits(allowed_networks=()), InvalidNetwork, "api-key-networks"),
        ("key", ApiKeyLimits(allowed_networks=("10.0.0.5/8",)), InvalidNetwork, "api-key-networks"),
        ("key", ApiKeyLimits(allowed_networks=("10.0.0.0/33",)), InvalidNetwork, "api-key-networks"),
        ("key", ApiKeyLimits(allowed_networks=("example.com",)), InvalidNetwork, "api-key-networks"),
        ("key", ApiKeyLimits(allowed_networks=("fe80::1%eth0",)), InvalidNetwork, "api-key-networks"),
        ("key", ApiKeyLimits(requests_per_minute=0), InvalidNumber, "api-key-rate"),
        ("key", ApiKeyLimits(requests_per_minute=1_000_001), InvalidNumber, "api-key-rate"),
    ],
)
def test_bad_input_creates_nothing(
    store: Store, alice: Person, name: str, limits: ApiKeyLimits, error: type[GatekeyError], at: str
) -> None:
    before = contents(store)
    with pytest.raises(error) as caught:
        store.api_keys.create(alice.token, name, limits)
    assert caught.value.field == at
    assert contents(store) == before


def test_fifty_keys_are_enough(store: Store, alice: Person, bob: Person) -> None:
    made = [store.api_keys.create(alice.token, f"key {number}") for number in range(MAX_API_KEYS)]
    with pytest.raises(LimitReached, match="at most 50"):
        store.api_keys.create(alice.token, "one more")
    store.api_keys.create(bob.token, "his own")
    store.api_keys.revoke(alice.token, made[0].info.id)
    store.api_keys.create(alice.token, "one more")
    assert [key.name for key in store.api_keys.list(alice.token)][:2] == ["one more", "key 49"]


def test_a_key_expires(store: Store, alice: Person, clock: StillClock) -> None:
    made = store.api_keys.create(alice.token, "short", ApiKeyLimits(expires_at=START + timedelta(minutes=10)))
    clock.advance(minutes=10, seconds=-1)
    store.api_keys.authenticate(made.key)
    assert store.api_keys.list(alice.token)[0].is_usable(clock.now())
    clock.advance(seconds=1)
    with pytest.raises(InvalidApiKey):
        store.api_keys.authenticate(made.key)
    assert not store.api_keys.list(alice.token)[0].is_usable(clock.now())


def test_a_revoked_key_stays_listed(store: Store, alice: Person, bob: Person, clock: StillClock) -> None:
    made = store.api_keys.create(alice.token, "laptop")
    with pytest.raises(NoSuchItem):
        store.api_keys.revoke(bob.token, made.info.id)
    store.api_keys.authenticate(made.key)
    store.api_keys.revoke(alice.token, made.info.id)
    with pytest.raises(InvalidApiKey):
        store.api_keys.authenticate(made.key)
    with pytest.raises(NoSuchItem, match="revoked before"):
        store.api_keys.revoke(alice.token, made.info.id)
    listed = store.api_keys.list(alice.token)[0]
    assert (listed.revoked_at, listed.is_usable(clock.now())) == (clock.now(), False)
    assert tags(store, alice.id).count("api-key:revoked") == 1


@pytest.mark.parametrize("text", ["", "sk-", "sk-\x00", "\ud800", "sk-" + "é" * 38, "sk-" + "0" * 8192], ids=ascii)
def test_nothing_typed_raises_anything_else(store: Store, alice: Person, text: str) -> None:
    with pytest.raises(InvalidApiKey):
        store.api_keys.authenticate(text)


def test_a_well_formed_stranger_is_refused(store: Store, alice: Person) -> None:
    with pytest.raises(InvalidApiKey):
        store.api_keys.authenticate(tokens.generate(tokens.API_KEY_PREFIX, store.context.rng))
    with pytest.raises(InvalidApiKey):
        store.api_keys.authenticate(store.access_token.generate(alice.token).token)


def test_its_use_is_noted_at_most_once_a_minute(store: Store, alice: Person, clock: StillClock) -> None:
    made = store.api_keys.create(alice.token, "laptop")
    noted = []
    for _ in range(5):
        store.api_keys.authenticate(made.key)
        last_used_at = store.api_keys.list(alice.token)[0].last_used_at
        assert last_used_at is not None
        noted.append((last_used_at - START).total_seconds())
        clock.advance(seconds=30)
    assert noted == [0, 0, 60, 60, 120]


def test_a_key_spends_no_more_than_its_limit(store: Store, alice: Person) -> None:
    made = store.api_keys.create(alice.token, "laptop", ApiKeyLimits(spend_limit_micro_usd=1_000))
    first = hold_quota(store, alice.id, 600, api_key_id=made.info.id)
    with pytest.raises(SpendLimitReached):
        hold_quota(store, alice.id, 401, api_key_id=made.info.id)
    second = hold_quota(store, alice.id, 400, api_key_id=made.info.id)
    book_call(store, first, 500, ENTRY)
    book_call(store, second, 100, ENTRY)
    assert store.api_keys.list(alice.token)[0].spent_micro_usd == 600
    with pytest.raises(SpendLimitReached):
        hold_quota(store, alice.id, 401, api_key_id=made.info.id)
    state = store.quota.state(alice.token)
    assert (state.remaining_micro_usd, state.held_micro_usd) == (5_000_000 - 600, 0)
    hold_quota(store, alice.id, 401)


def test_a_key_of_another_account_spends_nothing(store: Store, alice: Person, bob: Person) -> None:
    made = store.api_keys.create(alice.token, "laptop")
    with pytest.raises(SpendLimitReached):
        hold_quota(store, bob.id, 1, api_key_id=made.info.id)
    assert store.quota.state(bob.token).held_micro_usd == 0
