"""A copy made while eight programs write is a whole database of one moment."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from os import sched_yield
from pathlib import Path

import pytest
from sqlalchemy import func, select

from store import schema
from store.models import Account, Quota, UsageEntryRow
from store.money import MICRO_PER_USD
from store.store import Store
from store.values.usage import Kind, UsageEntry
from tests.harness.processes import FULL, ProcessGroup, Worker, enter
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.stores import START, add_account, make_store, sqlite_url

COST = 10


def write(worker: Worker, url: str, account_ids: list[int], stop: Path) -> int:
    """Make calls on one's own account until told to stop; returns how many."""
    made = 0
    with enter(url).store as store:
        worker.meet()
        while not stop.exists():
            reservation = hold_quota(store, account_ids[worker.number], COST)
            book_call(store, reservation, COST, UsageEntry(Kind.CONSUMPTION, "model"))
            made += 1
    return made


@contextmanager
def writers(processes: ProcessGroup, url: str, account_ids: list[int], stop: Path) -> Iterator[None]:
    """Eight programs at work meanwhile, each of which gets something done."""
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(processes.run, write, url, account_ids, stop)
        try:
            yield
        finally:
            stop.touch()
        assert all(running.result())


def calls_made(store: Store) -> list[int]:
    """The number of calls each account has made so far."""
    with store.database.read() as tx:
        used = tx.execute(select(Quota.c.used_micro_usd).order_by(Quota.c.account_id)).scalars()
        return [micro_usd // COST for micro_usd in used]


def wait_for_calls(store: Store, at_least: int) -> int:
    """Wait until all accounts together have made so many; returns how many they have."""
    while sum(made := calls_made(store)) < at_least or not all(made):
        sched_yield()
    return sum(made)


def is_intact(copy: Path) -> bool:
    """True if a copy is intact, private and consistent: each account's money and log agree."""
    with closing(sqlite3.connect(copy)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return False
    with make_store(f"sqlite:///{copy}") as store, store.database.read() as tx:
        accounts = tx.execute(select(Account.c.id)).scalars().all()
        return len(accounts) == FULL and all(adds_up(store, account_id) for account_id in accounts)


def adds_up(store: Store, account_id: int) -> bool:
    count = select(func.count()).where(UsageEntryRow.c.account_id == account_id)
    with store.database.read() as tx:
        state = store.quota.state_of(tx, account_id)
        logged = tx.execute(count).scalar_one()
        is_chained = store.audit.verify(tx, account_id) is None
    spent = logged * COST
    return is_chained and (state.remaining_micro_usd, state.used_micro_usd) == (5 * MICRO_PER_USD - spent, spent)


@pytest.mark.parametrize("count", [4, pytest.param(50, marks=pytest.mark.long)])
def test_a_backup_amid_writers_is_whole(processes: ProcessGroup, tmp_path: Path, count: int) -> None:
    url, stop = sqlite_url(tmp_path), tmp_path / "stop"
    folder = tmp_path / "copies"
    folder.mkdir(mode=0o700)
    with make_store(url) as store:
        account_ids = [add_account(store, f"user{number}").id for number in range(FULL)]
        with writers(processes, url, account_ids, stop):
            made, calls = [], 0
            for number in range(count):
                calls = wait_for_calls(store, calls + 1)
                made.append(schema.back_up(store.database, folder, START + timedelta(seconds=number)))
    copies = [copy for copy in made if copy is not None]
    private = sum(copy.stat().st_mode & 0o777 == 0o600 for copy in copies)
    whole = sum(is_intact(copy) for copy in copies)
    print(f"BAR O4 {len(copies)} copies while {FULL} programs wrote: {whole} whole, {private} private")
    assert (len(copies), whole, private) == (count, count, count)
