"""The System Access Token: shown once, hashed, and dead the moment a new one is made."""

import random
from datetime import timedelta

import pytest

from store import tokens
from store.errors import InvalidToken, NotEnabled
from store.sections import PrivacySettings
from store.store import Store
from store.values.access_token import AccessTokenInfo
from tests.harness.people import Person, configure_mail, contents, prove, queued, statements, tags
from tests.harness.stores import START, StillClock


def test_a_new_token_speaks_for_its_account(store: Store, alice: Person, clock: StillClock) -> None:
    assert store.access_token.status(alice.token) is None
    made = store.access_token.generate(alice.token)
    assert made.token not in repr(made)
    assert made.info == AccessTokenInfo(made.token[-4:], clock.now(), None) == store.access_token.status(alice.token)
    holder = store.access_token.authenticate(made.token)
    assert (holder.account_id, holder.name, holder.email, holder.role) == (
        alice.id,
        "alice",
        "alice@example.com",
        "user",
    )
    assert holder.created_at == store.accounts.get(alice.id).created_at
    assert not holder.records_ip


def test_a_holder_says_whether_addresses_are_wanted(store: Store, alice: Person) -> None:
    made = store.access_token.generate(alice.token)
    store.settings.save(alice.token, PrivacySettings(record_client_ip=True), 1)
    assert store.access_token.authenticate(made.token).records_ip


def test_a_token_can_write_in_a_transaction(store: Store, alice: Person, clock: StillClock) -> None:
    made = store.access_token.generate(alice.token)
    for expected in (START, START, START + timedelta(minutes=1)):
        with store.database.write() as tx:
            assert store.access_token.holder(tx, made.token, to_write=True).account_id == alice.id
        status = store.access_token.status(alice.token)
        assert status is not None
        assert status.last_used_at == expected
        clock.advance(seconds=30)
    with store.database.write() as tx, pytest.raises(InvalidToken):
        store.access_token.holder(tx, "gk_unknown", to_write=True)


def test_a_new_token_kills_the_old_one(store: Store, alice: Person) -> None:
    configure_mail(store)
    made = [store.access_token.generate(alice.token).token for _ in range(5)]
    accepted = 0
    for old in made[:-1]:
        with pytest.raises(InvalidToken):
            store.access_token.authenticate(old)
    store.access_token.authenticate(made[-1])
    print(f"old tokens accepted after a rotation: {accepted} of {len(made) - 1}")
    assert tags(store, alice.id).count("access-token:generated") == 5
    assert [job.kind for job in queued(store)] == ["access-token:generated"] * 5


def test_only_a_hash_and_four_characters_are_stored(store: Store, alice: Person) -> None:
    made = store.access_token.generate(alice.token)
    stored = repr(contents(store))
    assert made.token[:-4] not in stored
    assert made.token[3:20] not in stored


def test_a_token_can_be_revoked(store: Store, alice: Person) -> None:
    with pytest.raises(NotEnabled):
        store.access_token.revoke(alice.token)
    configure_mail(store)
    made = store.access_token.generate(alice.token)
    store.access_token.revoke(alice.token)
    with pytest.raises(InvalidToken):
        store.access_token.authenticate(made.token)
    assert store.access_token.status(alice.token) is None
    assert tags(store, alice.id)[-1] == "access-token:revoked"
    assert [job.kind for job in queued(store)][-1] == "access-token:revoked"


def test_each_account_has_its_own(store: Store, alice: Person, bob: Person) -> None:
    hers, his = (store.access_token.generate(person.token).token for person in (alice, bob))
    store.access_token.generate(alice.token)
    assert store.access_token.authenticate(his).name == "bob"
    with pytest.raises(InvalidToken):
        store.access_token.authenticate(hers)


def test_a_malformed_token_asks_the_database_nothing(store: Store, alice: Person) -> None:
    rng, count = random.Random(4), 10_000
    with statements(store) as seen:
        for _ in range(count):
            made_up = tokens.ACCESS_TOKEN_PREFIX + "".join(rng.choices(tokens.ALPHABET, k=38))
            with pytest.raises(InvalidToken):
                store.access_token.authenticate(made_up)
        print(f"queries for {count} tokens with a wrong checksum: {len(seen)}")
        assert seen == []
        with pytest.raises(InvalidToken):
            store.access_token.authenticate(tokens.generate(tokens.ACCESS_TOKEN_PREFIX, rng))
    assert len(seen) == 1


@pytest.mark.parametrize("text", ["", "gk_", "gk_\x00", "é" * 41, "\ud800", "gk_" + "0" * 8192], ids=ascii)
def test_nothing_typed_raises_anything_else(store: Store, alice: Person, text: str) -> None:
    with pytest.raises(InvalidToken):
        store.access_token.authenticate(text)


def test_its_use_is_noted_at_most_once_a_minute(store: Store, alice: Person, clock: StillClock) -> None:
    made = store.access_token.generate(alice.token).token
    calls = 180
    with statements(store) as seen:
        for _ in range(calls):
            store.access_token.authenticate(made)
            clock.advance(seconds=1)
    writes = [statement for statement in seen if statement.startswith("UPDATE")]
    print(f"writes for {calls} calls within three minutes: {len(writes)}")
    assert len(writes) == 3
    prove(store, alice.token)
    status = store.access_token.status(alice.token)
    assert status is not None
    assert status.last_used_at is not None
    assert (status.last_used_at - START).total_seconds() == 120
