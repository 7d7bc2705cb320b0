"""Passkey ceremonies: a challenge good once, for two minutes, for one purpose and one session."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from store.errors import (
    AlreadyBound,
    ClonedPasskey,
    GatekeyError,
    LimitReached,
    PasskeyRefused,
    SessionEnded,
    SignInExpired,
    TooManyAttempts,
)
from store.models import Passkey, PasskeyCeremony
from store.passkey_ceremonies import CEREMONY_LIFETIME, Ceremony, Purpose, canonical_code, new_code
from store.store import Store
from store.values.passkeys import CeremonyState
from store.values.sign_in import SecondFactorNeeded
from tests.harness.people import Person, allow_passkeys, contents, credential, enrol, fail_between, session_of, tags
from tests.harness.stores import SOURCE, StillClock, sign_in


@pytest.fixture(autouse=True)
def passkeys_on(store: Store) -> None:
    allow_passkeys(store)


@pytest.fixture
def keyed(store: Store, alice: Person) -> Person:
    """Alice with one passkey, `credential(1)`."""
    store.passkeys.add(alice.token, "key", credential())
    return alice


def finish(store: Store, ceremony: Ceremony, count: int = 0, number: int = 1) -> None:
    """The gateway's steps for an assertion it has verified."""
    store.passkey_verification.finish_assertion(ceremony, store.passkeys.find(b"credential-%d" % number), count)


# -- registering ------------------------------------------------------------------------------------------------


def test_a_registration_from_console_to_browser_and_back(store: Store, alice: Person, clock: StillClock) -> None:
    other = sign_in(store)
    store.passkeys.add(alice.token, "old", credential(1))
    started = store.ceremonies.begin_registration(alice.token, " new ")
    assert started.expires_at == clock.now() + CEREMONY_LIFETIME
    assert started.ticket not in repr(started)
    assert store.ceremonies.outcome(started.ticket) is CeremonyState.WAITING

    seen = store.passkey_verification.look_up(started.code.lower().replace("-", " "))
    assert (seen.purpose, seen.label, seen.account_id, seen.account_name) == (
        Purpose.REGISTER,
        "new",
        alice.id,
        "alice",
    )
    assert (len(seen.challenge), len(seen.user_handle), seen.credential_ids) == (32, 64, (b"credential-1",))
    assert repr(seen.challenge) not in repr(seen)

    claimed = store.passkey_verification.claim(started.code)
    assert claimed == seen
    assert store.ceremonies.outcome(started.ticket) is CeremonyState.CLAIMED
    store.passkey_verification.finish_registration(claimed, credential(2))
    assert store.ceremonies.outcome(started.ticket) is CeremonyState.DONE
    assert [one.label for one in store.passkeys.list(alice.token)] == ["old", "new"]
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)


def test_a_registration_ends_with_its_session(store: Store, alice: Person, clock: StillClock) -> None:
    def revoke() -> None:
        store.sessions.end(alice.token)

    def lock() -> None:
        store.sessions.lock(alice.token)

    def idle() -> None:
        clock.advance(hours=1)

    for end in (lock, idle, revoke):
        started = store.ceremonies.begin_registration(alice.token, "key")
        ceremony = store.passkey_verification.claim(started.code)
        end()
        with pytest.raises(SignInExpired):
            store.passkey_verification.finish_registration(ceremony, credential())
        assert contents(store)["passkeys"] == []
        if end is not revoke:
            clock.advance(hours=-1 if end is idle else 0)
            store.sign_in.prove_with_password(alice.token, "correct horse battery staple")


def test_a_registration_is_finished_once(store: Store, alice: Person) -> None:
    started = store.ceremonies.begin_registration(alice.token, "key")
    ceremony = store.passkey_verification.claim(started.code)
    store.passkey_verification.finish_registration(ceremony, credential())
    replays = 0
    for number in range(2, 12):
        with pytest.raises(SignInExpired):
            store.passkey_verification.finish_registration(ceremony, credential(number))
        with pytest.raises(SignInExpired):
            store.passkey_verification.claim(started.code)
        with pytest.raises(SignInExpired):
            store.passkey_verification.look_up(started.code)
    print(f"replays of a registration accepted: {replays} of 10")
    assert len(store.passkeys.list(alice.token)) == 1


