"""SSH keys: kept under distinct names, guarded as passkeys are, and no way in by themselves."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from store.errors import (
    AlreadyBound,
    FreshProofRequired,
    GatekeyError,
    InvalidLabel,
    InvalidSshKey,
    LastCredential,
    LimitReached,
    NoSuchAccount,
    NoSuchItem,
    SessionEnded,
)
from store.models import Account
from store.ssh_keys import MAX_SSH_KEYS
from store.store import Store
from store.values.ssh_keys import SshKeyInfo
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
from tests.harness.ssh_keys import fingerprint, public_key
from tests.harness.stores import StillClock, add_account, sign_in

ADMIN = "unix:root"


def test_a_key_is_kept(store: Store, alice: Person, clock: StillClock) -> None:
    configure_mail(store)
    other = sign_in(store)
    assert not store.ssh_keys.is_registered(fingerprint(7))
    added = store.ssh_keys.add(alice.token, public_key(7, "alice@laptop"), " My laptop ")
    assert added == SshKeyInfo(added.id, "My laptop", "ssh-ed25519", fingerprint(7), clock.now(), None, "")
    assert store.ssh_keys.list(alice.token) == (added,) == store.ssh_keys.list_of("ALICE")
    assert store.ssh_keys.is_registered(fingerprint(7))
    assert not store.ssh_keys.is_registered(fingerprint(8))
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)
    with store.database.read() as tx:
        newest = store.audit.page(tx, alice.id)[0]
    assert (newest.tag, newest.actor, dict(newest.detail)) == (
        "ssh-key:added",
        "alice",
        {"name": "My laptop", "fingerprint": fingerprint(7)},
    )
    assert [job.kind for job in queued(store)] == ["ssh-key:added"]


@pytest.mark.parametrize(
    ("comment", "name"),
    [("alice@laptop", "alice@laptop"), ("a " * 60, ("a " * 32).strip()), ("  two words ", "two words")],
)
def test_a_key_without_a_name_is_called_by_its_comment(store: Store, alice: Person, comment: str, name: str) -> None:
    assert store.ssh_keys.add(alice.token, public_key(1, comment), "").name == name


@in_memory
@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "two\nlines", "rtl\u202e", "zero\u200bwidth"], ids=ascii)
def test_a_bad_name_is_refused_everywhere(store: Store, alice: Person, name: str) -> None:
    key_id = store.ssh_keys.add(alice.token, public_key(), "key").id
    before = contents(store)
    acts: tuple[Callable[[], object], ...] = (
        lambda: store.ssh_keys.add(alice.token, public_key(2), name),
        lambda: store.ssh_keys.add(alice.token, public_key(2, "bad\u202ecomment"), name),
        lambda: store.ssh_keys.rename(alice.token, key_id, name),
        lambda: store.ssh_keys.add_for("alice", public_key(2), name, actor=ADMIN),
    )
    for act in acts:
        with pytest.raises(InvalidLabel) as caught:
            act()
        assert caught.value.field == "ssh-key-name"
    assert contents(store) == before


def test_a_name_is_one_keys_alone(store: Store, alice: Person, bob: Person) -> None:
    store.ssh_keys.add(alice.token, public_key(1), "Phone")
    second = store.ssh_keys.add(alice.token, public_key(2), "Laptop").id
    assert_each_refused(
        InvalidLabel,
        lambda: store.ssh_keys.add(alice.token, public_key(3), "PHONE"),
        lambda: store.ssh_keys.rename(alice.token, second, "ｐhone"),
        lambda: store.ssh_keys.add_for("alice", public_key(3), "phone", actor=ADMIN),
        match="Another SSH key has this name",
    )
    store.ssh_keys.rename(alice.token, second, "LAPTOP")
    store.ssh_keys.add(bob.token, public_key(3), "Phone")
    assert [one.name for one in store.ssh_keys.list(alice.token)] == ["Phone", "LAPTOP"]
    assert tags(store, alice.id)[-1] == "ssh-key:renamed"


def test_a_key_is_added_once_to_an_account_and_also_to_another(store: Store, alice: Person, bob: Person) -> None:
    """A public key is known to many. Whoever adds somebody's key first does not keep its owner from adding it."""
    store.ssh_keys.add(bob.token, public_key(1, "copied from a web page"), "not mine")
    store.ssh_keys.add(alice.token, public_key(1), "laptop")
    before = contents(store)
    with pytest.raises(AlreadyBound, match="added before") as caught:
        store.ssh_keys.add(alice.token, public_key(1, "again"), "again")
    assert caught.value.field == "ssh-key"
    with pytest.raises(AlreadyBound):
        store.ssh_keys.add_for("alice", public_key(1), "again", actor=ADMIN)
    assert contents(store) == before


@in_memory
def test_twenty_are_enough(store: Store, alice: Person) -> None:
    for number in range(1, MAX_SSH_KEYS + 1):
        store.ssh_keys.add(alice.token, public_key(number), f"key {number}")
    with pytest.raises(LimitReached, match="at most 20"):
        store.ssh_keys.add(alice.token, public_key(99), "one more")
    with pytest.raises(LimitReached):
        store.ssh_keys.add_for("alice", public_key(99), "one more", actor=ADMIN)
    assert len(store.ssh_keys.list(alice.token)) == MAX_SSH_KEYS


