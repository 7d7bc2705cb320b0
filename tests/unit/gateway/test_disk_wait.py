"""The wait for the disk on PostgreSQL: who asked for a durable write is told after it, and nobody else waits for it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Final

import pytest
from sqlalchemy import Connection, text

from gateway.store_threads import StoreThreads
from store.errors import DatabaseRefused, DatabaseUnreachable, StoreUnavailable
from store.reservations import Hold
from store.shortcut import Shortcut, take_shortcuts
from store.store import Store
from tests.harness.quota_calls import CALL, hold_quota
from tests.harness.stores import add_account, sign_in

pytestmark = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
PATIENCE: Final = 90.0
"""Seconds for whatever is waited for: a machine at work on other things is slow, not broken."""


class Disk:
    """The disk of the database, which can be slow or fail."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_have_it = threading.Event()
        self.is_asked = threading.Event()
        self.fails = False
        self.times = 0
        self._flush = store.database.flush
        monkeypatch.setattr(store.database, "flush", self.flush)

    def flush(self) -> None:
        self.times += 1
        self.is_asked.set()
        assert self.may_have_it.wait(PATIENCE)
        if self.fails:
            raise DatabaseUnreachable
        self._flush()


@pytest.fixture
def disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(store, monkeypatch)


@pytest.fixture
async def threads(store: Store) -> AsyncIterator[StoreThreads]:
    threads = StoreThreads(store.database)
    yield threads
    await threads.close()


def account_of(store: Store) -> int:
    return add_account(store, quota_usd=5).id


def book(threads: StoreThreads, store: Store, hold: Hold) -> asyncio.Future[int]:
    def steps(tx: Connection) -> int:
        return store.quota.book(tx, hold, 7, CALL)

    def shortcut() -> Shortcut[int]:
        return store.quota.shortcuts.book(hold, 7, CALL)

    return threads.write(steps, account_id=hold.account_id, shortcut=shortcut)


async def booked_behind_another(threads: StoreThreads, store: Store, account_id: int) -> list[asyncio.Future[int]]:
    """Bookings of three calls that waited together."""
    may_begin = threading.Event()
    holds = [hold_quota(store, account_id, 10) for _ in range(3)]
    first = threads.write(lambda _tx: may_begin.wait(PATIENCE), account_id=account_id)
    await asyncio.sleep(0)
    bookings = [book(threads, store, hold) for hold in holds]
    await asyncio.sleep(0)
    may_begin.set()
    await first
    return bookings


async def test_a_booking_is_told_when_the_disk_has_it_and_keeps_nobody_waiting_meanwhile(
    store: Store, threads: StoreThreads, disk: Disk
) -> None:
    account_id = account_of(store)
    async with asyncio.timeout(PATIENCE):
        bookings = await booked_behind_another(threads, store, account_id)
        await asyncio.to_thread(disk.is_asked.wait, PATIENCE)
        # The row of the quota is free: another write of the account ends, and finds the bookings.
        state = await threads.write(
            lambda tx: store.quota.state_of(tx, account_id), durable=False, account_id=account_id
        )
        assert (state.used_micro_usd, state.held_micro_usd) == (21, 0)
        assert not any(booking.done() for booking in bookings)
        disk.may_have_it.set()
        assert await asyncio.gather(*bookings) == [7, 7, 7]
    assert disk.times == 1


async def test_a_booking_alone_waits_for_the_disk_itself(store: Store, threads: StoreThreads, disk: Disk) -> None:
    hold = hold_quota(store, account_of(store), 10)
    async with asyncio.timeout(PATIENCE):
        assert await book(threads, store, hold) == 7
    assert disk.times == 0


async def test_closing_waits_until_the_disk_has_it(store: Store, disk: Disk) -> None:
    threads = StoreThreads(store.database)
    async with asyncio.timeout(PATIENCE):
        bookings = await booked_behind_another(threads, store, account_of(store))
        await asyncio.to_thread(disk.is_asked.wait, PATIENCE)
        closing = asyncio.create_task(threads.close())
        for _ in range(20):  # the other threads have time to stop
            await asyncio.to_thread(lambda: None)
        assert not closing.done()
        disk.may_have_it.set()
        await closing
    assert [booking.result() for booking in bookings] == [7, 7, 7]


async def test_a_booking_that_the_disk_may_not_have_is_an_error_and_made_once_all_the_same(
    store: Store, threads: StoreThreads, disk: Disk
) -> None:
    account_id = account_of(store)
    disk.fails = True
    disk.may_have_it.set()
    async with asyncio.timeout(PATIENCE):
        outcomes = await asyncio.gather(
            *await booked_behind_another(threads, store, account_id), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [DatabaseUnreachable] * 3
        disk.fails = False
        bookings = await booked_behind_another(threads, store, account_id)
        assert await asyncio.gather(*bookings) == [7, 7, 7], "the disk is asked again"
    assert disk.times == 2
    assert store.quota.state(sign_in(store)).used_micro_usd == 42


async def test_a_server_that_refuses_to_be_asked_is_asked_no_more(
    store: Store, threads: StoreThreads, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = account_of(store)

    def refuse() -> None:
        disk.times += 1
        raise DatabaseRefused("No.")

    monkeypatch.setattr(store.database, "flush", refuse)
    async with asyncio.timeout(PATIENCE):
        first = await asyncio.gather(*await booked_behind_another(threads, store, account_id), return_exceptions=True)
        assert all(isinstance(outcome, StoreUnavailable) for outcome in first)
        assert await asyncio.gather(*await booked_behind_another(threads, store, account_id)) == [7, 7, 7]
    assert disk.times == 1


def position(store: Store, name: str) -> int:
    """A position in the log of the server, in bytes."""
    with store.database.look() as tx:
        return int(tx.execute(text(f"SELECT pg_wal_lsn_diff({name}(), '0/0')")).scalar_one())


def wait_for_the_disk(store: Store) -> None:
    """Have commits wait for the disk, as they do by default; the server of the tests does without."""
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{store.database.url.database}" SET synchronous_commit TO on')
    store.database.engine.dispose()


def test_a_flush_is_of_all_that_was_committed_before(store: Store) -> None:
    wait_for_the_disk(store)
    account_id = account_of(store)
    for _ in range(5):
        hold = hold_quota(store, account_id, 10)
        assert take_shortcuts(store.database, [store.quota.shortcuts.book(hold, 7, CALL)], durable=False) != [None]
        written = position(store, "pg_current_wal_insert_lsn")
        store.database.flush()
        assert position(store, "pg_current_wal_flush_lsn") >= written