def test_a_registration_can_fail_at_the_end(store: Store, keyed: Person) -> None:
    ceremony = store.passkey_verification.claim(store.ceremonies.begin_registration(keyed.token, "again").code)
    with pytest.raises(AlreadyBound):
        store.passkey_verification.finish_registration(ceremony, credential(1))
    ceremony = store.passkey_verification.claim(store.ceremonies.begin_registration(keyed.token, "more").code)
    for number in range(2, 11):
        store.passkeys.add(keyed.token, f"key {number}", credential(number))
    with pytest.raises(LimitReached):
        store.passkey_verification.finish_registration(ceremony, credential(11))


# -- signing in -------------------------------------------------------------------------------------------------


def test_a_sign_in_says_who_it_is(store: Store, keyed: Person, clock: StillClock) -> None:
    started = store.ceremonies.begin_sign_in(source=SOURCE)
    seen = store.passkey_verification.look_up(started.code)
    assert (seen.purpose, seen.account_id, seen.account_name) == (Purpose.SIGN_IN, None, "")
    assert (seen.user_handle, seen.credential_ids) == (b"", ())
    with pytest.raises(SignInExpired):
        store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)
    finish(store, store.passkey_verification.claim(started.code))
    answer = store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)
    acting = store.sessions.whoami(session_of(answer))
    assert (acting.name, acting.proved_at) == ("alice", clock.now())
    assert store.ceremonies.outcome(started.ticket) is CeremonyState.COLLECTED
    assert store.passkeys.list(keyed.token)[0].last_used_at == clock.now()
    assert tags(store, keyed.id)[-1] == "sign-in:succeeded"


def test_a_sign_in_is_collected_once(store: Store, keyed: Person) -> None:
    started = store.ceremonies.begin_sign_in(source=SOURCE)
    finish(store, store.passkey_verification.claim(started.code))
    session_of(store.ceremonies.collect_sign_in(started.ticket, source=SOURCE))
    accepted = 0
    for _ in range(20):
        with pytest.raises(SignInExpired):
            store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)
    print(f"second collections of a sign-in accepted: {accepted} of 20")


def test_a_finished_sign_in_waits_two_more_minutes(store: Store, keyed: Person, clock: StillClock) -> None:
    early, late = (store.ceremonies.begin_sign_in(source=SOURCE) for _ in range(2))
    for started in (early, late):
        finish(store, store.passkey_verification.claim(started.code))
    clock.time += 2 * CEREMONY_LIFETIME
    clock.advance(seconds=-1)
    session_of(store.ceremonies.collect_sign_in(early.ticket, source=SOURCE))
    clock.advance(seconds=1)
    with pytest.raises(SignInExpired):
        store.ceremonies.collect_sign_in(late.ticket, source=SOURCE)


def test_a_passkey_does_not_replace_the_second_factor(store: Store, keyed: Person, clock: StillClock) -> None:
    enrol(store, clock, keyed.token)
    started = store.ceremonies.begin_sign_in(source=SOURCE)
    finish(store, store.passkey_verification.claim(started.code))
    assert isinstance(store.ceremonies.collect_sign_in(started.ticket, source=SOURCE), SecondFactorNeeded)


def test_begun_sign_ins_are_limited(store: Store) -> None:
    for _ in range(10):
        store.ceremonies.begin_sign_in(source=SOURCE)
    with pytest.raises(TooManyAttempts):
        store.ceremonies.begin_sign_in(source=SOURCE)


# -- proving ----------------------------------------------------------------------------------------------------


def test_a_proof_renews_the_session(store: Store, keyed: Person, clock: StillClock) -> None:
    clock.advance(minutes=6)
    started = store.ceremonies.begin_proof(keyed.token)
    ceremony = store.passkey_verification.claim(started.code)
    assert (ceremony.purpose, ceremony.credential_ids) == (Purpose.PROVE, (b"credential-1",))
    finish(store, ceremony)
    assert store.sessions.whoami(keyed.token).proved_at == clock.now()
    assert tags(store, keyed.id)[-1] == "session:proved"


def test_anothers_passkey_proves_nothing(store: Store, keyed: Person, bob: Person, clock: StillClock) -> None:
    store.passkeys.add(bob.token, "his", credential(2))
    clock.advance(minutes=6)
    started = store.ceremonies.begin_proof(keyed.token)
    ceremony = store.passkey_verification.claim(started.code)
    with pytest.raises(PasskeyRefused, match="another account"):
        finish(store, ceremony, number=2)
    assert store.sessions.whoami(keyed.token).proved_at != clock.now()


def test_a_proof_ends_with_its_session(store: Store, keyed: Person) -> None:
    other = sign_in(store)
    ceremony = store.passkey_verification.claim(store.ceremonies.begin_proof(other).code)
    store.sessions.lock(other)
    with pytest.raises(SignInExpired):
        finish(store, ceremony)
    ceremony = store.passkey_verification.claim(store.ceremonies.begin_proof(keyed.token).code)
    store.sessions.end(keyed.token)
    with pytest.raises(SignInExpired):
        finish(store, ceremony)


