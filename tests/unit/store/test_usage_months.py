"""The partitions of the usage log: made ahead and dropped whole, and no entry is refused, lost or listed twice."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from store import backup, usage_months
from store.models import LedgerEntryRow, UsageDay, UsageEntryRow
from store.restore import restore
from store.store import Store
from store.usage_months import MonthsKept, partitions
from store.values.usage import Kind, UsageEntry
from tests.harness.stores import START, StillClock, add_account, make_ring, make_store, sign_in

on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


@pytest.fixture
def log(url: str, clock: StillClock) -> Iterator[Store]:
    """A store of one test, because partitions stay; it has an account."""
    with make_store(url, clock=clock) as store:
        add_account(store)
        yield store


def call(store: Store, *, cost: int = 5) -> int:
    return store.usage.record(1, UsageEntry(Kind.CONSUMPTION, "m", cost_micro_usd=cost, client_ip="10.0.0.1"))


def names(store: Store) -> list[str]:
    with store.database.read() as tx:
        return [partition.name for partition in partitions(tx)]


def rows_in(store: Store, table: str) -> int:
    with store.database.read() as tx:
        return int(tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - ours


def all_ids(store: Store) -> list[int]:
    """The ids that pages list, the newest first."""
    page = store.usage.page(sign_in(store), limit=500)
    assert page.next_before is None
    return [entry.id for entry in page.entries]


# -- made -------------------------------------------------------------------------------------------------------


@on_postgresql
def test_this_month_and_the_next_two_are_made_and_take_their_entries(log: Store, clock: StillClock) -> None:
    first = call(log)
    assert rows_in(log, "usage_log_rest") == 1
    made = ("usage_log_2026_11", "usage_log_2026_12", "usage_log_2027_01")
    assert log.usage_months.keep() == MonthsKept(made)
    assert log.usage_months.keep() == MonthsKept()
    second = call(log)
    assert (rows_in(log, made[0]), rows_in(log, "usage_log_rest")) == (2, 0)
    clock.advance(days=8)
    third = call(log)
    assert rows_in(log, made[1]) == 1
    assert all_ids(log) == [third, second, first]
    assert log.usage_months.keep() == MonthsKept(("usage_log_2027_02",))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_sqlite_keeps_one_table(log: Store) -> None:
    log.site.set("usage.retention_days", "1")
    call(log)
    assert log.usage_months.keep() == MonthsKept()


@on_postgresql
@pytest.mark.parametrize("year", [1, 1960, 1999, 2031, 2200, 9999])
def test_a_clock_that_jumps_neither_loses_an_entry_nor_stops_the_runs(log: Store, clock: StillClock, year: int) -> None:
    ids = [call(log)]
    log.usage_months.keep()
    clock.time = datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    ids.append(call(log))
    if year in (1999, 2031):
        assert log.usage_months.keep().made[0] == f"usage_log_{year}_12"
    else:
        assert log.usage_months.keep() == MonthsKept()
    ids.append(call(log))
    clock.time = START
    ids.append(call(log))
    log.usage_months.keep()
    assert all_ids(log) == ids[::-1]
    with log.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(UsageEntryRow)).scalar() == 4


@on_postgresql
def test_a_month_of_the_future_is_made_when_its_time_comes(log: Store, clock: StillClock) -> None:
    log.usage_months.keep()
    clock.time = datetime(2027, 9, 5, tzinfo=UTC)
    call(log)
    clock.time = START
    log.usage_months.keep()
    assert rows_in(log, "usage_log_rest") == 1, "it stays in the rest"
    clock.time = datetime(2027, 7, 5, tzinfo=UTC)
    assert "usage_log_2027_09" in log.usage_months.keep().made
    assert (rows_in(log, "usage_log_rest"), rows_in(log, "usage_log_2027_09")) == (0, 1)


@on_postgresql
def test_more_than_a_moment_can_move_stays_in_the_rest_and_is_found(
    log: Store, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_months, "MAX_MOVED", 2)
    ids = [call(log) for _ in range(3)]
    assert log.usage_months.keep().made == ("usage_log_2026_12", "usage_log_2027_01")
    assert all_ids(log) == ids[::-1]
    log.site.set("usage.retention_days", "1")
    clock.advance(days=2)
    assert log.retention.prune() == 3
    assert "usage_log_2026_11" in log.usage_months.keep().made


@on_postgresql
def test_a_table_of_that_name_is_left_alone(log: Store) -> None:
    with log.database.write() as tx:
        tx.execute(text("CREATE TABLE usage_log_2026_12 (mine integer)"))
    assert log.usage_months.keep().made == ("usage_log_2026_11", "usage_log_2027_01")
    call(log)
    assert rows_in(log, "usage_log_2026_12") == 0


# -- dropped ----------------------------------------------------------------------------------------------------


@on_postgresql
def test_a_month_goes_once_it_lies_entirely_beyond_and_the_totals_and_the_ledger_stay(
    log: Store, clock: StillClock
) -> None:
    clock.time = datetime(2026, 8, 31, 23, 0, tzinfo=UTC)
    log.usage_months.keep()
    for _ in range(3):
        with log.database.write() as tx:
            hold = log.quota.hold(tx, 1, 10)
            log.quota.book(tx, hold, 5, UsageEntry(Kind.CONSUMPTION, "m", cost_micro_usd=5))
        clock.time += timedelta(hours=1) if clock.time.month == 8 else timedelta(days=30)
    log.site.set("usage.retention_days", "30")
    clock.time = datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)
    assert log.usage_months.keep().dropped == (), "its last second is within the time"
    clock.time += timedelta(seconds=1)
    assert log.usage_months.keep().dropped == ("usage_log_2026_08",)
    assert rows_in(log, "usage_log") == 2
    clock.time = datetime(2026, 10, 30, 23, 59, 59, tzinfo=UTC)
    assert log.usage_months.keep().dropped == ()
    clock.time += timedelta(seconds=1)
    assert log.usage_months.keep().dropped == ("usage_log_2026_09",)
    with log.database.read() as tx:
        assert tx.execute(select(func.sum(UsageDay.c.calls))).scalar() == 3
        calls = select(func.sum(LedgerEntryRow.c.amount_micro_usd)).where(LedgerEntryRow.c.kind == "call")
        assert tx.execute(calls).scalar() == -15


@on_postgresql
def test_nothing_is_dropped_without_a_retention_time(log: Store, clock: StillClock) -> None:
    call(log)
    log.usage_months.keep()
    clock.time += timedelta(days=4000)
    assert log.usage_months.keep().dropped == ()
    assert rows_in(log, "usage_log_2026_11") == 1


# -- beside others ----------------------------------------------------------------------------------------------


@on_postgresql
def test_a_reader_of_the_log_delays_it_and_calls_go_on(log: Store) -> None:
    with log.database.read() as tx:
        tx.execute(select(func.count()).select_from(UsageEntryRow)).scalar()
        assert log.usage_months.keep() == MonthsKept()
        call(log)
    assert len(log.usage_months.keep().made) == 3
    assert rows_in(log, "usage_log_2026_11") == 1


@on_postgresql
def test_calls_are_booked_while_months_come_and_go(log: Store) -> None:
    calls, begun, over = 60, threading.Event(), threading.Event()
    log.site.set("usage.retention_days", "1")

    def book() -> None:
        for _ in range(calls):
            with log.database.write() as tx:
                hold = log.quota.hold(tx, 1, 10)
            with log.database.write() as tx:
                log.quota.book(tx, hold, 5, UsageEntry(Kind.CONSUMPTION, "m"))
            begun.set()

    def keep() -> int:
        changes = 0
        assert begun.wait(60)
        while not over.is_set():
            changes += len(log.usage_months.keep().made)
            with log.database.write() as tx:
                for name in ("usage_log_2026_12", "usage_log_2027_01"):
                    tx.execute(text(f"DROP TABLE IF EXISTS {name}"))
        return changes

    with ThreadPoolExecutor(5) as threads:
        keeping = threads.submit(keep)
        try:
            for booking in [threads.submit(book) for _ in range(4)]:
                booking.result()
        finally:
            over.set()
        assert keeping.result() >= 3
    assert log.quota.state(sign_in(log)).used_micro_usd == 4 * calls * 5
    assert rows_in(log, "usage_log") == 4 * calls
    with log.database.read() as tx:
        assert tx.execute(select(func.count(UsageEntryRow.c.id.distinct()))).scalar() == 4 * calls


@on_postgresql
def test_a_restore_makes_the_months_of_the_backup(
    log: Store, clock: StillClock, empty_postgres_url: str, tmp_path: Path
) -> None:
    for months in (0, 62, 62):
        clock.time += timedelta(days=months)
        call(log)
    path = tmp_path / "backup"
    path.touch(0o600)
    backup.write(log.context, path, with_key=False)
    restore(path, empty_postgres_url, make_ring(), replace=False, actor="test", clock=clock, ready=lambda: None)
    with make_store(empty_postgres_url, clock=clock) as restored:
        assert names(restored) == ["usage_log_2026_11", "usage_log_2027_01", "usage_log_2027_03"]
        assert rows_in(restored, "usage_log_rest") == 0
        assert all_ids(restored) == all_ids(log)
        assert call(restored) > max(all_ids(log)), "an id is not given out again"
