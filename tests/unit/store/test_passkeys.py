"""Passkey records: kept under distinct labels, guarded, and refused once they may have been copied."""

import pytest

from store.errors import (
    AlreadyBound,
    GatekeyError,
    InvalidLabel,
    LastCredential,
    LimitReached,
    NoSuchItem,
    PasskeyRefused,
    PasskeysDisabled,
    SessionEnded,
)
from store.passkeys import MAX_PASSKEYS, StoredCredential
from store.store import Store
from tests.harness.fixtures import in_memory
from tests.harness.people import (
    Person,
    allow_passkeys,
    assert_each_refused,
    configure_mail,
    contents,
    credential,
    fail_between,
    queued,
    tags,
)
from tests.harness.stores import StillClock, add_account, sign_in


@pytest.fixture(autouse=True)
def passkeys_on(store: Store) -> None:
    allow_passkeys(store)


def test_a_passkey_is_kept(store: Store, alice: Person, clock: StillClock) -> None:
    configure_mail(store)
    other = sign_in(store)
    passkey_id = store.passkeys.add(alice.token, " My phone ", credential(7, sign_count=3))
    (listed,) = store.passkeys.list(alice.token)
    assert (listed.id, listed.label, listed.backed_up) == (passkey_id, "My phone", True)
    assert (listed.created_at, listed.last_used_at, listed.flagged_at) == (clock.now(), None, None)
    found = store.passkeys.find(b"credential-7")
    assert found == StoredCredential(passkey_id, alice.id, b"credential-7", b"key-7", 3, found.user_handle)
    assert len(found.user_handle) == 64
    assert "key-7" not in repr(found)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)
    assert tags(store, alice.id)[-1] == "passkey:added"
    assert [job.kind for job in queued(store)] == ["passkey:added"]


@in_memory
@pytest.mark.parametrize(
    "label", ["", "  ", "x" * 65, "two\nlines", "rtl\u202e", "zero\u200bwidth", "\ud800"], ids=ascii
)
def test_a_bad_label_is_refused_everywhere(store: Store, alice: Person, label: str) -> None:
    passkey_id = store.passkeys.add(alice.token, "key", credential())
    before = contents(store)
    for act in (
        lambda: store.passkeys.add(alice.token, label, credential(2)),
        lambda: store.passkeys.rename(alice.token, passkey_id, label),
        lambda: store.ceremonies.begin_registration(alice.token, label),
    ):
        with pytest.raises(InvalidLabel) as caught:
            act()
        assert caught.value.field == "passkey-label"
    assert contents(store) == before


def test_a_label_is_one_passkeys_alone(store: Store, alice: Person, bob: Person) -> None:
    store.passkeys.add(alice.token, "Phone", credential(1))
    second = store.passkeys.add(alice.token, "Laptop", credential(2))
    assert_each_refused(
        InvalidLabel,
        lambda: store.passkeys.add(alice.token, "PHONE", credential(3)),
        lambda: store.passkeys.rename(alice.token, second, "phone"),
        lambda: store.ceremonies.begin_registration(alice.token, "ｐhone"),
        match="Another passkey has this label",
    )
    store.passkeys.rename(alice.token, second, "LAPTOP")
    store.passkeys.add(bob.token, "Phone", credential(3))
    assert [one.label for one in store.passkeys.list(alice.token)] == ["Phone", "LAPTOP"]
    assert tags(store, alice.id).count("passkey:renamed") == 1


def test_a_credential_belongs_to_one_account(store: Store, alice: Person, bob: Person) -> None:
    store.passkeys.add(alice.token, "key", credential())
    before = contents(store)
    for person in (alice, bob):
        with pytest.raises(AlreadyBound, match="registered already"):
            store.passkeys.add(person.token, "again", credential())
    assert contents(store) == before


def test_ten_are_enough(store: Store, alice: Person) -> None:
    for number in range(MAX_PASSKEYS):
        store.passkeys.add(alice.token, f"key {number}", credential(number))
    with pytest.raises(LimitReached, match="at most 10"):
        store.passkeys.add(alice.token, "one more", credential(99))
    with pytest.raises(LimitReached):
        store.ceremonies.begin_registration(alice.token, "one more")
    assert len(store.passkeys.list(alice.token)) == MAX_PASSKEYS


