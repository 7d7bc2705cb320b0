"""Measures the bytes that calls fill and the bounds of their number: the hot account, the writer, the log's months.

python -m tests.benchmarks.scale [--calls N] [--seconds N]

Bytes and write-ahead log are exact. CPU is that of the database's own process for one connection, which other work on
the machine moves little. Rates are of this machine and this moment: compare two rows of one run, not of two runs.
"""

import argparse
import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import text

from store.store import Store
from store.values.usage import Kind, UsageEntry
from tests.benchmarks.call_cost import call
from tests.benchmarks.scale_calls import ACCOUNTS, add_accounts, make_calls
from tests.benchmarks.scale_months import end_of_month, months, partitioning
from tests.benchmarks.scale_shards import simulate
from tests.benchmarks.scale_wire import counted_socket
from tests.harness.gateway_client import make_relayed
from tests.harness.postgres import PostgresServer, running_server
from tests.harness.stores import add_account, lift_request_rates, make_store, sqlite_url

ENTRY: Final = UsageEntry(
    Kind.CONSUMPTION,
    "gpt-5-mini-2026-08",
    api_key_name="laptop",
    request_id="req_0123456789abcdef0123456789",
    status="ok",
    prompt_tokens=1200,
    completion_tokens=300,
    duration_ms=900,
)


def book(store: Store, calls: int, *, together: int) -> None:
    """Hold and book `calls` calls of the account 1, `together` in each transaction."""
    for _ in range(calls // together):
        with store.database.write(durable=False) as tx:
            holds = [store.quota.hold(tx, 1, 900) for _ in range(together)]
        with store.database.write() as tx:
            for hold in holds:
                store.quota.book(tx, hold, 500, ENTRY)


def say_bytes(name: str, sizes: Iterator[tuple[str, int]], calls: int) -> None:
    """Print the bytes that a call leaves, by table and index."""
    found = [(what, size / calls) for what, size in sizes if size / calls >= 5]
    print(f"\nbytes of a call, {name} ({sum(size for _, size in found):,.0f} in all)")
    for what, size in sorted(found, key=lambda pair: -pair[1]):
        print(f"  {what:<48}{size:>8,.0f}")


def bytes_sqlite(folder: Path, calls: int) -> None:
    url = sqlite_url(folder)
    with make_store(url) as store:
        add_account(store, quota_usd=1000)
        book(store, calls, together=50)
        store.database.checkpoint()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        say_bytes("SQLite", iter(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY 1")), calls)


def bytes_postgresql(store: Store, calls: int) -> None:
    store.usage_months.keep()
    book(store, calls, together=50)
    query = text("SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    with store.database.read() as tx:
        say_bytes("PostgreSQL", iter([(row[0], row[1]) for row in tx.execute(query)]), calls)


def wire(server: PostgresServer, calls: int) -> None:
    """Print the bytes between the gateway and PostgreSQL, of whole relayed calls."""
    for at_once in (1, 16):
        with (
            server.database() as url,
            counted_socket(server.folder) as counted,
            make_store(url.replace(str(server.folder), counted.folder)) as store,
        ):
            lift_request_rates(store)
            key = make_relayed(store, quota_usd=1000)
            asyncio.run(call(store, key, 64, at_once))
            sent, received, made = counted.sent, counted.received, calls // at_once * at_once
            asyncio.run(call(store, key, made, at_once))
            sent, received = (counted.sent - sent) // made, (counted.received - received) // made
        print(f"to PostgreSQL and back, {at_once:>2} callers: {sent:,} and {received:,} bytes a call")


def rate_sqlite(folder: Path, seconds: float) -> None:
    """Print how many calls one writer of SQLite commits, alone and together."""
    folder.mkdir()
    with make_store(sqlite_url(folder)) as store:
        add_account(store, quota_usd=1_000_000)
        for together in (1, 16, 128):
            end, count, cpu = time.perf_counter() + seconds, 0, time.process_time()
            while time.perf_counter() < end:
                book(store, together, together=together)
                count += together
            cpu = (time.process_time() - cpu) / count
            print(f"SQLite, {together:>3} calls together: {count / seconds:,.0f} a second, {cpu * 1e6:,.0f} us of CPU")


def rate_postgresql(server: PostgresServer, url: str, seconds: float) -> None:
    """Print how many calls pgbench gets from PostgreSQL, on one account and on many."""
    with make_store(url) as store:
        add_accounts(store)
    for clients in (1, 16):
        for accounts in (1, ACCOUNTS):
            rate = make_calls(server, url, seconds, clients=clients, accounts=accounts).calls_per_second
            print(f"PostgreSQL, {clients:>2} clients, {accounts:>6,} accounts: {rate:,.0f} calls a second")


def main() -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=5000, help="calls whose bytes are counted")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each rate")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        bytes_sqlite(Path(name), asked.calls)
        rate_sqlite(Path(name, "rate"), asked.seconds)
    with running_server(fsync=True) as server:
        with server.database() as url:
            with make_store(url) as store:
                add_account(store, quota_usd=1_000_000)
                bytes_postgresql(store, asked.calls)
            rate_postgresql(server, url, asked.seconds)
        wire(server, asked.calls // 10)
        with server.database() as url, make_store(url) as store:
            add_account(store)
            months(store)
            end_of_month(store)
        with server.database(migrated=False) as url:
            partitioning(url)
    simulate()


if __name__ == "__main__":
    main()
