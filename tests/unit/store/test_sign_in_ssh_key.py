"""Sign-in with an SSH key: whose console it opens, and for how long."""

import pytest

from store.errors import AccountSuspended, SessionEnded, SignInExpired, TooManyAttempts, WrongCredentials
from store.store import Store
from store.throttle import ATTEMPTS_PER_SOURCE
from store.values.sign_in import SecondFactorNeeded, SignedIn
from tests.harness.people import Person, code_at, contents, enrol, session_of, tags
from tests.harness.ssh_keys import fingerprint, public_key
from tests.harness.stores import PASSWORD, StillClock, sign_in

SOURCE = "ssh 203.0.113.7"


def use(store: Store, name: str, number: int = 1, *, source: str = SOURCE) -> SignedIn | SecondFactorNeeded:
    return store.sign_in.with_ssh_key(fingerprint(number), name, source=source, peer="203.0.113.7")


@pytest.mark.parametrize("name", ["alice", "ALICE", "ａlice", "root", "", "nobody\x1b[2J", "x" * 10_000])
def test_a_key_opens_its_own_account(store: Store, alice: Person, clock: StillClock, name: str) -> None:
    """Under the account's name, and under any that is no account: a client sends its system user without another."""
    store.ssh_keys.add(alice.token, public_key(), "laptop")
    clock.advance(minutes=1)
    answer = use(store, name)
    assert isinstance(answer, SignedIn)
    assert (answer.name, answer.required_length) == ("alice", 0)
    (own, _) = store.sessions.list(answer.token)
    assert (own.method, own.source) == ("SSH key", SOURCE)
    (key,) = store.ssh_keys.list(answer.token)
    assert (key.last_used_at, key.last_used_from) == (clock.now(), SOURCE)
    with store.database.read() as tx:
        signed_in, accepted = store.audit.page(tx, alice.id)[:2]
    assert (signed_in.tag, dict(signed_in.detail)) == ("sign-in:succeeded", {"method": "SSH key"})
    assert (accepted.tag, accepted.source) == ("ssh-key:used", SOURCE)
    assert dict(accepted.detail) == {"name": "laptop", "fingerprint": fingerprint()}


def test_a_key_does_not_fit_another_account(store: Store, alice: Person, bob: Person) -> None:
    store.ssh_keys.add(alice.token, public_key(), "laptop")
    for number in (1, 2):
        with pytest.raises(WrongCredentials, match="does not open this account"):
            use(store, "bob", number)
    with pytest.raises(WrongCredentials):
        use(store, "nobody", 2)
    assert tags(store, alice.id)[-1] == "ssh-key:added"
    with store.database.read() as tx:
        newest, before = store.audit.page(tx, bob.id)[:2]
    for event, number in ((before, 1), (newest, 2)):
        assert (event.tag, event.actor, event.source) == ("sign-in:failed", "bob", SOURCE)
        assert dict(event.detail) == {"reason": "SSH key of no use here", "fingerprint": fingerprint(number)}


def test_a_key_of_two_accounts_opens_the_one_that_is_named(store: Store, alice: Person, bob: Person) -> None:
    for person in (alice, bob):
        store.ssh_keys.add(person.token, public_key(), "laptop")
    for name in ("alice", "bob"):
        answer = use(store, name)
        assert isinstance(answer, SignedIn)
        assert answer.name == name
    with pytest.raises(WrongCredentials, match="Name the account: ssh NAME@HOST"):
        use(store, "root")


def test_the_second_factor_is_asked_for(store: Store, alice: Person, clock: StillClock) -> None:
    store.ssh_keys.add(alice.token, public_key(), "laptop")
    enrolment = enrol(store, clock, alice.token)
    answer = use(store, "alice")
    assert isinstance(answer, SecondFactorNeeded)
    assert answer.name == "alice"
    assert tags(store, alice.id)[-1] == "ssh-key:used", "an accepted key without a code is in the log"
    signed_in = store.sign_in.with_code(answer.ticket, code_at(enrolment.secret, clock))
    (own, _) = store.sessions.list(signed_in.token)
    assert (own.method, own.source) == ("SSH key and authenticator code", SOURCE)


def test_a_removed_key_ends_its_sessions_and_the_sign_ins_that_wait_for_a_code(
    store: Store, alice: Person, clock: StillClock
) -> None:
    key_id = store.ssh_keys.add(alice.token, public_key(), "laptop").id
    opened = session_of(use(store, "alice"))
    store.ssh_keys.remove(alice.token, key_id)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(opened)
    with pytest.raises(WrongCredentials):
        use(store, "alice")
    key_id = store.ssh_keys.add(alice.token, public_key(), "laptop").id
    enrolment = enrol(store, clock, alice.token)
    waiting = use(store, "alice")
    assert isinstance(waiting, SecondFactorNeeded)
    store.ssh_keys.remove(alice.token, key_id)
    with pytest.raises(SignInExpired):
        store.sign_in.with_code(waiting.ticket, code_at(enrolment.secret, clock))


