"""The events of an account are read by kind, by time and by source, and failed sign-ins are counted."""

from datetime import timedelta

import pytest

from store import audit
from store.audit_tags import Tag
from store.errors import WrongCredentials, WrongOriginalPassword
from store.store import Store
from store.values.audit import EventFilter
from tests.harness.people import Person
from tests.harness.stores import StillClock


def fail(store: Store, name: str, source: str = "pts/9") -> None:
    with pytest.raises(WrongCredentials):
        store.sign_in.with_password(name, "wrong", source=source)
    store.accounts.reset_factors(name, actor="test")


def found(store: Store, person: Person, only: EventFilter, *, before: int | None = None) -> list[str]:
    with store.database.read() as tx:
        return [event.tag for event in store.audit.page(tx, person.id, only=only, before=before)]


def failed(store: Store, person: Person, since: timedelta) -> int:
    with store.database.read() as tx:
        return store.audit.failed_sign_ins(tx, person.id, since=store.context.now() - since)


def test_events_of_some_kinds(store: Store, alice: Person) -> None:
    fail(store, "alice")
    assert found(store, alice, EventFilter(tags=frozenset({Tag.SIGN_IN_FAILED.value}))) == ["sign-in:failed"]
    assert found(store, alice, EventFilter(tags=frozenset())) == []
    assert len(found(store, alice, EventFilter())) > 1


def test_events_of_a_day(store: Store, alice: Person, clock: StillClock) -> None:
    before = clock.now()
    clock.advance(days=2)
    fail(store, "alice")
    assert set(found(store, alice, EventFilter(since=before + timedelta(days=1)))) == {
        "sign-in:failed",
        "factor:reset",
    }
    assert "sign-in:failed" not in found(store, alice, EventFilter(until=before + timedelta(days=1)))
    assert found(store, alice, EventFilter(since=clock.now() + timedelta(seconds=1))) == []


def test_events_from_a_source(store: Store, alice: Person) -> None:
    fail(store, "alice", "ssh 192.0.2.7 PTS/4")
    assert found(store, alice, EventFilter(sources=("192.0.2.7", "pts"))) == ["sign-in:failed"]
    assert found(store, alice, EventFilter(sources=("192.0.2.7", "tty"))) == []
    assert found(store, alice, EventFilter(sources=("%",))) == [], "it is a text and no pattern"


def test_a_filter_goes_on_below_a_page(store: Store, alice: Person) -> None:
    for _ in range(3):
        fail(store, "alice")
    only = EventFilter(tags=frozenset({Tag.SIGN_IN_FAILED.value}))
    with store.database.read() as tx:
        first = store.audit.page(tx, alice.id, only=only, limit=2)
    assert found(store, alice, only, before=first[-1].sequence) == ["sign-in:failed"]


def test_no_event_of_another_account_is_found(store: Store, alice: Person, bob: Person) -> None:
    fail(store, "bob")
    assert "sign-in:failed" not in found(store, alice, EventFilter())
    assert failed(store, alice, timedelta(days=1)) == 0


def test_failed_sign_ins_are_counted_since_a_time(
    store: Store, alice: Person, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failed(store, alice, timedelta(days=1)) == 0
    fail(store, "alice")
    clock.advance(hours=20)
    fail(store, "alice")
    fail(store, "alice")
    assert failed(store, alice, timedelta(days=1)) == 3
    assert failed(store, alice, timedelta(hours=10)) == 2
    clock.advance(days=2)
    assert failed(store, alice, timedelta(days=1)) == 0
    monkeypatch.setattr(audit, "NEWEST_EVENTS", 2)
    assert failed(store, alice, timedelta(days=9)) == 1


def test_a_failure_says_which_factor_was_wrong(store: Store, alice: Person) -> None:
    with pytest.raises(WrongOriginalPassword):
        store.sign_in.prove_with_password(alice.token, "wrong")
    with store.database.read() as tx:
        newest = store.audit.page(tx, alice.id, limit=1)[0]
    assert (newest.tag, newest.detail) == ("session:proof-failed", {"factor": "password"})
