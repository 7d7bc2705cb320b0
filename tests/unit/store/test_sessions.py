"""Sessions: random, hashed, listed, revocable, short-lived, and dead when a credential changes."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import select

from store.errors import ClockWentBack, NoSuchItem, SessionEnded, SessionLocked
from store.models import Session
from store.sessions import (
    ABSOLUTE_LIMIT,
    CLOCK_TOLERANCE,
    IDLE_LIMIT,
    PROOF_LIFETIME,
    digest,
    is_fresh,
)
from store.store import Store
from tests.harness.people import Person, contents, enrol, prove, tags
from tests.harness.stores import START, StillClock, add_account, make_store, sign_in


def test_a_token_is_256_random_bits_and_only_its_hash_is_stored(store: Store, alice: Person) -> None:
    assert len(bytes.fromhex(alice.token)) == 32
    with store.database.read() as tx:
        assert tx.execute(select(Session.c.token_hash)).scalar_one() == digest(alice.token)
    assert alice.token not in repr(contents(store))
    assert bytes.fromhex(alice.token) not in repr(contents(store)).encode()


def test_every_session_has_its_own_token(store: Store, alice: Person) -> None:
    assert len({alice.token, *(sign_in(store) for _ in range(20))}) == 21


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "\ud800", "\x00"], ids=ascii)
def test_an_unknown_token_is_nobodys(store: Store, alice: Person, token: str) -> None:
    with pytest.raises(SessionEnded):
        store.sessions.whoami(token)
    store.sessions.end(token)
    store.sessions.lock(token)
    assert store.sessions.whoami(alice.token).name == "alice"


def test_a_session_is_announced_before_it_is_stored(store: Store, alice: Person) -> None:
    """So a process that is killed at any time has announced what it leaves."""
    announced: list[bytes] = []
    store.sessions.announce = announced.append
    token = sign_in(store)
    assert announced == [digest(token)]

    def killed(_: bytes) -> None:
        raise InterruptedError

    store.sessions.announce = killed
    with pytest.raises(InterruptedError):
        sign_in(store)
    assert len(contents(store)["sessions"]) == 2


def test_an_announced_session_can_be_ended_without_its_token(store: Store, alice: Person) -> None:
    token = sign_in(store)
    store.sessions.end_announced(digest(token))
    with pytest.raises(SessionEnded):
        store.sessions.whoami(token)
    assert store.sessions.whoami(alice.token).name == "alice"
    said = tags(store, alice.id)
    store.sessions.end_announced(digest(token))
    assert tags(store, alice.id) == said, "a session that has ended is not ended again"


# -- limits -----------------------------------------------------------------------------------------------------


def test_an_idle_session_ends_after_an_hour(store: Store, alice: Person, clock: StillClock) -> None:
    clock.time += IDLE_LIMIT - timedelta(seconds=1)
    store.sessions.whoami(alice.token)
    clock.time += IDLE_LIMIT
    with pytest.raises(SessionEnded):
        store.sessions.whoami(alice.token)


def test_a_busy_session_ends_after_twelve_hours(store: Store, alice: Person, clock: StillClock) -> None:
    while clock.now() < START + ABSOLUTE_LIMIT - timedelta(minutes=30):
        clock.advance(minutes=30)
        store.sessions.whoami(alice.token)
    clock.advance(minutes=29, seconds=59)
    store.sessions.whoami(alice.token)
    clock.advance(seconds=1)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(alice.token)


def test_activity_is_noted_once_a_minute(store: Store, alice: Person, clock: StillClock) -> None:
    seen = []
    for _ in range(5):
        store.sessions.whoami(alice.token)
        seen.append(store.sessions.list(alice.token)[0].last_active_at - START)
        clock.advance(seconds=30)
    assert [moment.total_seconds() for moment in seen] == [0, 0, 60, 60, 120]
    clock.advance(seconds=30)
    with store.sessions.writing(alice.token):
        pass
    assert store.sessions.list(alice.token)[0].last_active_at == START + timedelta(seconds=180)


def test_old_sessions_are_swept_when_a_new_one_opens(store: Store, alice: Person, clock: StillClock) -> None:
    clock.time += IDLE_LIMIT + timedelta(seconds=1)
    sign_in(store)
    assert len(contents(store)["sessions"]) == 1


def test_a_clock_set_back_is_noticed(store: Store, alice: Person, clock: StillClock) -> None:
    clock.time -= CLOCK_TOLERANCE
    store.sessions.whoami(alice.token)
    clock.advance(seconds=-1)
    with pytest.raises(ClockWentBack):
        store.sessions.whoami(alice.token)
    prove(store, alice.token)
    assert store.sessions.whoami(alice.token).name == "alice"


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (None, False),
        (timedelta(0), True),
        (PROOF_LIFETIME - timedelta(seconds=1), True),
        (PROOF_LIFETIME, False),
        (-CLOCK_TOLERANCE, True),
        (-CLOCK_TOLERANCE - timedelta(seconds=1), False),
    ],
)
def test_a_proof_holds_for_five_minutes(age: timedelta | None, fresh: bool) -> None:
    assert is_fresh(None if age is None else START - age, START) is fresh


# -- locking ----------------------------------------------------------------------------------------------------


def test_a_locked_session_does_nothing(store: Store, alice: Person) -> None:
    store.sessions.lock(alice.token)
    store.sessions.lock(alice.token)
    with pytest.raises(SessionLocked):
        store.sessions.whoami(alice.token)
    with pytest.raises(SessionLocked), store.sessions.writing(alice.token):
        pass
    assert tags(store, alice.id).count("session:locked") == 1
    prove(store, alice.token)
    store.sessions.whoami(alice.token)


def test_locking_takes_the_proof_away(store: Store, alice: Person) -> None:
    store.sessions.lock(alice.token)
    with store.database.read() as tx:
        assert tx.execute(select(Session.c.proof_at)).scalar_one() is None


def test_locking_one_session_leaves_the_others(store: Store, alice: Person) -> None:
    other = sign_in(store)
    store.sessions.lock(alice.token)
    assert store.sessions.whoami(other).name == "alice"


# -- listing and revoking ---------------------------------------------------------------------------------------


def test_a_list_shows_this_session_first(store: Store, alice: Person, clock: StillClock) -> None:
    clock.advance(minutes=1)
    sign_in(store, source="ssh\x1b[31m 203.0.113.9")
    clock.advance(minutes=1)
    sign_in(store, source="pts/7")
    listed = store.sessions.list(alice.token)
    assert [(one.is_current, one.source, one.method) for one in listed] == [
        (True, "pts/0", "password"),
        (False, "pts/7", "password"),
        (False, "ssh\ufffd[31m 203.0.113.9", "password"),
    ]
    assert [one.created_at for one in listed] == [START, START + timedelta(minutes=2), START + timedelta(minutes=1)]


def test_a_list_leaves_out_the_dead_and_the_others(store: Store, alice: Person, bob: Person, clock: StillClock) -> None:
    clock.advance(minutes=45)
    store.sessions.whoami(alice.token)
    sign_in(store)
    clock.advance(minutes=30)
    third = sign_in(store)
    assert len(store.sessions.list(third)) == 3
    clock.advance(minutes=31)
    assert [one.is_current for one in store.sessions.list(third)] == [True]


def test_one_session_can_be_revoked(store: Store, alice: Person, bob: Person) -> None:
    other = sign_in(store)
    listed = store.sessions.list(alice.token)
    store.sessions.revoke(alice.token, listed[1].id)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)
    with pytest.raises(NoSuchItem, match="already ended"):
        store.sessions.revoke(alice.token, listed[1].id)
    with pytest.raises(NoSuchItem):
        store.sessions.revoke(alice.token, store.sessions.list(bob.token)[0].id)
    assert store.sessions.whoami(bob.token).name == "bob"
    assert tags(store, alice.id).count("session:ended") == 1


def test_the_others_can_be_signed_out(store: Store, alice: Person, bob: Person) -> None:
    others = [sign_in(store) for _ in range(49)]
    assert store.sessions.sign_out_others(alice.token) == 49
    dead = 0
    for token in others:
        with pytest.raises(SessionEnded):
            store.sessions.whoami(token)
        dead += 1
    print(f"sessions dead after one sign-out of the others: {dead} of 49")
    assert store.sessions.sign_out_others(alice.token) == 0
    assert store.sessions.whoami(alice.token).name == "alice"
    assert store.sessions.whoami(bob.token).name == "bob"


def test_a_revoked_session_is_out_at_its_next_call_in_another_process(file_url: str, clock: StillClock) -> None:
    with make_store(file_url, clock=clock) as here, make_store(file_url, clock=clock, seed=2) as there:
        add_account(here)
        mine, theirs = sign_in(here), sign_in(there)
        here.sessions.sign_out_others(mine)
        with pytest.raises(SessionEnded):
            there.sessions.whoami(theirs)


def test_signing_out_ends_one_session(store: Store, alice: Person) -> None:
    other = sign_in(store)
    store.sessions.end(alice.token)
    store.sessions.end(alice.token)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(alice.token)
    assert store.sessions.whoami(other).name == "alice"
    assert tags(store, alice.id).count("session:ended") == 1


def test_a_new_second_factor_ends_the_others(store: Store, alice: Person, clock: StillClock) -> None:
    other = sign_in(store)
    enrol(store, clock, alice.token)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)


def test_a_ceremony_asks_whether_its_session_lives(store: Store, alice: Person, clock: StillClock) -> None:
    session_id = store.sessions.whoami(alice.token).session_id
    other_id = store.sessions.whoami(sign_in(store)).session_id
    with store.database.read() as tx:
        assert store.sessions.is_live(tx, session_id)
        assert not store.sessions.is_live(tx, None)
        assert not store.sessions.is_live(tx, 4711)
    store.sessions.sign_out_others(alice.token)
    store.sessions.lock(alice.token)
    with store.database.read() as tx:
        assert not store.sessions.is_live(tx, session_id)
        assert not store.sessions.is_live(tx, other_id)
    prove(store, alice.token)
    clock.time += IDLE_LIMIT
    with store.database.read() as tx:
        assert not store.sessions.is_live(tx, session_id)


def test_a_digest_takes_any_text() -> None:
    rng = random.Random(3)
    texts = {"".join(chr(rng.randrange(0x110000)) for _ in range(20)) for _ in range(50)}
    assert len({digest(text) for text in texts}) == 50
