"""Calls of several accounts share a transaction of PostgreSQL; none waits for the lock of another account."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import psycopg
import pytest
from sqlalchemy import Connection, literal_column, select, text

from gateway import store_threads, write_transactions
from gateway.disk_wait import DiskWait
from gateway.store_threads import StoreThreads
from store.errors import DatabaseBusy, DatabaseUnreachable, QuotaExceeded, StoreUnavailable
from store.money import MICRO_PER_USD
from store.reservations import Hold
from store.shortcut import Shortcut, WholeStatement
from store.store import Store
from tests.harness.stores import add_account, sign_in

PATIENCE: Final = 60.0
LONG_S: Final = 3600.0
NAMES: Final = ("alice", "bob", "carol", "dave")
FREE: Final = 5 * MICRO_PER_USD


class Payer:
    """An account with an API key."""

    def __init__(self, store: Store, name: str) -> None:
        self.store, self.name = store, name
        self.account_id = add_account(store, name, email=f"{name}@example.com").id
        self.token = sign_in(store, name)
        self.key_id = store.api_keys.create(self.token, "laptop").info.id

    def hold(self, threads: StoreThreads, amount: int = 100) -> asyncio.Future[Hold]:
        """Hand in the hold of a call."""
        quota = self.store.quota

        def work(tx: Connection) -> Hold:
            return quota.hold(tx, self.account_id, amount, api_key_id=self.key_id)

        def shortcut() -> Shortcut[Hold]:
            return quota.shortcuts.hold(self.account_id, amount, api_key_id=self.key_id)

        return threads.write(work, durable=False, account_id=self.account_id, shortcut=shortcut)

    @property
    def held(self) -> int:
        return self.store.quota.state(self.token).held_micro_usd


@pytest.fixture
def payers(postgres_store: Store) -> list[Payer]:
    return [Payer(postgres_store, name) for name in NAMES]


def transactions(store: Store) -> dict[int, str]:
    """The transaction that wrote the hold of each account."""
    with store.database.read() as tx:
        rows = tx.execute(text("SELECT account_id, xmin::text FROM reservations")).all()
    return {row.account_id: row.xmin for row in rows}


@contextmanager
def locked(store: Store, payer: Payer) -> Iterator[Callable[[], None]]:
    """Another program keeps the row of an account's quota, until the function is called that is given."""
    has_begun, may_end = threading.Event(), threading.Event()

    def keep() -> None:
        with store.database.write() as tx:
            tx.execute(text("SELECT 1 FROM quotas WHERE account_id = :id FOR UPDATE"), {"id": payer.account_id})
            has_begun.set()
            assert may_end.wait(PATIENCE)

    keeper = threading.Thread(target=keep)
    keeper.start()
    assert has_begun.wait(PATIENCE)
    try:
        yield may_end.set
    finally:
        may_end.set()
        keeper.join()


async def test_holds_of_several_accounts_are_one_transaction(postgres_store: Store, payers: list[Payer]) -> None:
    threads = StoreThreads(postgres_store.database)
    async with asyncio.timeout(PATIENCE):
        holds = await asyncio.gather(*(payer.hold(threads) for payer in [*payers, *reversed(payers)]))
        await threads.close()
    assert [hold.account_id for hold in holds] == [payer.account_id for payer in [*payers, *reversed(payers)]]
    assert [payer.held for payer in payers] == [200] * len(payers)
    assert len(set(transactions(postgres_store).values())) == 1


async def test_no_more_accounts_than_allowed_share_one(
    postgres_store: Store, payers: list[Payer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_threads, "MAX_ACCOUNTS_PER_COMMIT", 3)
    threads = StoreThreads(postgres_store.database)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(payer.hold(threads) for payer in payers))
        await threads.close()
    first, second, third, fourth = (transactions(postgres_store)[payer.account_id] for payer in payers)
    assert first == second == third != fourth


async def test_a_locked_account_keeps_no_other_waiting(postgres_store: Store, payers: list[Payer]) -> None:
    threads = StoreThreads(postgres_store.database)
    with locked(postgres_store, payers[1]) as unlock:
        async with asyncio.timeout(PATIENCE):
            holds = [payer.hold(threads) for payer in payers]
            others = [hold for hold, payer in zip(holds, payers, strict=True) if payer is not payers[1]]
            await asyncio.gather(*others)
            assert not holds[1].done()
            unlock()
            await holds[1]
            await threads.close()
    assert [payer.held for payer in payers] == [100] * len(payers)


async def test_many_locked_accounts_keep_no_other_waiting(postgres_store: Store, payers: list[Payer]) -> None:
    """Also where each is handed in alone: together they would occupy all transactions that may be shared."""
    threads, *stuck, free = StoreThreads(postgres_store.database), *payers
    assert len(stuck) > store_threads.MAX_SHARED_COMMITS
    with ExitStack() as locks:
        for payer in stuck:
            locks.enter_context(locked(postgres_store, payer))
        async with asyncio.timeout(PATIENCE):
            holds = []
            for payer in stuck:
                holds.append(payer.hold(threads))
                for _ in range(store_threads.MAX_TURNS_GATHERED + 2):
                    await asyncio.sleep(0)
            await free.hold(threads)
            assert not any(hold.done() for hold in holds)
            locks.close()
            await asyncio.gather(*holds)
            await threads.close()
    assert [payer.held for payer in payers] == [100] * len(payers)


