"""Guesses are counted before they are made, locks grow, and no restart or clock takes them away."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from store.errors import FactorDisabled, TooManyAttempts
from store.models import RateWindow, Throttle
from store.store import Store
from store.throttle import (
    ATTEMPTS_IN_TOTAL,
    ATTEMPTS_PER_SOURCE,
    BEARER_ATTEMPTS,
    DISABLED_AFTER_FAILURES,
    PASSKEY_PAGE_BUCKET,
    Factor,
)
from tests.harness.people import contents
from tests.harness.stores import StillClock, make_store

PASSWORD = Factor.PASSWORD


def reserve(store: Store, times: int = 1, *, factor: Factor = PASSWORD, name: str = "alice") -> None:
    for _ in range(times):
        store.throttles.reserve(factor, name)


def refused_for(store: Store, name: str = "alice") -> int:
    """The seconds a refused try is told to wait."""
    with pytest.raises(TooManyAttempts) as caught:
        store.throttles.reserve(PASSWORD, name)
    assert str(int(caught.value.retry_after.total_seconds())) in str(caught.value)
    return int(caught.value.retry_after.total_seconds())


def failures(store: Store, name: str = "alice") -> int:
    with store.database.read() as tx:
        return store.throttles.failures(tx, PASSWORD, name)


def test_the_ladder(store: Store, clock: StillClock) -> None:
    reserve(store, 4)
    waits = []
    for _ in range(8):
        reserve(store)
        waits.append(refused_for(store))
        clock.advance(seconds=waits[-1] - 1)
        assert refused_for(store) == 1
        clock.advance(seconds=1)
    print(f"locks after the fifth failure and on: {waits} s")
    assert waits == [60, 120, 240, 480, 900, 900, 900, 900]


def test_a_refused_try_is_not_counted(store: Store) -> None:
    reserve(store, 5)
    for _ in range(20):
        refused_for(store)
    assert failures(store) == 5


def test_the_hundredth_failure_disables_the_factor(store: Store, clock: StillClock) -> None:
    made = 0
    while made < DISABLED_AFTER_FAILURES:
        reserve(store)
        made += 1
        clock.advance(seconds=900)
    with pytest.raises(FactorDisabled, match="100 failures"):
        store.throttles.reserve(PASSWORD, "alice")
    clock.advance(days=365)
    with pytest.raises(FactorDisabled):
        store.throttles.reserve(PASSWORD, "alice")
    print(f"failures in a row before the factor is off: {made}")
    assert failures(store) == made


def test_waiting_does_not_buy_more_than_a_hundred(store: Store, clock: StillClock) -> None:
    for made in range(DISABLED_AFTER_FAILURES):
        reserve(store)
        reserve(store, name=f"somebody-{made}")
        clock.advance(days=1.1 if made % 5 == 4 else 0.02)
    with pytest.raises(FactorDisabled):
        reserve(store)


def test_the_right_one_starts_again(store: Store, clock: StillClock) -> None:
    reserve(store, 5)
    clock.advance(seconds=60)
    with store.database.write() as tx:
        store.throttles.reset(tx, PASSWORD, "ALICE")
    reserve(store, 5)
    assert refused_for(store) == 60


def test_a_lock_survives_a_restart(file_url: str, clock: StillClock) -> None:
    with make_store(file_url, clock=clock) as store:
        reserve(store, 6 - 1)
    with make_store(file_url, clock=clock) as store:
        assert refused_for(store) == 60


def test_two_stores_share_one_budget(file_url: str, clock: StillClock) -> None:
    with make_store(file_url, clock=clock) as here, make_store(file_url, clock=clock) as there:
        reserve(here, 3)
        reserve(there, 2)
        assert refused_for(here) == refused_for(there) == 60


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1)])
def test_a_clock_set_back_neither_lifts_nor_stretches_a_lock(store: Store, clock: StillClock, back: timedelta) -> None:
    reserve(store, 5)
    clock.time -= back
    assert refused_for(store) == 900
    clock.advance(seconds=899)
    assert refused_for(store) == 1
    clock.advance(seconds=1)
    reserve(store)


def test_a_clock_set_back_a_little_keeps_the_lock(store: Store, clock: StillClock) -> None:
    reserve(store, 5)
    clock.advance(seconds=-30)
    assert refused_for(store) == 90


def test_each_factor_and_each_name_has_its_own_budget(store: Store) -> None:
    reserve(store, 5)
    reserve(store, 5, factor=Factor.SECOND)
    reserve(store, 5, factor=Factor.PASSKEY)
    reserve(store, 5, name="bob")
    refused_for(store, "ALICE")
    refused_for(store, "ａlice")
    reserve(store, name="carol")


@pytest.mark.parametrize("name", ["nobody", "", "\x00", "\ud800", "x" * 100_000], ids=lambda name: ascii(name[:8]))
def test_any_name_is_counted(store: Store, name: str) -> None:
    reserve(store, 5, name=name)
    assert refused_for(store, name) == 60


def test_no_name_is_stored(store: Store) -> None:
    reserve(store, name="alice")
    store.throttles.admit("203.0.113.77")
    assert not any(
        "alice" in repr(row) or "203.0.113" in repr(row) for rows in contents(store).values() for row in rows
    )


def test_few_failures_are_forgotten_after_a_day(store: Store, clock: StillClock) -> None:
    reserve(store, 4)
    reserve(store, 5, name="bob")
    clock.advance(days=1, seconds=1)
    reserve(store, name="carol")
    assert (failures(store), failures(store, "bob")) == (0, 5)
    clock.advance(days=30)
    reserve(store, name="dave")
    with store.database.read() as tx:
        assert len(tx.execute(select(Throttle)).all()) == 1


def test_forgetting_a_name_leaves_no_row(store: Store) -> None:
    for factor in Factor:
        reserve(store, factor=factor)
    with store.database.write() as tx:
        store.throttles.forget(tx, "Alice")
        assert tx.execute(select(Throttle)).all() == []


# -- sources ----------------------------------------------------------------------------------------------------


def test_ten_tries_from_one_source(store: Store, clock: StillClock) -> None:
    for _ in range(ATTEMPTS_PER_SOURCE):
        store.throttles.admit("pts/0")
        clock.advance(seconds=10)
    with pytest.raises(TooManyAttempts) as caught:
        store.throttles.admit("pts/0")
    assert caught.value.retry_after == timedelta(seconds=300 - 100)
    store.throttles.admit("pts/1")
    clock.advance(seconds=200)
    store.throttles.admit("pts/0")


def test_everyone_together_is_limited_too(memory_store: Store, clock: StillClock) -> None:
    memory_store.throttles.admit("the first")
    with memory_store.database.write() as tx:
        tx.execute(update(RateWindow).where(RateWindow.c.bucket == "everyone").values(hits=ATTEMPTS_IN_TOTAL - 1))
    memory_store.throttles.admit("the last")
    with pytest.raises(TooManyAttempts) as caught:
        memory_store.throttles.admit("one more")
    assert caught.value.retry_after == timedelta(minutes=5)
    clock.advance(minutes=5)
    memory_store.throttles.admit("one more")


def test_a_try_that_was_right_can_be_given_back(store: Store, clock: StillClock) -> None:
    store.throttles.refund("pts/0", tried_at=clock.now())
    for _ in range(ATTEMPTS_PER_SOURCE * 3):
        store.throttles.admit("pts/0")
        store.throttles.refund("pts/0", tried_at=clock.now())
    for _ in range(ATTEMPTS_PER_SOURCE):
        store.throttles.admit("pts/0")
    with pytest.raises(TooManyAttempts):
        store.throttles.admit("pts/0")


def count_bad_bearer(store: Store, peer: str) -> None:
    with store.database.write() as tx:
        store.throttles.count_bad_bearer(tx, peer)


def test_bad_bearer_tokens_are_counted_apart(store: Store, clock: StillClock) -> None:
    for _ in range(BEARER_ATTEMPTS):
        count_bad_bearer(store, "203.0.113.7")
    with pytest.raises(TooManyAttempts) as caught:
        count_bad_bearer(store, "203.0.113.7")
    assert caught.value.retry_after == timedelta(minutes=5)
    count_bad_bearer(store, "203.0.113.8")
    store.throttles.admit("203.0.113.7")
    clock.advance(minutes=5)
    count_bad_bearer(store, "203.0.113.7")


def test_a_try_is_not_given_back_in_a_window_that_never_counted_it(store: Store, clock: StillClock) -> None:
    store.throttles.admit("pts/0")
    tried_at = clock.now()
    clock.advance(minutes=6)
    for _ in range(ATTEMPTS_PER_SOURCE):
        store.throttles.admit("pts/0")
    store.throttles.refund("pts/0", tried_at=tried_at)
    with store.database.write() as tx:
        store.throttles.refund_in(tx, "pts/0", tried_at=tried_at)
    with pytest.raises(TooManyAttempts):
        store.throttles.admit("pts/0")


def test_old_windows_are_forgotten(store: Store, clock: StillClock) -> None:
    store.throttles.admit("pts/0")
    clock.advance(days=1, seconds=1)
    store.throttles.admit("pts/1")
    with store.database.read() as tx:
        assert len(tx.execute(select(RateWindow)).all()) == 2


def test_a_clock_set_back_does_not_keep_a_source_out(store: Store, clock: StillClock) -> None:
    for _ in range(ATTEMPTS_PER_SOURCE):
        store.throttles.admit("pts/0")
    clock.advance(days=-1)
    store.throttles.admit("pts/0")


def test_a_flood_of_codes_keeps_nobody_from_signing_in(memory_store: Store) -> None:
    memory_store.throttles.admit("the first", among=PASSKEY_PAGE_BUCKET)
    with memory_store.database.write() as tx:
        tx.execute(update(RateWindow).where(RateWindow.c.bucket == PASSKEY_PAGE_BUCKET).values(hits=ATTEMPTS_IN_TOTAL))
    with pytest.raises(TooManyAttempts):
        memory_store.throttles.admit("one more", among=PASSKEY_PAGE_BUCKET)
    memory_store.throttles.admit("pts/0")