def test_what_is_no_public_key_changes_nothing(store: Store, alice: Person) -> None:
    before = contents(store)
    with pytest.raises(InvalidSshKey):
        store.ssh_keys.add(alice.token, "-----BEGIN OPENSSH PRIVATE KEY-----", "key")
    with pytest.raises(InvalidSshKey):
        store.ssh_keys.add_for("alice", "ssh-dss AAAA", "key", actor=ADMIN)
    assert contents(store) == before


def test_every_change_needs_a_fresh_proof(store: Store, alice: Person, clock: StillClock) -> None:
    key_id = store.ssh_keys.add(alice.token, public_key(), "key").id
    clock.advance(minutes=5)
    before = contents(store)
    assert_each_refused(
        FreshProofRequired,
        lambda: store.ssh_keys.add(alice.token, public_key(2), "two"),
        lambda: store.ssh_keys.rename(alice.token, key_id, "other"),
        lambda: store.ssh_keys.remove(alice.token, key_id),
    )
    assert contents(store) == before


def test_a_removed_key_is_gone_and_the_other_sessions_with_it(store: Store, alice: Person) -> None:
    configure_mail(store)
    key_id = store.ssh_keys.add(alice.token, public_key(), "key").id
    other = sign_in(store)
    store.ssh_keys.remove(alice.token, key_id)
    assert not store.ssh_keys.is_registered(fingerprint())
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)
    assert_each_refused(
        NoSuchItem,
        lambda: store.ssh_keys.remove(alice.token, key_id),
        lambda: store.ssh_keys.rename(alice.token, key_id, "other"),
        lambda: store.ssh_keys.remove_for("alice", key_id, actor=ADMIN),
        match="removed before",
    )
    assert tags(store, alice.id)[-1] == "ssh-key:removed"
    assert [job.kind for job in queued(store)] == ["ssh-key:added", "ssh-key:removed"]


def test_anothers_key_is_out_of_reach(store: Store, alice: Person, bob: Person) -> None:
    key_id = store.ssh_keys.add(alice.token, public_key(), "key").id
    assert_each_refused(
        NoSuchItem,
        lambda: store.ssh_keys.remove(bob.token, key_id),
        lambda: store.ssh_keys.rename(bob.token, key_id, "mine"),
        lambda: store.ssh_keys.remove_for("bob", key_id, actor=ADMIN),
    )
    assert store.ssh_keys.list(bob.token) == ()
    assert [one.name for one in store.ssh_keys.list(alice.token)] == ["key"]


def test_an_administrator_adds_a_key_and_removes_it(store: Store, alice: Person) -> None:
    configure_mail(store)
    added = store.ssh_keys.add_for("Alice", public_key(3, "alice@laptop"), "", actor=ADMIN)
    assert store.ssh_keys.list(alice.token) == (added,), "an added key ends no session"
    store.ssh_keys.remove_for("Alice", added.id, actor=ADMIN)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(alice.token)
    assert store.ssh_keys.list_of("alice") == ()
    with store.database.read() as tx:
        removed, before = store.audit.page(tx, alice.id)[:2]
    assert [(one.tag, one.actor, one.source) for one in (before, removed)] == [
        ("ssh-key:added", ADMIN, "command line"),
        ("ssh-key:removed", ADMIN, "command line"),
    ]
    assert [job.kind for job in queued(store)] == ["ssh-key:added", "ssh-key:removed"]
    assert_each_refused(
        NoSuchAccount,
        lambda: store.ssh_keys.list_of("nobody"),
        lambda: store.ssh_keys.add_for("nobody", public_key(), "key", actor=ADMIN),
        lambda: store.ssh_keys.remove_for("nobody", added.id, actor=ADMIN),
    )


def test_a_key_is_no_credential_that_keeps_an_account_open(store: Store) -> None:
    """It opens `gatekey ssh` alone: it goes without a question, and the last passkey stays in spite of it."""
    allow_passkeys(store)
    account = add_account(store)
    token = sign_in(store)
    passkey_id = store.passkeys.add(token, "key", credential())
    key_id = store.ssh_keys.add(token, public_key(), "laptop").id
    with store.database.write() as tx:
        tx.execute(update(Account).where(Account.c.id == account.id).values(password_hash=None))
    with pytest.raises(LastCredential):
        store.passkeys.remove(token, passkey_id)
    store.ssh_keys.remove(token, key_id)
    assert store.ssh_keys.list(token) == ()


def test_a_failure_in_between_rolls_everything_back(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id = store.ssh_keys.add(alice.token, public_key(), "key").id
    before = contents(store)
    monkeypatch.setattr(type(store.audit), "record", fail_between)
    assert_each_refused(
        GatekeyError,
        lambda: store.ssh_keys.add(alice.token, public_key(2), "two"),
        lambda: store.ssh_keys.rename(alice.token, key_id, "other"),
        lambda: store.ssh_keys.remove(alice.token, key_id),
        lambda: store.sign_in.with_ssh_key(fingerprint(), "alice", source="ssh 203.0.113.7"),
    )
    rates = ("rate_windows",)
    now = contents(store)
    assert {name: rows for name, rows in now.items() if name not in rates} == {
        name: rows for name, rows in before.items() if name not in rates
    }
