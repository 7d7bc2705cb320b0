"""Signing in: the password first, and then the second factor wherever there is one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from store.errors import (
    ClockSkewed,
    CodeAlreadyUsed,
    FactorDisabled,
    GatekeyError,
    NotEnabled,
    SessionEnded,
    SignInExpired,
    TooManyAttempts,
    WrongCode,
    WrongCredentials,
    WrongOriginalPassword,
)
from store.models import Account, PendingSignIn
from store.second_factor import ActiveFactor
from store.sign_in import TICKET_LIFETIME
from store.store import Store
from store.throttle import DISABLED_AFTER_FAILURES, Factor
from store.values.sign_in import SecondFactorNeeded, SignedIn
from tests.harness.people import (
    Person,
    allow_bindings,
    allow_passkeys,
    code_at,
    contents,
    credential,
    enrol,
    session_of,
    tags,
    ticket_for,
)
from tests.harness.stores import PASSWORD, SOURCE, StillClock, add_account, sign_in

# -- the first factor -------------------------------------------------------------------------------------------


def test_a_right_password_opens_a_session(store: Store, clock: StillClock) -> None:
    alice = add_account(store)
    answer = store.sign_in.with_password(" ALICE ", PASSWORD, source="ssh 203.0.113.7")
    token = session_of(answer)
    acting = store.sessions.whoami(token)
    assert (acting.account_id, acting.name, acting.source) == (alice.id, "alice", "ssh 203.0.113.7")
    assert acting.proved_at == clock.now()
    assert tags(store, alice.id) == ["account:created", "sign-in:succeeded"]
    assert token not in repr(answer)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", PASSWORD + " "),
        ("alice", PASSWORD.upper()),
        ("alice", "\ud800"),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("al\x00ice", PASSWORD),
        ("\ud800", PASSWORD),
        ("alice\u200b", PASSWORD),
        ("x" * 10_000, PASSWORD),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_a_wrong_pair_says_nothing_more(store: Store, name: str, password: str) -> None:
    add_account(store)
    with pytest.raises(WrongCredentials, match=r"^Wrong username or password\.$") as caught:
        store.sign_in.with_password(name, password, source=SOURCE)
    assert caught.value.field == "password"


def test_a_failure_is_noted_for_the_account_alone(store: Store, alice: Person) -> None:
    for name in ("alice", "nobody"):
        with pytest.raises(WrongCredentials):
            store.sign_in.with_password(name, "wrong", source=SOURCE)
    assert tags(store, alice.id).count("sign-in:failed") == 1


def test_five_wrong_passwords_lock(store: Store, clock: StillClock) -> None:
    add_account(store)
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            store.sign_in.with_password("alice", "wrong", source=SOURCE)
    with pytest.raises(TooManyAttempts) as caught:
        store.sign_in.with_password("alice", PASSWORD, source=SOURCE)
    clock.time += caught.value.retry_after
    session_of(store.sign_in.with_password("alice", PASSWORD, source=SOURCE))


def test_a_live_session_works_while_the_password_is_locked(store: Store, alice: Person) -> None:
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            store.sign_in.with_password("alice", "wrong", source=SOURCE)
    assert store.sessions.whoami(alice.token).name == "alice"


def test_a_passkey_works_while_the_password_is_locked(store: Store, alice: Person) -> None:
    allow_passkeys(store)
    store.passkeys.add(alice.token, "key", credential())
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            store.sign_in.with_password("alice", "wrong", source=SOURCE)
    session_of(with_passkey(store))


def test_a_disabled_password_says_so(memory_store: Store, clock: StillClock) -> None:
    add_account(memory_store)
    for _ in range(DISABLED_AFTER_FAILURES):
        memory_store.throttles.reserve(Factor.PASSWORD, "alice")
        clock.advance(seconds=900)
    with pytest.raises(FactorDisabled):
        memory_store.sign_in.with_password("alice", PASSWORD, source=SOURCE)
    memory_store.accounts.reset_factors("alice", actor="root")
    session_of(memory_store.sign_in.with_password("alice", PASSWORD, source=SOURCE))


def test_one_source_may_try_ten_times(store: Store) -> None:
    for number in range(10):
        with pytest.raises(WrongCredentials):
            store.sign_in.with_password(f"nobody-{number}", "wrong", source=SOURCE)
    with pytest.raises(TooManyAttempts):
        store.sign_in.with_password("nobody", "wrong", source=SOURCE)


def test_a_success_frees_its_source(store: Store) -> None:
    add_account(store)
    for _ in range(25):
        sign_in(store)


def test_a_password_changed_meanwhile_is_the_wrong_one(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_the_hash(store, monkeypatch, lambda: store.passwords.reset("alice", "another good one, truly", actor="root"))
    with pytest.raises(WrongCredentials):
        store.sign_in.with_password("alice", PASSWORD, source=SOURCE)


def test_an_account_deleted_meanwhile_lets_nobody_in(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_the_hash(store, monkeypatch, lambda: store.deletion.delete(alice.token, "alice"))
    with pytest.raises(WrongCredentials):
        store.sign_in.with_password("alice", PASSWORD, source=SOURCE)
    add_account(store)


def test_a_failure_of_an_account_deleted_meanwhile_is_noted_nowhere(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_the_hash(store, monkeypatch, lambda: store.deletion.delete(alice.token, "alice"))
    with pytest.raises(WrongCredentials):
        store.sign_in.with_password("alice", "wrong", source=SOURCE)
    assert contents(store)["audit_events"] == []


# -- the second factor ------------------------------------------------------------------------------------------


def with_password(store: Store) -> SignedIn | SecondFactorNeeded:
    return store.sign_in.with_password("alice", PASSWORD, source=SOURCE)


def with_passkey(store: Store) -> SignedIn | SecondFactorNeeded:
    started = store.ceremonies.begin_sign_in(source=SOURCE)
    ceremony = store.passkey_verification.claim(started.code)
    store.passkey_verification.finish_assertion(ceremony, store.passkeys.find(b"credential-1"), 0)
    return store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)


def with_identity(store: Store) -> SignedIn | SecondFactorNeeded:
    return store.bindings.sign_in("github", "4711", source=SOURCE)


PATHS: list[Callable[[Store], SignedIn | SecondFactorNeeded]] = [with_password, with_passkey, with_identity]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_asks_for_the_second_factor(
    store: Store, alice: Person, clock: StillClock, path: Callable[[Store], SignedIn | SecondFactorNeeded]
) -> None:
    allow_passkeys(store)
    allow_bindings(store)
    store.passkeys.add(alice.token, "key", credential())
    store.bindings.bind(alice.token, "github", "4711", "alice")
    session_of(path(store))
    secret = enrol(store, clock, alice.token).secret
    answer = path(store)
    assert isinstance(answer, SecondFactorNeeded)
    assert (answer.name, answer.expires_at) == ("alice", clock.now() + TICKET_LIFETIME)
    assert answer.ticket not in repr(answer)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(answer.ticket)
    opened = store.sign_in.with_code(answer.ticket, code_at(secret, clock))
    assert store.sessions.whoami(opened.token).name == "alice"


def test_the_session_remembers_how_it_was_opened(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = enrol(store, clock, alice.token)
    first = store.sign_in.with_code(ticket_for(store), code_at(enrolment.secret, clock)).token
    second = store.sign_in.with_code(ticket_for(store), enrolment.codes[4]).token
    methods = {session.method for token in (first, second) for session in store.sessions.list(token)}
    assert methods == {"password", "password and authenticator code", "password and backup code"}


def test_a_wrong_code_leaves_the_ticket_alive(store: Store, alice: Person, clock: StillClock) -> None:
    secret = enrol(store, clock, alice.token).secret
    ticket = ticket_for(store)
    for wrong in ("", "12345", "abcdef", "0000-0000-0000-0000"):
        with pytest.raises(WrongCode):
            store.sign_in.with_code(ticket, wrong)
    store.sign_in.with_code(ticket, code_at(secret, clock))
    assert tags(store, alice.id).count("sign-in:failed") == 4


def test_a_skewed_clock_is_named_and_charged(store: Store, alice: Person, clock: StillClock) -> None:
    secret = enrol(store, clock, alice.token).secret
    ticket = ticket_for(store)
    for _ in range(5):
        with pytest.raises(ClockSkewed, match="about 300 seconds ahead"):
            store.sign_in.with_code(ticket, code_at(secret, clock, 10))
    with pytest.raises(TooManyAttempts):
        store.sign_in.with_code(ticket, code_at(secret, clock))


def test_a_code_signs_in_once(store: Store, alice: Person, clock: StillClock) -> None:
    secret = enrol(store, clock, alice.token).secret
    code = code_at(secret, clock)
    tickets = [ticket_for(store) for _ in range(2)]
    store.sign_in.with_code(tickets[0], code)
    with pytest.raises(CodeAlreadyUsed):
        store.sign_in.with_code(tickets[1], code)
    clock.advance(seconds=30)
    store.sign_in.with_code(tickets[1], code_at(secret, clock))


def test_a_ticket_opens_one_session(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = enrol(store, clock, alice.token)
    ticket = ticket_for(store)
    store.sign_in.with_code(ticket, enrolment.codes[1])
    with pytest.raises(SignInExpired):
        store.sign_in.with_code(ticket, enrolment.codes[2])
    assert store.two_factor.status(alice.token).codes_left == 9


def test_a_ticket_lives_five_minutes(store: Store, alice: Person, clock: StillClock) -> None:
    secret = enrol(store, clock, alice.token).secret
    early, late = ticket_for(store), ticket_for(store)
    clock.advance(minutes=5, seconds=-1)
    store.sign_in.with_code(early, code_at(secret, clock))
    clock.advance(seconds=1)
    with pytest.raises(SignInExpired):
        store.sign_in.with_code(late, code_at(secret, clock))
    ticket_for(store)
    with store.database.read() as tx:
        assert len(tx.execute(select(PendingSignIn)).all()) == 1


@pytest.mark.parametrize("ticket", ["", "unknown", "\ud800", "\x00"], ids=ascii)
def test_an_unknown_ticket_opens_nothing(store: Store, ticket: str) -> None:
    with pytest.raises(SignInExpired):
        store.sign_in.with_code(ticket, "123456")


def test_a_ticket_dies_with_the_password_it_came_from(store: Store, alice: Person, clock: StillClock) -> None:
    secret = enrol(store, clock, alice.token).secret
    ticket = ticket_for(store)
    store.passwords.change(alice.token, PASSWORD, "another good one, truly", "another good one, truly")
    with pytest.raises(SignInExpired):
        store.sign_in.with_code(ticket, code_at(secret, clock))


def test_a_ticket_used_meanwhile_opens_nothing(
    store: Store, alice: Person, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = enrol(store, clock, alice.token)
    ticket = ticket_for(store)
    verify = store.sign_in._second_factor.verify

    def meanwhile(factor: ActiveFactor, text: str) -> object:
        verified = verify(factor, text)
        with store.database.write() as tx:
            tx.execute(delete(PendingSignIn))
        return verified

    monkeypatch.setattr(type(store.sign_in._second_factor), "verify", lambda _self, *arguments: meanwhile(*arguments))
    with pytest.raises(SignInExpired):
        store.sign_in.with_code(ticket, enrolment.codes[1])
    assert store.two_factor.status(alice.token).codes_left == 10


# -- proving again ----------------------------------------------------------------------------------------------


def test_a_password_proves_and_unlocks(store: Store, alice: Person, clock: StillClock) -> None:
    clock.advance(minutes=6)
    store.sessions.lock(alice.token)
    store.sign_in.prove_with_password(alice.token, PASSWORD)
    assert store.sessions.whoami(alice.token).proved_at == clock.now()
    assert tags(store, alice.id)[-2:] == ["session:locked", "session:proved"]


def test_a_code_proves_and_unlocks(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = enrol(store, clock, alice.token)
    store.sessions.lock(alice.token)
    store.sign_in.prove_with_code(alice.token, code_at(enrolment.secret, clock))
    assert store.sessions.whoami(alice.token).proved_at == clock.now()
    store.sessions.lock(alice.token)
    store.sign_in.prove_with_code(alice.token, enrolment.codes[0])
    assert store.sessions.whoami(alice.token).proved_at == clock.now()


def test_a_code_proves_once(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = enrol(store, clock, alice.token)
    code = code_at(enrolment.secret, clock)
    store.sign_in.prove_with_code(alice.token, code)
    with pytest.raises(CodeAlreadyUsed):
        store.sign_in.prove_with_code(alice.token, code)
    store.sign_in.prove_with_code(alice.token, enrolment.codes[0])
    with pytest.raises(CodeAlreadyUsed, match="backup code"):
        store.sign_in.prove_with_code(alice.token, enrolment.codes[0])


def test_a_wrong_proof_is_charged_and_noted(store: Store, alice: Person, clock: StillClock) -> None:
    clock.advance(minutes=6)
    for _ in range(5):
        with pytest.raises(WrongOriginalPassword) as caught:
            store.sign_in.prove_with_password(alice.token, "wrong")
        assert caught.value.field == "password"
    with pytest.raises(TooManyAttempts):
        store.sign_in.prove_with_password(alice.token, PASSWORD)
    assert tags(store, alice.id).count("session:proof-failed") == 5
    assert store.sessions.whoami(alice.token).proved_at == clock.now() - timedelta(minutes=6)


def test_a_wrong_code_proves_nothing(store: Store, alice: Person, clock: StillClock) -> None:
    enrol(store, clock, alice.token)
    with pytest.raises(WrongCode):
        store.sign_in.prove_with_code(alice.token, "abc")
    assert tags(store, alice.id)[-1] == "session:proof-failed"


def test_a_code_needs_a_second_factor(store: Store, alice: Person) -> None:
    with pytest.raises(NotEnabled):
        store.sign_in.prove_with_code(alice.token, "123456")


def test_anothers_password_proves_nothing(store: Store, alice: Person) -> None:
    store.accounts.create("bob", "bobs own good password", actor="test")
    with pytest.raises(WrongOriginalPassword):
        store.sign_in.prove_with_password(alice.token, "bobs own good password")


@pytest.mark.parametrize("advance", [{"hours": 1}, {"hours": 12}])
def test_a_dead_session_proves_nothing(
    store: Store, alice: Person, clock: StillClock, advance: dict[str, float]
) -> None:
    clock.advance(**advance)
    with pytest.raises(SessionEnded):
        store.sign_in.prove_with_password(alice.token, PASSWORD)
    with pytest.raises(SessionEnded):
        store.sign_in.prove_with_code(alice.token, "123456")


def test_a_proof_does_not_outlive_its_password(store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    after_the_hash(store, monkeypatch, lambda: store.passwords.reset("alice", "another good one, truly", actor="root"))
    with pytest.raises(SessionEnded):
        store.sign_in.prove_with_password(alice.token, PASSWORD)


def test_a_proof_by_code_does_not_outlive_its_session(
    store: Store, alice: Person, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = enrol(store, clock, alice.token).codes
    check = store.context.hasher.check_code

    def meanwhile(code: str, stored: str) -> bool:
        monkeypatch.undo()
        with store.database.write() as tx:
            tx.execute(update(Account).values(auth_epoch=Account.c.auth_epoch + 1))
        return check(code, stored)

    monkeypatch.setattr(store.context.hasher, "check_code", meanwhile)
    with pytest.raises(SessionEnded):
        store.sign_in.prove_with_code(alice.token, codes[0])


def test_a_session_of_a_deleted_account_proves_nothing(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_the_hash(store, monkeypatch, lambda: store.deletion.delete(alice.token, "alice"))
    with pytest.raises(GatekeyError):
        store.sign_in.prove_with_password(alice.token, PASSWORD)
    assert contents(store)["sessions"] == []


def after_the_hash(store: Store, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do `act` once, right after the next password was checked."""
    check = store.context.hasher.check_password

    def meanwhile(password: str, stored: str | None) -> tuple[bool, str | None]:
        monkeypatch.undo()
        answer = check(password, stored)
        act()
        return answer

    monkeypatch.setattr(store.context.hasher, "check_password", meanwhile)