def test_a_proof_is_good_for_its_own_session(store: Store, keyed: Person, clock: StillClock) -> None:
    other = sign_in(store)
    clock.advance(minutes=6)
    finish(store, store.passkey_verification.claim(store.ceremonies.begin_proof(keyed.token).code))
    assert store.sessions.whoami(keyed.token).proved_at == clock.now()
    assert store.sessions.whoami(other).proved_at != clock.now()


# -- replayed, late, swapped ------------------------------------------------------------------------------------


def begin(store: Store, person: Person, purpose: Purpose) -> tuple[str, str]:
    match purpose:
        case Purpose.REGISTER:
            started = store.ceremonies.begin_registration(person.token, "new")
        case Purpose.PROVE:
            started = store.ceremonies.begin_proof(person.token)
        case Purpose.SIGN_IN:
            started = store.ceremonies.begin_sign_in(source=SOURCE)
    return started.code, started.ticket


@pytest.mark.parametrize("purpose", Purpose)
def test_a_challenge_dies_after_two_minutes(store: Store, keyed: Person, clock: StillClock, purpose: Purpose) -> None:
    code, ticket = begin(store, keyed, purpose)
    clock.time += CEREMONY_LIFETIME
    clock.advance(seconds=-1)
    store.passkey_verification.look_up(code)
    clock.advance(seconds=1)
    for take in (store.passkey_verification.look_up, store.passkey_verification.claim):
        with pytest.raises(SignInExpired, match="not known or has expired"):
            take(code)
    assert store.ceremonies.outcome(ticket) is CeremonyState.EXPIRED


@pytest.mark.parametrize("purpose", Purpose)
def test_a_challenge_is_claimed_once(store: Store, keyed: Person, purpose: Purpose) -> None:
    code, _ = begin(store, keyed, purpose)
    store.passkey_verification.claim(code)
    accepted = 0
    for _ in range(30):
        with pytest.raises(SignInExpired):
            store.passkey_verification.claim(code)
    print(f"{purpose.value}: second claims accepted: {accepted} of 30")


@pytest.mark.parametrize("began", Purpose)
@pytest.mark.parametrize("pretended", Purpose)
def test_no_purpose_passes_for_another(store: Store, keyed: Person, began: Purpose, pretended: Purpose) -> None:
    code, _ = begin(store, keyed, began)
    ceremony = replace(store.passkey_verification.claim(code), purpose=pretended)
    assertion: Callable[[], object] = lambda: finish(store, ceremony)  # noqa: E731
    registration: Callable[[], object] = lambda: store.passkey_verification.finish_registration(ceremony, credential(2))  # noqa: E731
    right = registration if began is Purpose.REGISTER else assertion
    wrong = assertion if began is Purpose.REGISTER else registration
    if began is not pretended or began is not Purpose.REGISTER:
        with pytest.raises(SignInExpired):
            wrong()
    if began is pretended:
        right()
    elif right is assertion:
        with pytest.raises(SignInExpired):
            right()
    with store.database.read() as tx:
        keys = tx.execute(select(Passkey.c.credential_id)).scalars().all()
    assert (b"credential-2" in keys) == (began is pretended is Purpose.REGISTER)


def test_a_console_waits_for_one_ceremony(store: Store, keyed: Person) -> None:
    first = store.ceremonies.begin_proof(keyed.token)
    second = store.ceremonies.begin_registration(keyed.token, "new")
    with pytest.raises(SignInExpired):
        store.passkey_verification.claim(first.code)
    assert store.ceremonies.outcome(first.ticket) is CeremonyState.EXPIRED
    store.passkey_verification.claim(second.code)


def test_a_ticket_of_a_proof_signs_nobody_in(store: Store, keyed: Person) -> None:
    started = store.ceremonies.begin_proof(keyed.token)
    finish(store, store.passkey_verification.claim(started.code))
    with pytest.raises(SignInExpired):
        store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)


def test_a_failure_is_told_to_the_console(store: Store, keyed: Person) -> None:
    started = store.ceremonies.begin_sign_in(source=SOURCE)
    ceremony = store.passkey_verification.claim(started.code)
    store.passkey_verification.fail(ceremony, "The browser\x1b[31m said no.")
    with pytest.raises(PasskeyRefused) as caught:
        store.ceremonies.outcome(started.ticket)
    assert str(caught.value) == "The browser\ufffd[31m said no."
    with pytest.raises(SignInExpired):
        finish(store, ceremony)
    with pytest.raises(SignInExpired):
        store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)


