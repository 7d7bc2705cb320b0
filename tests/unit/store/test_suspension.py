"""A suspended account: nobody gets in, what is in ends at its next call, and only its owner learns why."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from store.accounts import Role
from store.errors import (
    AccountSuspended,
    AlreadySuspended,
    GatekeyError,
    LastAdministrator,
    NoSuchAccount,
    NotSuspended,
    SessionEnded,
    SessionSuspended,
    SignInExpired,
    WrongCredentials,
)
from store.models import Session
from store.store import Store
from store.throttle import Factor
from tests.harness.people import (
    Person,
    allow_bindings,
    allow_passkeys,
    code_at,
    configure_mail,
    credential,
    enrol,
    queued,
    tags,
    ticket_for,
)
from tests.harness.ssh_keys import fingerprint, public_key
from tests.harness.stores import PASSWORD, SOURCE, StillClock, add_account, sign_in

ADMIN = "unix:root SUDO_USER:carol"


def suspend(store: Store, name: str = "alice") -> None:
    store.suspension.suspend(name, actor=ADMIN)


def test_every_way_in_is_closed_at_the_next_call(store: Store, alice: Person) -> None:
    token = store.access_token.generate(alice.token).token
    key = store.api_keys.create(alice.token, "laptop").key
    locked = sign_in(store, source="pts/2")
    store.sessions.lock(locked)
    suspend(store, "ALICE")
    for refused in (
        lambda: store.sessions.whoami(alice.token),
        lambda: store.two_factor.begin(alice.token),
        lambda: store.sign_in.prove_with_password(locked, PASSWORD),
    ):
        with pytest.raises(SessionSuspended, match="An administrator suspended this account"):
            refused()
    for use in (lambda: store.access_token.authenticate(token), lambda: store.api_keys.authenticate(key)):
        with pytest.raises(AccountSuspended, match=r"^This account is suspended\. Ask the administrator\.$"):
            use()


def with_password(store: Store) -> object:
    return store.sign_in.with_password("alice", PASSWORD, source=SOURCE)


def with_passkey(store: Store) -> object:
    started = store.ceremonies.begin_sign_in(source=SOURCE)
    ceremony = store.passkey_verification.claim(started.code)
    store.passkey_verification.finish_assertion(ceremony, store.passkeys.find(b"credential-1"), 0)
    return store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)


def with_identity(store: Store) -> object:
    return store.bindings.sign_in("github", "4711", source=SOURCE)


def with_ssh_key(store: Store) -> object:
    return store.sign_in.with_ssh_key(fingerprint(), "alice", source=SOURCE)


def add_ways_in(store: Store, alice: Person) -> None:
    """A passkey, an SSH key and an identity."""
    allow_passkeys(store)
    allow_bindings(store)
    store.passkeys.add(alice.token, "key", credential())
    store.ssh_keys.add(alice.token, public_key(), "laptop")
    store.bindings.bind(alice.token, "github", "4711", "alice")


@pytest.mark.parametrize("path", [with_password, with_passkey, with_ssh_key, with_identity])
def test_who_proves_to_be_the_owner_is_told_and_it_is_written(
    store: Store, alice: Person, path: Callable[[Store], object]
) -> None:
    add_ways_in(store, alice)
    suspend(store)
    with pytest.raises(AccountSuspended):
        path(store)
    with store.database.read() as tx:
        newest = store.audit.page(tx, alice.id)[0]
    assert (newest.tag, dict(newest.detail)) == ("sign-in:failed", {"reason": "account suspended"})


def test_who_does_not_know_the_password_is_told_nothing(store: Store, alice: Person) -> None:
    suspend(store)
    sentences = set()
    for name in ("alice", "nobody"):
        with pytest.raises(GatekeyError) as caught:
            store.sign_in.with_password(name, "wrong", source=SOURCE)
        sentences.add((type(caught.value), str(caught.value), caught.value.field))
    assert sentences == {(WrongCredentials, "Wrong username or password.", "password")}


def test_the_right_password_of_a_suspended_account_locks_nobody_out(store: Store, alice: Person) -> None:
    suspend(store)
    for number in range(8):
        with pytest.raises(AccountSuspended):
            store.sign_in.with_password("alice", PASSWORD, source=f"pts/{number}")
    store.suspension.resume("alice", actor=ADMIN)
    sign_in(store, source="pts/9")


@pytest.mark.parametrize("path", [with_passkey, with_ssh_key, with_identity])
def test_another_way_in_does_not_lift_the_lock_of_the_password(
    store: Store, alice: Person, path: Callable[[Store], object]
) -> None:
    add_ways_in(store, alice)
    for _ in range(5):
        store.throttles.reserve(Factor.PASSWORD, "alice")
    suspend(store)
    with pytest.raises(AccountSuspended):
        path(store)
    with store.database.read() as tx:
        assert store.throttles.failures(tx, Factor.PASSWORD, "alice") == 5


def test_a_sign_in_under_way_does_not_finish(store: Store, alice: Person, clock: StillClock) -> None:
    secret = enrol(store, clock, alice.token).secret
    ticket = ticket_for(store)
    suspend(store)
    with pytest.raises(SignInExpired):
        store.sign_in.with_code(ticket, code_at(secret, clock))
    with pytest.raises(AccountSuspended):
        store.sign_in.with_password("alice", PASSWORD, source=SOURCE)


def test_a_proof_under_way_in_a_browser_does_not_finish(store: Store, alice: Person) -> None:
    allow_passkeys(store)
    store.passkeys.add(alice.token, "key", credential())
    started = store.ceremonies.begin_proof(alice.token)
    ceremony = store.passkey_verification.claim(started.code)
    suspend(store)
    with pytest.raises(SignInExpired):
        store.passkey_verification.finish_assertion(ceremony, store.passkeys.find(b"credential-1"), 0)


def test_a_resumed_account_works_and_its_old_sessions_do_not(store: Store, alice: Person) -> None:
    token = store.access_token.generate(alice.token).token
    key = store.api_keys.create(alice.token, "laptop").key
    suspend(store)
    store.suspension.resume("alice", actor=ADMIN)
    with pytest.raises(SessionEnded) as caught:
        store.sessions.whoami(alice.token)
    assert type(caught.value) is SessionEnded
    assert store.access_token.authenticate(token).name == "alice"
    assert store.api_keys.authenticate(key).account_name == "alice"
    again = sign_in(store)
    assert [session.is_current for session in store.sessions.list(again)] == [True]
    with store.database.read() as tx:
        assert len(tx.execute(select(Session.c.id)).all()) == 1


def test_each_is_done_once(store: Store, alice: Person) -> None:
    with pytest.raises(NotSuspended):
        store.suspension.resume("alice", actor=ADMIN)
    suspend(store)
    with pytest.raises(AlreadySuspended):
        suspend(store)
    store.suspension.resume("alice", actor=ADMIN)
    assert tags(store, alice.id)[2:] == ["account:suspended", "account:resumed"]
    for act in (store.suspension.suspend, store.suspension.resume):
        with pytest.raises(NoSuchAccount):
            act("nobody", actor=ADMIN)


def test_who_did_it_is_recorded_and_the_owner_is_told(store: Store, alice: Person) -> None:
    configure_mail(store)
    suspend(store)
    store.suspension.resume("alice", actor=ADMIN)
    with store.database.read() as tx:
        page = store.audit.page(tx, alice.id)[:2]
    assert [(event.tag, event.actor, event.source) for event in page] == [
        ("account:resumed", ADMIN, "command line"),
        ("account:suspended", ADMIN, "command line"),
    ]
    assert [job.kind for job in queued(store)] == ["account:suspended", "account:resumed"]


def test_an_administrator_at_work_stays(store: Store) -> None:
    """One that is suspended administers nothing, and so does not count as another."""
    for name in ("alice", "bob"):
        add_account(store, name, role=Role.ADMIN)
    suspend(store, "bob")
    bob = store.accounts.find("bob")
    assert bob.suspended_at is not None
    token = sign_in(store)
    for refused in (
        lambda: suspend(store, "alice"),
        lambda: store.accounts.set_role("alice", Role.USER, actor=ADMIN),
        lambda: store.deletion.delete(token, "alice"),
        lambda: store.deletion.delete_by_name("alice", actor=ADMIN),
        lambda: store.deletion.refuse_if_protected(token),
    ):
        with pytest.raises(LastAdministrator):
            refused()
    store.suspension.resume("bob", actor=ADMIN)
    suspend(store, "alice")
