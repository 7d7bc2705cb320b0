"""Requests per minute over all processes, and entries of the usage log that are too old."""

from datetime import timedelta

import pytest

from store import retention
from store.store import Store
from store.values.usage import Kind, UsageEntry
from tests.harness.stores import START, StillClock, add_account, sign_in

MINUTE = START.replace(second=0, microsecond=0)


def add(store: Store, counts: dict[str, int], *, minutes: int = 0) -> dict[str, int]:
    with store.database.write() as tx:
        return store.rates.add(tx, counts, MINUTE + timedelta(minutes=minutes))


def test_what_several_count_adds_up_within_a_minute(store: Store) -> None:
    assert add(store, {"key:1": 2, "account:1": 3}) == {"key:1": 2, "account:1": 3}
    assert add(store, {"key:1": 5}) == {"key:1": 7}
    assert add(store, {"key:1": 1, "account:1": 1}, minutes=1) == {"key:1": 1, "account:1": 1}
    assert add(store, {"key:1": 4}) == {"key:1": 4}
    assert add(store, {"key:1": 1}, minutes=1) == {"key:1": 2}


def test_what_was_counted_is_forgotten_and_tries_of_others_are_not(store: Store) -> None:
    add(store, {"key:1": 2})
    store.throttles.admit("pts/0")
    store.rates.forget_before(MINUTE + timedelta(minutes=1))
    assert add(store, {"key:1": 1}) == {"key:1": 1}
    for _ in range(9):
        store.throttles.admit("pts/0")
    with pytest.raises(Exception, match="Too many attempts"):
        store.throttles.admit("pts/0")


def log_days(store: Store, clock: StillClock, days: int, *, each: int = 3) -> int:
    account = add_account(store).id
    for _ in range(days):
        for _ in range(each):
            store.usage.record(account, UsageEntry(Kind.CONSUMPTION, "m", cost_micro_usd=1))
        clock.advance(days=1)
    return account


def logged(store: Store) -> int:
    return len(store.usage.page(sign_in(store), limit=500).entries)


def test_entries_older_than_is_kept_go_and_the_totals_of_their_days_stay(
    store: Store, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_ENTRIES", 4)
    log_days(store, clock, 10)
    assert store.retention.prune() == 0
    assert logged(store) == 30
    store.site.set("usage.retention_days", "3")
    assert store.retention.prune() == 21
    assert logged(store) == 9
    assert sum(day.calls for day in store.usage.days(sign_in(store), 30)) == 30


def test_a_run_is_bounded_and_the_next_goes_on(
    store: Store, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_ENTRIES", 2)
    monkeypatch.setattr(retention, "MAX_BATCHES", 3)
    log_days(store, clock, 10)
    store.site.set("usage.retention_days", "1")
    assert store.retention.prune() == 6
    assert store.retention.prune() == 0, "another process had the run"
    clock.advance(minutes=4)
    assert store.retention.prune() == 6


def test_a_clock_set_back_does_not_end_the_runs(store: Store, clock: StillClock) -> None:
    account = log_days(store, clock, 3)
    store.site.set("usage.retention_days", "1")
    assert store.retention.prune() == 6
    clock.advance(minutes=-30)
    assert store.retention.prune() == 0
    store.usage.record(account, UsageEntry(Kind.CONSUMPTION, "m"))
    clock.advance(days=3)
    assert store.retention.prune() == 4