def test_a_finished_ceremony_does_not_fail_afterwards(store: Store, keyed: Person) -> None:
    started = store.ceremonies.begin_proof(keyed.token)
    ceremony = store.passkey_verification.claim(started.code)
    finish(store, ceremony)
    store.passkey_verification.fail(ceremony, "too late")
    assert store.ceremonies.outcome(started.ticket) is CeremonyState.DONE


def test_a_cancelled_ceremony_is_gone(store: Store, keyed: Person) -> None:
    started = store.ceremonies.begin_proof(keyed.token)
    store.ceremonies.cancel(started.ticket)
    store.ceremonies.cancel("unknown")
    with pytest.raises(SignInExpired):
        store.passkey_verification.claim(started.code)
    assert store.ceremonies.outcome(started.ticket) is CeremonyState.EXPIRED


def test_old_ceremonies_are_swept(store: Store, clock: StillClock) -> None:
    store.ceremonies.begin_sign_in(source=SOURCE)
    clock.time += 2 * CEREMONY_LIFETIME
    clock.advance(seconds=1)
    store.ceremonies.begin_sign_in(source=SOURCE)
    assert len(contents(store)["passkey_ceremonies"]) == 1


def test_no_challenge_code_or_ticket_lies_about(store: Store, keyed: Person) -> None:
    started = store.ceremonies.begin_proof(keyed.token)
    stored = repr(contents(store))
    assert started.ticket not in stored
    assert started.code.replace("-", "") not in stored
    finish(store, store.passkey_verification.claim(started.code))
    with store.database.read() as tx:
        assert tx.execute(select(PasskeyCeremony.c.challenge)).scalar_one() is None


# -- counters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "shown", "good"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
)
def test_a_counter_that_runs_backwards_is_a_copy(
    store: Store, alice: Person, stored: int, shown: int, good: bool
) -> None:
    store.passkeys.add(alice.token, "key", credential(1, sign_count=stored))
    started = store.ceremonies.begin_sign_in(source=SOURCE)
    ceremony = store.passkey_verification.claim(started.code)
    if good:
        finish(store, ceremony, shown)
        session_of(store.ceremonies.collect_sign_in(started.ticket, source=SOURCE))
        return
    with pytest.raises(ClonedPasskey):
        finish(store, ceremony, shown)
    with pytest.raises(SignInExpired):
        store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)
    assert store.passkeys.list(alice.token)[0].flagged_at is not None
    assert tags(store, alice.id)[-1] == "passkey:cloned"


def test_two_assertions_with_one_count_are_one_too_many(store: Store, alice: Person) -> None:
    store.passkeys.add(alice.token, "key", credential(1, sign_count=5))
    found = store.passkeys.find(b"credential-1")
    ceremonies = [
        store.passkey_verification.claim(store.ceremonies.begin_sign_in(source=SOURCE).code) for _ in range(2)
    ]
    store.passkey_verification.finish_assertion(ceremonies[0], found, 6)
    with pytest.raises(ClonedPasskey):
        store.passkey_verification.finish_assertion(ceremonies[1], found, 6)


# -- codes ------------------------------------------------------------------------------------------------------


def test_a_code_is_easy_to_type(store: Store) -> None:
    code = new_code(store.context.rng)
    assert len(code) == 9
    assert code[4] == "-"
    assert not set(code) & set("AEIOUY0123456789")
    assert canonical_code(code.lower().replace("-", " ")) == canonical_code(code) == code.replace("-", "")


@pytest.mark.parametrize("code", ["", "XXXX-XXXX", "\x00", "\ud800", "x" * 10_000], ids=lambda text: ascii(text[:9]))
def test_an_unknown_code_names_no_ceremony(store: Store, keyed: Person, code: str) -> None:
    store.ceremonies.begin_proof(keyed.token)
    for take in (store.passkey_verification.look_up, store.passkey_verification.claim):
        with pytest.raises(SignInExpired):
            take(code)


def test_an_error_in_between_leaves_the_ceremony_claimed(
    store: Store, keyed: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = store.ceremonies.begin_registration(keyed.token, "new")
    ceremony = store.passkey_verification.claim(started.code)
    before = contents(store)
    monkeypatch.setattr(type(store.audit), "record", fail_between)
    with pytest.raises(GatekeyError):
        store.passkey_verification.finish_registration(ceremony, credential(2))
    assert contents(store) == before
