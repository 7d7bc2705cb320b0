"""Measures how many calls of many accounts share a flush of PostgreSQL's write-ahead log, by commit_delay.

python -m tests.benchmarks.scale_flushes [--seconds N]

The hold of a call does not wait for the disk and its booking does, so a call has one commit that waits. Flushes are
counted by the server (pg_stat_wal), those of its background processes included. Compare rows of one run.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import text

from store.store import Store
from tests.benchmarks.scale_calls import Run, add_accounts, make_calls
from tests.harness.postgres import running_server
from tests.harness.stores import add_account, make_store

CLIENTS: Final = (1, 4, 16, 64)
DELAYS_US: Final = (0, 200, 1000)
SIBLINGS: Final = 5
"""PostgreSQL delays a flush only while as many other transactions are open."""


class Flushes(NamedTuple):
    """Flushes so far, and the milliseconds that they took."""

    number: int
    took_ms: float


class Row(NamedTuple):
    """One run of calls."""

    clients: int
    delay_us: int
    run: Run
    flushes: Flushes


def flushes_of(store: Store) -> Flushes:
    """The flushes of the server so far."""
    with store.database.read() as tx:
        found = tx.execute(text("SELECT wal_sync, wal_sync_time FROM pg_stat_wal")).one()
        return Flushes(int(found[0]), float(found[1]))


def measure(seconds: float, *, clients: Sequence[int] = CLIENTS, delays_us: Sequence[int] = DELAYS_US) -> Iterator[Row]:
    """Make calls with each number of clients and each delay."""
    with (
        running_server(fsync=True, more=("track_wal_io_timing=on",)) as server,
        server.database() as url,
        make_store(url) as store,
    ):
        add_account(store)
        add_accounts(store)
        for number in clients:
            for delay in delays_us:
                options = f"-c commit_delay={delay} -c commit_siblings={SIBLINGS}"
                before = flushes_of(store)
                run = make_calls(server, url, seconds, clients=number, options=options)
                after = flushes_of(store)
                yield Row(number, delay, run, Flushes(after.number - before.number, after.took_ms - before.took_ms))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row of each run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0, help="of each row")
    asked = parser.parse_args(arguments)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("clients  commit_delay  calls/s  latency  flushes/s  flushes a call  a flush")
    for clients, delay, run, flushes in measure(asked.seconds):
        print(
            f"{clients:>7}{delay:>11} us{run.calls_per_second:>9,.0f}{run.latency_ms:>6.1f} ms"
            f"{flushes.number * run.calls_per_second / run.calls:>11,.0f}{flushes.number / run.calls:>16.2f}"
            f"{flushes.took_ms / flushes.number:>6.2f} ms"
        )


if __name__ == "__main__":
    main()
