"""The sign-in before this one, from the audit log of the account alone."""

from contextlib import suppress
from datetime import datetime, timedelta

import pyotp
import pytest

from store.errors import WrongCredentials
from store.store import Store
from store.values.sign_in import PastSignIn, SignInNews
from store.values.two_factor import Enrolment
from tests.harness.people import enrol, session_of, ticket_for
from tests.harness.stores import StillClock, add_account, sign_in


def fail(store: Store, name: str) -> None:
    with suppress(WrongCredentials):
        store.sign_in.with_password(name, "wrong", source="elsewhere")


def sign_in_by_app(store: Store, clock: StillClock, enrolment: Enrolment) -> str:
    ticket = ticket_for(store)
    return session_of(store.sign_in.with_code(ticket, pyotp.TOTP(enrolment.secret).at(clock.time)))


def test_the_first_sign_in_has_no_past(store: Store) -> None:
    add_account(store)
    fail(store, "alice")
    assert store.sign_in_history.news(sign_in(store)) == SignInNews(None, None)


def test_only_failures_between_the_two_of_this_account_count(store: Store, clock: StillClock) -> None:
    add_account(store)
    add_account(store, "bob", email="bob@example.com")
    fail(store, "alice")
    sign_in(store, source="ssh 10.0.0.2")
    before = clock.now()
    clock.advance(hours=12)
    for name in ("alice", "alice", "bob"):
        fail(store, name)
    assert store.sign_in_history.news(sign_in(store)) == SignInNews(PastSignIn(before, "ssh 10.0.0.2", 2), None)


def test_a_used_backup_code_tells_how_many_are_left_and_an_older_one_does_not(store: Store, clock: StillClock) -> None:
    add_account(store)
    enrolment = enrol(store, clock, sign_in(store))
    clock.advance(minutes=5)
    token = session_of(store.sign_in.with_code(ticket_for(store), enrolment.codes[0]))
    assert store.sign_in_history.news(token).backup_codes_left == len(enrolment.codes) - 1
    clock.advance(minutes=5)
    other = session_of(store.sign_in.with_code(ticket_for(store), enrolment.codes[1]))
    assert store.sign_in_history.news(other).backup_codes_left == len(enrolment.codes) - 2


def test_a_used_backup_code_is_told_by_a_clock_that_goes_on(
    store: Store, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events of one sign-in have different times."""
    add_account(store)
    enrolment = enrol(store, clock, sign_in(store))
    clock.advance(minutes=5)

    def tick(still: StillClock) -> datetime:
        still.time += timedelta(microseconds=1)
        return still.time

    monkeypatch.setattr(StillClock, "now", tick)
    token = session_of(store.sign_in.with_code(ticket_for(store), enrolment.codes[0]))
    assert store.sign_in_history.news(token).backup_codes_left == len(enrolment.codes) - 1
    assert store.sign_in_history.news(sign_in_by_app(store, clock, enrolment)).backup_codes_left is None


def test_a_failed_sign_in_tells_the_tries_that_are_left_alike_for_an_unknown_name(store: Store) -> None:
    add_account(store)
    for name in ("alice", "nobody"):
        left = []
        for _ in range(5):
            try:
                store.sign_in.with_password(name, "wrong", source=f"from {name}")
            except WrongCredentials as error:
                left.append(error.tries_left)
        assert left == [4, 3, 2, 1, 0]
