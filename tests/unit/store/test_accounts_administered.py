"""Acts of an administrator on an account: its keys, second factor, address, and the account itself."""

import pytest

from store.accounts import Role
from store.errors import (
    InvalidApiKey,
    InvalidEmail,
    InvalidToken,
    LastAdministrator,
    NoSuchAccount,
    NotEnabled,
    RootAccount,
    SessionEnded,
)
from store.models import TwoFactorSetup
from store.store import Store
from store.throttle import Factor
from tests.harness.people import Person, configure_mail, contents, enrol, queued
from tests.harness.stores import StillClock, add_account, sign_in

ADMIN = "unix:root SUDO_USER:carol"


def newest(store: Store, person: Person) -> tuple[str, str, dict[str, object]]:
    with store.database.read() as tx:
        event = store.audit.page(tx, person.id)[0]
    return event.tag, event.actor, dict(event.detail)


def test_every_key_and_the_token_are_revoked_at_once(store: Store, alice: Person, bob: Person) -> None:
    configure_mail(store)
    keys = [store.api_keys.create(alice.token, f"key {number}").key for number in range(3)]
    gone = store.api_keys.create(alice.token, "gone before")
    store.api_keys.revoke(alice.token, gone.info.id)
    token = store.access_token.generate(alice.token).token
    others = store.api_keys.create(bob.token, "other").key
    queued(store)
    revoked = store.keys.revoke_all("ALICE", actor=ADMIN)
    assert (revoked.api_keys, revoked.access_token) == (3, True)
    for key in keys:
        with pytest.raises(InvalidApiKey):
            store.api_keys.authenticate(key)
    with pytest.raises(InvalidToken):
        store.access_token.authenticate(token)
    assert store.api_keys.authenticate(others).account_name == "bob"
    assert store.sessions.whoami(alice.token).name == "alice"
    assert newest(store, alice) == ("keys:revoked", ADMIN, {"api_keys": 3, "access_token": True})
    assert [job.kind for job in queued(store)] == ["keys:revoked"]


def test_where_there_was_no_key_nobody_is_told(store: Store, alice: Person) -> None:
    configure_mail(store)
    revoked = store.keys.revoke_all("alice", actor=ADMIN)
    assert (revoked.api_keys, revoked.access_token) == (0, False)
    assert newest(store, alice) == ("keys:revoked", ADMIN, {"api_keys": 0, "access_token": False})
    assert queued(store) == []


def test_a_second_factor_is_switched_off_with_all_that_belongs_to_it(
    store: Store, alice: Person, clock: StillClock
) -> None:
    configure_mail(store)
    enrol(store, clock, alice.token)
    for _ in range(5):
        store.throttles.reserve(Factor.SECOND, "alice")
    queued(store)
    store.two_factor.reset("alice", actor=ADMIN)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(alice.token)
    again = sign_in(store)
    assert not store.two_factor.status(again).is_enabled
    assert contents(store)["backup_codes"] == contents(store)[TwoFactorSetup.name] == []
    with store.database.read() as tx:
        assert store.throttles.failures(tx, Factor.SECOND, "alice") == 0
        tags = [event.tag for event in store.audit.page(tx, alice.id)]
    assert tags[:2] == ["sign-in:succeeded", "two-factor:reset"]
    assert [job.kind for job in queued(store)] == ["two-factor:reset"]
    enrol(store, clock, again)
    with pytest.raises(NoSuchAccount):
        store.two_factor.reset("nobody", actor=ADMIN)


def test_where_there_is_no_second_factor_that_is_said(store: Store, alice: Person) -> None:
    with pytest.raises(NotEnabled):
        store.two_factor.reset("alice", actor=ADMIN)
    assert store.sessions.whoami(alice.token).name == "alice"


def test_both_addresses_hear_of_a_new_one(store: Store, alice: Person) -> None:
    configure_mail(store)
    assert store.accounts.set_email("alice", "new@example.com", actor=ADMIN) == "alice@example.com"
    assert store.accounts.find("alice").email == "new@example.com"
    assert newest(store, alice) == ("account:email-changed", ADMIN, {})
    jobs = queued(store)
    assert [(job.kind, job.recipient) for job in jobs] == [
        ("account:email-changed", None),
        ("account:email-changed", "alice@example.com"),
    ]
    assert len({job.message_id for job in jobs}) == 2
    before = contents(store)
    for name, email, error in (("alice", "nowhere", InvalidEmail), ("nobody", "a@example.com", NoSuchAccount)):
        with pytest.raises(error):
            store.accounts.set_email(name, email, actor=ADMIN)
    assert contents(store) == before


def test_an_account_that_had_no_address_is_told_at_the_new_one(store: Store) -> None:
    configure_mail(store)
    add_account(store, email="")
    store.accounts.set_email("alice", "new@example.com", actor=ADMIN)
    assert [job.recipient for job in queued(store)] == [None]


def test_a_deleted_account_leaves_who_deleted_it(store: Store, alice: Person) -> None:
    configure_mail(store)
    deleted = store.deletion.delete_by_name("Alice", actor=ADMIN)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(alice.token)
    with pytest.raises(NoSuchAccount):
        store.accounts.find("alice")
    with store.database.read() as tx:
        event = store.audit.site_page(tx)[0]
        assert store.audit.verify_all(tx).is_intact
    assert (event.tag, event.actor, event.source) == ("account:deleted", ADMIN, "command line")
    assert event.detail["tombstone"] == deleted.tombstone
    assert [job.recipient for job in queued(store)] == ["alice@example.com"]


def test_root_and_the_last_administrator_stay(store: Store) -> None:
    add_account(store, "root", role=Role.ROOT)
    add_account(store, "admin", role=Role.ADMIN)
    with pytest.raises(RootAccount, match="another role first"):
        store.deletion.delete_by_name("root", actor=ADMIN)
    store.accounts.set_role("root", Role.USER, actor=ADMIN)
    with pytest.raises(LastAdministrator):
        store.deletion.delete_by_name("admin", actor=ADMIN)
    store.deletion.delete_by_name("root", actor=ADMIN)
    with pytest.raises(NoSuchAccount):
        store.deletion.delete_by_name("root", actor=ADMIN)