# -- what is written of a failure -------------------------------------------------------------------------------


def test_a_code_used_before_is_a_failed_sign_in(store: Store, alice: Person, clock: StillClock) -> None:
    """Whoever has the password and looks over a shoulder: the owner finds it in the log."""
    enrolment = enrol(store, clock, alice.token)
    code = code_at(enrolment.secret, clock)
    store.sign_in.with_code(ticket_for(store), code)
    store.sign_in.with_code(ticket_for(store), enrolment.codes[4])
    ticket = ticket_for(store)
    before = len(details(store, alice, "sign-in:failed"))
    for again in (code, enrolment.codes[4]):
        with pytest.raises(CodeAlreadyUsed):
            store.sign_in.with_code(ticket, again)
    refused = {"factor": "second-factor", "reason": "code used before"}
    assert details(store, alice, "sign-in:failed")[before:] == [refused] * 2
    store.sign_in.with_code(ticket, enrolment.codes[5])


def test_a_code_used_before_is_a_failed_proof(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = enrol(store, clock, alice.token)
    code = code_at(enrolment.secret, clock)
    store.sign_in.prove_with_code(alice.token, code)
    store.sign_in.prove_with_code(alice.token, enrolment.codes[4])
    for again in (code, enrolment.codes[4]):
        with pytest.raises(CodeAlreadyUsed):
            store.sign_in.prove_with_code(alice.token, again)
    refused = {"factor": "second-factor", "reason": "code used before"}
    assert details(store, alice, "session:proof-failed") == [refused] * 2


def test_a_lock_is_written_once_for_each_time_it_closes(store: Store, alice: Person, clock: StillClock) -> None:
    for _ in range(2):
        for _ in range(5):
            with pytest.raises((WrongCredentials, TooManyAttempts)):
                store.sign_in.with_password("alice", "wrong", source=SOURCE)
        clock.advance(seconds=61)
    assert details(store, alice, "sign-in:locked") == [
        {"factor": "password", "lasts": "60 s"},
        {"factor": "password", "lasts": "120 s"},
    ]
    assert len(details(store, alice, "sign-in:failed")) == 6


def test_the_last_of_a_hundred_failures_is_written_as_the_end(memory_store: Store, clock: StillClock) -> None:
    alice = add_account(memory_store)
    for _ in range(DISABLED_AFTER_FAILURES - 1):
        memory_store.throttles.reserve(Factor.PASSWORD, "alice")
        clock.advance(seconds=900)
    with pytest.raises(WrongCredentials):
        memory_store.sign_in.with_password("alice", "wrong", source=SOURCE)
    (written,) = details(memory_store, Person(alice.id, alice.name, ""), "sign-in:locked")
    assert written == {"factor": "password", "lasts": "until an administrator unlocks it"}


def test_every_wrong_try_behind_a_session_is_written(store: Store, alice: Person, clock: StillClock) -> None:
    """One wrong try each; what was tried and by which rule makes no difference."""
    enrolment = store.two_factor.begin(alice.token)
    tries: list[Callable[[], object]] = [
        lambda: store.passwords.change(alice.token, "wrong", "another good one, truly", "another good one, truly"),
        lambda: store.sign_in.prove_with_password(alice.token, "wrong"),
        lambda: store.deletion.delete(alice.token, "bob"),
        lambda: store.two_factor.confirm_saved(alice.token, "0000-0000-0000-0000"),
    ]
    for number, act in enumerate(tries, 1):
        with pytest.raises(GatekeyError):
            act()
        assert len(details(store, alice, "session:proof-failed")) == number
    store.two_factor.confirm_saved(alice.token, enrolment.codes[0])
    with pytest.raises(WrongCode):
        store.two_factor.complete(alice.token, "000000")
    assert len(details(store, alice, "session:proof-failed")) == len(tries) + 1


def details(store: Store, person: Person, tag: str) -> list[dict[str, object]]:
    """The details of an account's events of one tag, oldest first."""
    with store.database.read() as tx:
        page = store.audit.page(tx, person.id, limit=1000)
    return [dict(event.detail) for event in page if event.tag == tag][::-1]