def test_a_removed_passkey_is_refused(store: Store, alice: Person) -> None:
    configure_mail(store)
    passkey_id = store.passkeys.add(alice.token, "key", credential())
    other = sign_in(store)
    store.passkeys.remove(alice.token, passkey_id)
    with pytest.raises(PasskeyRefused):
        store.passkeys.find(b"credential-1")
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)
    assert_each_refused(
        NoSuchItem,
        lambda: store.passkeys.remove(alice.token, passkey_id),
        lambda: store.passkeys.rename(alice.token, passkey_id, "other"),
        match="removed before",
    )
    assert tags(store, alice.id)[-1] == "passkey:removed"
    assert [job.kind for job in queued(store)] == ["passkey:added", "passkey:removed"]


def test_anothers_passkey_is_out_of_reach(store: Store, alice: Person, bob: Person) -> None:
    passkey_id = store.passkeys.add(alice.token, "key", credential())
    assert_each_refused(
        NoSuchItem,
        lambda: store.passkeys.remove(bob.token, passkey_id),
        lambda: store.passkeys.rename(bob.token, passkey_id, "mine"),
    )
    assert store.passkeys.list(bob.token) == []
    assert [one.label for one in store.passkeys.list(alice.token)] == ["key"]


def without_password(store: Store) -> str:
    """A session of an account that has two passkeys and nothing else."""
    account = add_account(store)
    token = sign_in(store)
    for number in (1, 2):
        store.passkeys.add(token, f"key {number}", credential(number))
    with store.database.write() as tx:
        tx.exec_driver_sql(f"UPDATE accounts SET password_hash = NULL WHERE id = {account.id}")  # noqa: S608
    return token


def test_the_last_way_in_stays(store: Store) -> None:
    token = without_password(store)
    first, second = (one.id for one in store.passkeys.list(token))
    store.passkeys.remove(token, first)
    before = contents(store)
    with pytest.raises(LastCredential):
        store.passkeys.remove(token, second)
    assert contents(store) == before


def test_a_flagged_passkey_is_no_way_in(store: Store) -> None:
    token = without_password(store)
    store.passkeys.flag(store.passkeys.find(b"credential-1"))
    with pytest.raises(LastCredential):
        store.passkeys.remove(token, store.passkeys.list(token)[1].id)
    store.passkeys.remove(token, store.passkeys.list(token)[0].id)


def test_a_flagged_passkey_is_refused_and_told(store: Store, alice: Person, clock: StillClock) -> None:
    configure_mail(store)
    store.passkeys.add(alice.token, "key", credential())
    found = store.passkeys.find(b"credential-1")
    store.passkeys.flag(found)
    store.passkeys.flag(found)
    with pytest.raises(PasskeyRefused):
        store.passkeys.find(b"credential-1")
    assert store.passkeys.list(alice.token)[0].flagged_at == clock.now()
    assert tags(store, alice.id).count("passkey:cloned") == 1
    assert [job.kind for job in queued(store)] == ["passkey:added", "passkey:cloned"]


def test_an_unknown_credential_is_refused(store: Store) -> None:
    with pytest.raises(PasskeyRefused):
        store.passkeys.find(b"unknown")


def test_switched_off_every_door_is_shut(store: Store, alice: Person) -> None:
    passkey_id = store.passkeys.add(alice.token, "key", credential())
    started = store.ceremonies.begin_sign_in(source="pts/0")
    store.site.set("passkeys.enabled", "false")
    assert not store.passkeys.is_enabled()
    before = contents(store)
    assert_each_refused(
        PasskeysDisabled,
        lambda: store.passkeys.add(alice.token, "two", credential(2)),
        lambda: store.ceremonies.begin_registration(alice.token, "two"),
        lambda: store.ceremonies.begin_proof(alice.token),
        lambda: store.ceremonies.begin_sign_in(source="pts/0"),
        lambda: store.passkey_verification.look_up(started.code),
        lambda: store.passkey_verification.claim(started.code),
        lambda: store.ceremonies.collect_sign_in(started.ticket, source="pts/0"),
        match=r"^Administrator has not enabled Passkey login$",
    )
    assert contents(store) == before
    assert [one.id for one in store.passkeys.list(alice.token)] == [passkey_id]
    store.passkeys.remove(alice.token, passkey_id)


def test_switched_off_a_passkey_is_no_way_in(store: Store) -> None:
    token = without_password(store)
    store.site.set("passkeys.enabled", "false")
    with pytest.raises(LastCredential):
        store.passkeys.remove(token, store.passkeys.list(token)[0].id)


def test_a_failure_in_between_rolls_everything_back(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(store)
    monkeypatch.setattr(type(store.audit), "record", fail_between)
    with pytest.raises(GatekeyError):
        store.passkeys.add(alice.token, "key", credential())
    assert contents(store) == before
