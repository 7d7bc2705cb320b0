"""The life of an API key: disabled and enabled, rotated with an overlap, used from an address, hidden once revoked."""

from datetime import timedelta

import pytest

from store import api_key_acts
from store.errors import (
    AlreadyEnabled,
    FreshProofRequired,
    InvalidApiKey,
    InvalidNumber,
    NoSuchItem,
    NotEnabled,
)
from store.sections import PrivacySettings
from store.store import Store
from store.values.api_keys import ApiKeyLimits, KeyState
from tests.harness.people import Person, contents, prove, tags
from tests.harness.stores import StillClock


def test_a_disabled_key_is_enabled_again_with_a_proof(store: Store, alice: Person, clock: StillClock) -> None:
    made = store.api_keys.create(alice.token, "key")
    clock.advance(minutes=6)
    assert store.api_keys.disable(alice.token, made.info.id).state(clock.now()) is KeyState.DISABLED
    assert store.api_keys.authenticate(made.key).is_disabled
    assert store.api_keys.count_active(alice.token) == 0
    with pytest.raises(NotEnabled):
        store.api_keys.disable(alice.token, made.info.id)
    with pytest.raises(FreshProofRequired, match="enable an API key"):
        store.api_keys.enable(alice.token, made.info.id)
    prove(store, alice.token)
    assert store.api_keys.enable(alice.token, made.info.id).state(clock.now()) is KeyState.ACTIVE
    assert not store.api_keys.authenticate(made.key).is_disabled
    with pytest.raises(AlreadyEnabled):
        store.api_keys.enable(alice.token, made.info.id)
    assert [tag for tag in tags(store, alice.id) if "able" in tag] == ["api-key:disabled", "api-key:enabled"]


def test_an_expired_key_is_not_counted(store: Store, alice: Person, clock: StillClock) -> None:
    store.api_keys.create(alice.token, "key", ApiKeyLimits(expires_at=clock.now() + timedelta(minutes=1)))
    assert store.api_keys.count_active(alice.token) == 1
    clock.advance(minutes=1)
    assert store.api_keys.count_active(alice.token) == 0


def test_a_rotated_key_dies_at_once_without_an_overlap(store: Store, alice: Person, clock: StillClock) -> None:
    old = store.api_keys.create(alice.token, "key")
    new = store.api_keys.rotate(alice.token, old.info.id)
    assert new.key not in repr(new)
    assert new.key[:-4] not in repr(contents(store))
    assert (new.info.id, new.info.last_four, new.info.rotated_at) == (old.info.id, new.key[-4:], clock.now())
    assert new.info.previous_expires_at is None
    assert store.api_keys.authenticate(new.key).key_id == old.info.id
    with pytest.raises(InvalidApiKey):
        store.api_keys.authenticate(old.key)
    assert tags(store, alice.id)[-1] == "api-key:rotated"


def test_the_old_key_works_for_the_overlap_and_for_no_longer(store: Store, alice: Person, clock: StillClock) -> None:
    old = store.api_keys.create(alice.token, "key")
    new = store.api_keys.rotate(alice.token, old.info.id, overlap_minutes=10)
    assert new.info.previous_expires_at == clock.now() + timedelta(minutes=10)
    clock.advance(minutes=10, seconds=-1)
    assert store.api_keys.authenticate(old.key).key_id == store.api_keys.authenticate(new.key).key_id
    clock.advance(seconds=1)
    with pytest.raises(InvalidApiKey):
        store.api_keys.authenticate(old.key)
    assert store.api_keys.list(alice.token)[0].previous_expires_at is None
    store.api_keys.authenticate(new.key)


@pytest.mark.parametrize("overlap", [0, 30])
def test_a_second_rotation_kills_the_first_predecessor(store: Store, alice: Person, overlap: int) -> None:
    first = store.api_keys.create(alice.token, "key")
    second = store.api_keys.rotate(alice.token, first.info.id, overlap_minutes=60)
    third = store.api_keys.rotate(alice.token, first.info.id, overlap_minutes=overlap)
    works = []
    for made in (first, second, third):
        try:
            store.api_keys.authenticate(made.key)
        except InvalidApiKey:
            works.append(False)
        else:
            works.append(True)
    assert works == [False, overlap > 0, True]


