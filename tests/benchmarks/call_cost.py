"""The cost of a relayed call at the database: statements, transactions, and bytes.

python -m tests.benchmarks.call_cost [--calls N]

Counted, not timed: the figures do not depend on the machine. One client calls, and then sixteen at once, whose work is
committed together. On PostgreSQL the messages on the socket are counted (`message_counter`).
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final
from unittest.mock import patch

from sqlalchemy import event, text

from store.kept_transaction import KeptTransaction
from store.store import Store
from tests.benchmarks.message_counter import Counter, counted
from tests.fakes.scripted_model_server import CHAT, ModelServer
from tests.harness.gateway_client import client_of, make_relayed
from tests.harness.postgres import running_server
from tests.harness.statement_events import listen_before
from tests.harness.stores import lift_request_rates, make_store, sqlite_url

CALLS: Final = 800
"""Calls that are counted, by default."""
WARM_UP_CALLS: Final = 200
AT_ONCE: Final = 16


@dataclass
class Counted:
    """The sums over all counted calls. A transaction that changes nothing is a read."""

    statements: int = 0
    writes: int = 0
    reads: int = 0
    round_trips: int | None = None
    """None on SQLite, which is in this process."""


@contextmanager
def counting(store: Store, counter: Counter | None) -> Iterator[Counted]:
    """Count what the database is asked while the context is open."""
    counted = Counted()
    if counter is None:
        with counting_statements(store, counted):
            yield counted
        return
    before, written = replace(counter), ids_given(store)
    yield counted
    counted.statements = counter.statements - before.statements
    counted.round_trips = counter.round_trips - before.round_trips
    counted.writes = ids_given(store) - written
    counted.reads = counter.transactions - before.transactions - counted.writes


def ids_given(store: Store) -> int:
    """The number of transactions of PostgreSQL that have changed something so far: only those get an id."""
    with store.database.look() as tx:
        return int(tx.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")).scalar_one())


@contextmanager
def counting_statements(store: Store, counted: Counted) -> Iterator[None]:
    """Count on SQLite."""
    engine = store.database.engine
    changed: set[int] = set()

    def executed(connection: object, statement: str) -> None:
        counted.statements += 1
        if statement.lstrip().split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE", "WITH"):
            changed.add(id(connection))

    def ended(connection: object) -> None:
        if id(connection) in changed:
            changed.discard(id(connection))
            counted.writes += 1
        else:
            counted.reads += 1

    leave_kept = KeptTransaction.__exit__

    def leave_and_tell(
        self: KeptTransaction,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        is_told = self._connection.in_transaction()  # SQLAlchemy calls the hooks
        try:
            leave_kept(self, kind, error, trace)
        finally:
            if not is_told:
                ended(self._connection)

    hooks: list[tuple[str, Callable[..., None]]] = [
        ("commit", ended),
        ("rollback", ended),
    ]
    for name, hook in hooks:
        event.listen(engine, name, hook)
    end = listen_before(engine, executed)
    try:
        with patch.object(KeptTransaction, "__exit__", leave_and_tell):
            yield
    finally:
        end()
        for name, hook in hooks:
            event.remove(engine, name, hook)


def size_of(store: Store) -> int:
    """Bytes of the database's tables and indexes."""
    with store.database.read() as tx:
        if store.database.is_postgresql:
            return int(tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        free = int(tx.execute(text("PRAGMA freelist_count")).scalar_one())
        pages = int(tx.execute(text("PRAGMA page_count")).scalar_one())
        return (pages - free) * int(tx.execute(text("PRAGMA page_size")).scalar_one())


def log_position(store: Store) -> int:
    """Bytes of write-ahead log that PostgreSQL has written so far; 0 on SQLite."""
    if not store.database.is_postgresql:
        return 0
    with store.database.read() as tx:
        return int(tx.execute(text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")).scalar_one())


async def call(store: Store, key: str, calls: int, at_once: int) -> None:
    """Make `calls` calls, `at_once` side by side."""
    async with client_of(store, token=key, upstream=ModelServer()) as client:

        async def caller() -> None:
            for _ in range(calls // at_once):
                answer = await client.post("/v1/chat/completions", json=CHAT)
                answer.raise_for_status()

        await asyncio.gather(*(caller() for _ in range(at_once)))


def measure(url: str, name: str, calls: int, counter: Counter | None = None) -> None:
    """Print one row for each number of clients."""
    with make_store(url) as store:
        lift_request_rates(store)
        key = make_relayed(store, quota_usd=1000)
        asyncio.run(call(store, key, WARM_UP_CALLS, 1))
        for at_once in (1, AT_ONCE):
            size, position = size_of(store), log_position(store)
            with counting(store, counter) as seen:
                asyncio.run(call(store, key, calls, at_once))
            logged = log_position(store) - position
            trips = seen.round_trips
            print(
                f"{name:<12}{at_once:>8}{seen.statements / calls:>12.1f}"
                + ("-" if trips is None else f"{trips / calls:.2f}").rjust(13)
                + f"{seen.writes / calls:>10.2f}{seen.reads / calls:>10.2f}"
                f"{(size_of(store) - size) / calls:>10,.0f}" + (f"{logged / calls:,.0f}" if logged else "-").rjust(11)
            )


def main() -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=CALLS, help="calls that are counted")
    calls = parser.parse_args().calls
    print(
        f"{'a call':<12}{'clients':>8}{'statements':>12}{'round trips':>13}{'writes':>10}{'reads':>10}{'bytes':>10}"
        f"{'WAL bytes':>11}"
    )
    with tempfile.TemporaryDirectory() as folder:
        measure(sqlite_url(Path(folder)), "SQLite", calls)
    with running_server() as server, server.database() as url, counted(server) as (through, counter):
        measure(through(url), "PostgreSQL", calls, counter)


if __name__ == "__main__":
    main()
