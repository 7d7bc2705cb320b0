"""Guesses are counted by where they come from, and an account of one's own buys no more of them."""

from collections.abc import Callable
from datetime import datetime

import pytest

from store import throttle
from store.errors import TooManyAttempts, WrongCredentials
from store.store import Store
from store.throttle import ATTEMPTS_PER_SOURCE, RATE_WINDOW
from tests.harness.people import Person, allow_bindings, allow_passkeys, credential, prove, session_of
from tests.harness.stores import PASSWORD, StillClock, add_account, sign_in

HERE = "ssh 203.0.113.7 uid 1000"
GUESSES = 32


def guess(store: Store, number: int, *, peer: str = HERE) -> bool:
    """Guess the password of somebody else, from a terminal of its own; whether the guess was evaluated."""
    try:
        store.sign_in.with_password(f"victim-{number}", "wrong", source=f"ssh 203.0.113.7 pts/{number}", peer=peer)
    except WrongCredentials:
        return True
    except TooManyAttempts:
        return False
    raise AssertionError("a wrong password was accepted")


def with_password(store: Store) -> None:
    answer = store.sign_in.with_password("mallory", PASSWORD, source="ssh 203.0.113.7 pts/0", peer=HERE)
    store.sessions.end(session_of(answer))


def with_passkey(store: Store) -> None:
    started = store.ceremonies.begin_sign_in(source="ssh 203.0.113.7 pts/0", peer=HERE)
    ceremony = store.passkey_verification.claim(started.code)
    store.passkey_verification.finish_assertion(ceremony, store.passkeys.find(b"credential-1"), 0)
    answer = store.ceremonies.collect_sign_in(started.ticket, source="ssh 203.0.113.7 pts/0", peer=HERE)
    store.sessions.end(session_of(answer))


def with_identity(store: Store) -> None:
    answer = store.bindings.sign_in("github", "4711", source="ssh 203.0.113.7 pts/0")
    store.sessions.end(session_of(answer))


def mallory(store: Store) -> None:
    add_account(store, "mallory", email="mallory@example.com")
    token = sign_in(store, "mallory", source="at home")
    allow_passkeys(store)
    allow_bindings(store)
    store.passkeys.add(token, "key", credential())
    store.bindings.bind(token, "github", "4711", "mallory")


@pytest.mark.parametrize("own_sign_in", [with_password, with_passkey, with_identity])
def test_own_sign_ins_between_guesses_buy_none(store: Store, own_sign_in: Callable[[Store], None]) -> None:
    mallory(store)
    evaluated = 0
    for number in range(GUESSES):
        evaluated += guess(store, number)
        if number % 8 == 7:
            try:
                own_sign_in(store)
            except TooManyAttempts:
                continue
    assert evaluated == ATTEMPTS_PER_SOURCE


def test_a_terminal_of_its_own_for_each_guess_buys_none(store: Store) -> None:
    assert sum(guess(store, number) for number in range(GUESSES)) == ATTEMPTS_PER_SOURCE


def test_another_peer_has_a_budget_of_its_own(store: Store) -> None:
    for number in range(GUESSES):
        guess(store, number)
    assert guess(store, GUESSES, peer="ssh 203.0.113.8 uid 1000")


def test_people_behind_one_address_keep_their_sessions(store: Store, alice: Person, clock: StillClock) -> None:
    """Somebody behind the same address guesses: nobody new gets in from there, and nobody who is in is put out."""
    inside = session_of(store.sign_in.with_password("alice", PASSWORD, source="ssh 203.0.113.7 pts/1", peer=HERE))
    for number in range(GUESSES):
        guess(store, number)
    assert store.sessions.whoami(inside).name == "alice"
    store.sessions.lock(inside)
    prove(store, inside)
    store.access_token.generate(inside)
    with pytest.raises(TooManyAttempts):
        store.sign_in.with_password("alice", PASSWORD, source="ssh 203.0.113.7 pts/2", peer=HERE)
    clock.time += RATE_WINDOW
    store.sign_in.with_password("alice", PASSWORD, source="ssh 203.0.113.7 pts/2", peer=HERE)


def test_who_signs_in_often_is_not_kept_out(store: Store) -> None:
    mallory(store)
    for _ in range(ATTEMPTS_PER_SOURCE * 2):
        with_password(store)
        with_passkey(store)
    assert sum(guess(store, number) for number in range(GUESSES)) == ATTEMPTS_PER_SOURCE


@pytest.mark.parametrize("own_sign_in", [with_password, with_passkey])
def test_the_first_try_of_a_window_is_given_back_as_well(
    memory_store: Store, monkeypatch: pytest.MonkeyPatch, own_sign_in: Callable[[Store], None]
) -> None:
    """Time runs on between two statements of one sign-in."""
    mallory(memory_store)
    running, now = memory_store.context.clock, memory_store.context.clock.now

    def later() -> datetime:
        assert isinstance(running, StillClock)
        running.advance(microseconds=1)
        return now()

    monkeypatch.setattr(running, "now", later)
    own_sign_in(memory_store)
    assert sum(guess(memory_store, number) for number in range(GUESSES)) == ATTEMPTS_PER_SOURCE


def test_right_sign_ins_do_not_use_up_what_everyone_shares(
    memory_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One person who signs in and out without end would else keep everybody from signing in."""
    monkeypatch.setattr(throttle, "ATTEMPTS_IN_TOTAL", ATTEMPTS_PER_SOURCE)
    add_account(memory_store, "mallory", email="mallory@example.com")
    for _ in range(ATTEMPTS_PER_SOURCE + 1):
        with_password(memory_store)
    add_account(memory_store)
    sign_in(memory_store, source="somewhere else")