def test_a_key_that_is_removed_between_the_two_steps_is_refused(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is found first and claimed in the transaction of the sign-in: only the claim decides."""
    key_id = store.ssh_keys.add(alice.token, public_key(), "laptop").id
    uses = store.sign_in._ssh_keys
    find = uses.find

    def find_then_remove(fingerprint: str, name: str, *, source: str) -> object:
        found = find(fingerprint, name, source=source)
        store.ssh_keys.remove(alice.token, key_id)
        return found

    monkeypatch.setattr(uses, "find", find_then_remove)
    with pytest.raises(WrongCredentials, match="does not open this account"):
        use(store, "alice")
    assert [one.method for one in store.sessions.list(alice.token)] == ["password"]


def test_an_administrators_removal_ends_a_session_of_the_key(store: Store, alice: Person) -> None:
    key_id = store.ssh_keys.add_for("alice", public_key(), "laptop", actor="unix:root").id
    opened = session_of(use(store, "alice"))
    store.ssh_keys.remove_for("alice", key_id, actor="unix:root")
    with pytest.raises(SessionEnded):
        store.sessions.whoami(opened)


def test_the_session_that_removes_its_own_key_stays(store: Store, alice: Person) -> None:
    key_id = store.ssh_keys.add(alice.token, public_key(), "laptop").id
    opened = session_of(use(store, "alice"))
    store.ssh_keys.remove(opened, key_id)
    assert store.ssh_keys.list(opened) == ()
    with pytest.raises(SessionEnded):
        store.sessions.whoami(alice.token)


def test_wrong_keys_are_throttled_by_their_source_and_lock_no_account(store: Store, alice: Person) -> None:
    store.ssh_keys.add(alice.token, public_key(), "laptop")
    for _ in range(ATTEMPTS_PER_SOURCE):
        with pytest.raises(WrongCredentials):
            use(store, "alice", 2)
    before = contents(store)
    with pytest.raises(TooManyAttempts):
        use(store, "alice")
    assert contents(store)["audit_events"] == before["audit_events"]
    answer = store.sign_in.with_ssh_key(fingerprint(), "alice", source=SOURCE, peer="198.51.100.1")
    assert isinstance(answer, SignedIn)
    store.sign_in.with_password("alice", PASSWORD, source="pts/9")


def test_a_right_key_is_not_counted(store: Store, alice: Person) -> None:
    store.ssh_keys.add(alice.token, public_key(), "laptop")
    for _ in range(ATTEMPTS_PER_SOURCE + 5):
        assert isinstance(use(store, "alice"), SignedIn)


def test_a_suspended_account_stays_shut_and_its_key_opens_it_again_afterwards(store: Store, alice: Person) -> None:
    store.ssh_keys.add(alice.token, public_key(), "laptop")
    store.suspension.suspend("alice", actor="unix:root")
    for name in ("alice", "root"):
        with pytest.raises(AccountSuspended):
            use(store, name)
    assert store.ssh_keys.list_of("alice")[0].last_used_at is None
    store.suspension.resume("alice", actor="unix:root")
    assert isinstance(use(store, "alice"), SignedIn)


def test_a_new_password_of_an_administrator_leaves_the_keys(store: Store, alice: Person) -> None:
    """As passkeys: whoever resets a password because an account was taken over removes the keys as well."""
    store.ssh_keys.add(alice.token, public_key(), "laptop")
    opened = session_of(use(store, "alice"))
    store.passwords.reset("alice", "wholly different horse battery", actor="unix:root")
    with pytest.raises(SessionEnded):
        store.sessions.whoami(opened)
    assert isinstance(use(store, "alice"), SignedIn)


def test_the_key_of_a_deleted_account_opens_nothing(store: Store, alice: Person) -> None:
    store.ssh_keys.add(alice.token, public_key(), "laptop")
    store.deletion.delete(alice.token, "alice")
    assert not store.ssh_keys.is_registered(fingerprint())
    with pytest.raises(WrongCredentials):
        use(store, "alice")


def test_the_log_tells_where_a_key_was_refused_without_a_terminals_orders(store: Store, alice: Person) -> None:
    with pytest.raises(WrongCredentials):
        store.sign_in.with_ssh_key("SHA256:\x1b]0;x\x07", "alice", source="ssh \x1b[2J")
    assert sign_in(store)
    with store.database.read() as tx:
        failed = store.audit.page(tx, alice.id)[1]
    assert "\x1b" not in failed.source + str(dict(failed.detail))