def test_both_secrets_of_a_key_end_with_it(store: Store, alice: Person) -> None:
    old = store.api_keys.create(alice.token, "key")
    new = store.api_keys.rotate(alice.token, old.info.id, overlap_minutes=60)
    store.api_keys.disable(alice.token, old.info.id)
    assert store.api_keys.authenticate(old.key).is_disabled
    store.api_keys.revoke(alice.token, old.info.id)
    for made in (old, new):
        with pytest.raises(InvalidApiKey):
            store.api_keys.authenticate(made.key)


@pytest.mark.parametrize("overlap", [-1, 10_081])
def test_an_overlap_is_at_most_seven_days(store: Store, alice: Person, overlap: int) -> None:
    made = store.api_keys.create(alice.token, "key")
    before = contents(store)
    with pytest.raises(InvalidNumber) as refused:
        store.api_keys.rotate(alice.token, made.info.id, overlap_minutes=overlap)
    assert refused.value.field == "api-key-overlap"
    assert contents(store) == before


def test_a_rotation_needs_a_proof_and_a_live_key_of_ones_own(
    store: Store, alice: Person, bob: Person, clock: StillClock
) -> None:
    made = store.api_keys.create(alice.token, "key")
    for act in (store.api_keys.rotate, store.api_keys.disable, store.api_keys.enable, store.api_keys.revoke):
        with pytest.raises(NoSuchItem):
            act(bob.token, made.info.id)
    clock.advance(minutes=6)
    with pytest.raises(FreshProofRequired, match="rotate an API key"):
        store.api_keys.rotate(alice.token, made.info.id)
    store.api_keys.revoke(alice.token, made.info.id)
    prove(store, alice.token)
    with pytest.raises(NoSuchItem):
        store.api_keys.rotate(alice.token, made.info.id)


def test_the_address_of_the_last_use_is_stored_while_the_account_records_them(
    store: Store, alice: Person, clock: StillClock
) -> None:
    made = store.api_keys.create(alice.token, "key")

    def use(address: str) -> str | None:
        clock.advance(minutes=1)
        store.api_keys.authenticate(made.key, address)
        return store.api_keys.list(alice.token)[0].last_used_ip

    assert use("203.0.113.7") is None
    version = store.settings.save(alice.token, PrivacySettings(record_client_ip=True), 1).version
    assert use("::ffff:203.0.113.7") == "203.0.113.7"
    assert use("2001:DB8::1") == "2001:db8::1"
    assert store.usage.count_ips(alice.token) == 1
    assert store.usage.erase_ips(alice.token) == 1
    assert store.api_keys.list(alice.token)[0].last_used_ip is None
    assert use("203.0.113.8") == "203.0.113.8"
    store.settings.save(alice.token, PrivacySettings(record_client_ip=False), version)
    assert use("203.0.113.9") is None, "the address of an earlier use would stand beside the time of this one"


def test_revoked_keys_are_hidden_or_listed_up_to_a_number(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_key_acts, "MAX_REVOKED_LISTED", 2)
    made = [store.api_keys.create(alice.token, f"key {number}") for number in range(5)]
    for one in made[:4]:
        store.api_keys.revoke(alice.token, one.info.id)
    assert [key.name for key in store.api_keys.list(alice.token)] == ["key 4", "key 3", "key 2"]
    assert [key.name for key in store.api_keys.list(alice.token, with_revoked=False)] == ["key 4"]


def test_an_administrator_acts_without_a_proof_and_by_name(store: Store, alice: Person, clock: StillClock) -> None:
    clock.advance(minutes=6)
    with store.api_keys.administering("ALICE", actor="unix:root") as (tx, actor):
        made = store.api_keys.acts.create(tx, actor, "key", ApiKeyLimits())
    assert store.api_keys.authenticate(made.key).account_id == alice.id
    with store.database.read() as tx:
        event = store.audit.page(tx, alice.id)[0]
    assert (event.tag, event.actor, event.source) == ("api-key:created", "unix:root", "command line")