async def test_a_connection_on_which_a_lock_was_waited_for_too_long_is_used_no_further(
    postgres_store: Store, payers: list[Payer]
) -> None:
    """The driver prepares a statement at its fifth use, here in the pipeline that the server aborts."""
    many = [*payers, *(Payer(postgres_store, f"payer{number}") for number in range(8))]
    threads = StoreThreads(postgres_store.database)
    address = postgres_store.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with asyncio.timeout(PATIENCE):
        for _ in range(3):
            await many[-1].hold(threads)
        with psycopg.connect(address) as other:
            other.execute("SELECT 1 FROM quotas WHERE account_id = %s FOR UPDATE", [many[0].account_id])
            holds = [payer.hold(threads) for payer in many]
            await asyncio.gather(*holds[1:])
            other.rollback()
            await holds[0]
        for _ in range(3):
            await asyncio.gather(*(payer.hold(threads) for payer in many))
        await threads.close()
    assert [payer.held for payer in many] == [400] * 11 + [700]


async def test_without_a_thread_to_wait_for_the_disk_bookings_are_told_so(
    postgres_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, told = DiskWait(postgres_store.database), list[StoreUnavailable | None]()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async with asyncio.timeout(PATIENCE):
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            disk.tell([told.append])
            await asyncio.sleep(0)
        disk.tell([told.append])
        await disk.close()
    assert isinstance(told[0], DatabaseUnreachable)
    assert told[1:] == [None]


async def test_one_that_is_refused_is_refused_alone(postgres_store: Store, payers: list[Payer]) -> None:
    threads = StoreThreads(postgres_store.database)
    async with asyncio.timeout(PATIENCE):
        holds = [payer.hold(threads, FREE + (payer is payers[2])) for payer in payers]
        outcomes = await asyncio.gather(*holds, return_exceptions=True)
        await threads.close()
    assert [isinstance(outcome, QuotaExceeded) for outcome in outcomes] == [False, False, True, False]
    assert [payer.held for payer in payers] == [FREE, FREE, 0, FREE]


@pytest.mark.parametrize("fails_early", [False, True])
async def test_one_with_an_error_takes_no_other_with_it(
    postgres_store: Store, payers: list[Payer], fails_early: bool
) -> None:
    threads, broken = StoreThreads(postgres_store.database), payers[0].account_id

    def shortcut() -> Shortcut[str]:
        if fails_early:
            raise ZeroDivisionError
        statement = WholeStatement(select(literal_column("1 / (SELECT count(*) FROM quotas WHERE account_id = -1)")))
        return Shortcut(statement, {}, lambda _row: "by the shortcut")

    async with asyncio.timeout(PATIENCE):
        odd = threads.write(lambda _tx: "by the steps", account_id=broken, shortcut=shortcut)
        await asyncio.gather(*(payer.hold(threads) for payer in payers[1:]))
        if fails_early:
            with pytest.raises(ZeroDivisionError):
                await odd
        else:
            assert await odd == "by the steps"
        await threads.close()
    assert [payer.held for payer in payers] == [0, 100, 100, 100]


async def test_only_some_such_transactions_run_at_one_time_and_what_runs_alone_does_not_wait_for_them(
    postgres_store: Store, payers: list[Payer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_threads, "MAX_SHARED_COMMITS", 1)
    monkeypatch.setattr(write_transactions, "LOCK_TIMEOUT_TOGETHER_S", LONG_S)
    threads, alone = StoreThreads(postgres_store.database), payers[3]
    with locked(postgres_store, payers[0]) as unlock:
        async with asyncio.timeout(PATIENCE):
            first = [payer.hold(threads) for payer in payers[:2]]
            for _ in range(store_threads.MAX_TURNS_GATHERED + 2):
                await asyncio.sleep(0)
            assert threads._shared == 1
            second = payers[2].hold(threads)
            await threads.write(lambda _tx: None, account_id=alone.account_id)
            assert not second.done()
            unlock()
            await asyncio.gather(*first, second)
            await threads.close()
    assert [payer.held for payer in payers] == [100, 100, 100, 0]


async def test_without_a_further_thread_a_write_says_so_and_the_next_is_made(
    postgres_store: Store, payers: list[Payer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    threads = StoreThreads(postgres_store.database)
    async with asyncio.timeout(PATIENCE):
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            with pytest.raises(DatabaseBusy, match="no thread left"):
                await payers[0].hold(threads)
        await payers[0].hold(threads)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            await asyncio.gather(*(payer.hold(threads) for payer in payers))
        await threads.close()
    assert [payer.held for payer in payers] == [200, 100, 100, 100]
