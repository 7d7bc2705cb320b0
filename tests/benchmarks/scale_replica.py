"""Measures a streaming replica beside its primary: what it costs, how far it is behind, what reads on it take and miss.

python -m tests.benchmarks.scale_replica [--seconds N] [--rates N,N]

Both servers are on this machine, so no network is between them, and they share its cores. CPU is that of all processes
of a server. Compare rows of one run.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from store.store import Store
from store.usage_months import make_month
from tests.benchmarks.scale_calls import Run, add_accounts, cpu_of_process, cpu_of_server, make_calls
from tests.benchmarks.scale_months import position_of
from tests.benchmarks.scale_replica_reads import behind, held_up, made_before, read_costs, wait_for
from tests.harness.postgres import PostgresServer, running_server, running_standby
from tests.harness.stores import START, add_account, make_store

ROWS: Final = 200_000
"""Entries of the usage log before the first call."""
ROUNDS: Final = 3
CLIENTS: Final = 16
RATES: Final = (100, 1000)
HOLD_UP_S: Final = 3
"""For how long the standby lets a report hold up what it has to replay. PostgreSQL's own default is 30."""
_PROCESS: Final = text("SELECT pid FROM pg_stat_activity WHERE backend_type = :kind")


@dataclass(frozen=True)
class Pair:
    """A primary and its standby, each with a store on it."""

    primary: PostgresServer
    standby: PostgresServer
    url: str
    on_primary: Store
    on_standby: Store


@contextmanager
def paired(rows: int = ROWS) -> Iterator[Pair]:
    """A primary with accounts and a log, and a standby that has caught up."""
    with (
        # Segments stay for a standby that was away for a while.
        running_server(fsync=True, more=("wal_keep_size=4GB",)) as primary,
        primary.database() as url,
        make_store(url) as store,
    ):
        add_account(store, quota_usd=1_000_000)
        add_accounts(store)
        with store.database.write() as tx:
            make_month(tx, START.replace(day=1, hour=0))
        made_before(store, rows)
        with (
            running_standby(primary) as standby,
            make_store(url.replace(str(primary.folder), str(standby.folder))) as on_standby,
        ):
            wait_for(store, on_standby)
            yield Pair(primary, standby, url, store, on_standby)


def process_of(tx: Connection, kind: str) -> int:
    """The server's process of a kind."""
    return int(tx.execute(_PROCESS, {"kind": kind}).scalar_one())


@contextmanager
def _calling(pair: Pair, seconds: float, rate: int | None) -> Iterator[Future[Run]]:
    """Make calls on the primary for `seconds`, and wait for their end. The body begins while they are made."""
    with ThreadPoolExecutor(1) as pool:
        calls = pool.submit(make_calls, pair.primary, pair.url, seconds, clients=CLIENTS, rate=rate)
        time.sleep(0.5)
        yield calls
        calls.result()


def costs(pair: Pair, seconds: float, rate: int, rounds: int) -> None:
    """Print the CPU of calls on the primary without and with the standby, in turns, and that of the standby."""
    print("\n               calls/s  primary, of which to the standby  standby, of which replay  write-ahead log")
    for _ in range(rounds):
        pair.standby.crash()
        pair.on_standby.database.engine.dispose()
        calls, cpu = _with_cpu(pair, seconds, rate, [pair.primary], [])
        print(f"without      {calls / seconds:>9,.0f}{cpu[0] * 1e6 / calls:>6,.0f} us")
        pair.standby.start()
        wait_for(pair.on_primary, pair.on_standby)
        with pair.on_primary.database.read() as tx:
            sender = process_of(tx, "walsender")
        with pair.on_standby.database.read() as tx:
            replay = process_of(tx, "startup")
        position = position_of(pair.on_primary)
        calls, cpu = _with_cpu(pair, seconds, rate, [pair.primary, pair.standby], [sender, replay])
        logged = position_of(pair.on_primary) - position
        us = [f"{each * 1e6 / calls:,.0f} us" for each in cpu]
        print(
            f"with one     {calls / seconds:>9,.0f}{us[0]:>9}{us[2]:>25}{us[1]:>9}{us[3]:>17}"
            f"{logged / calls:>11,.0f} bytes"
        )


def _with_cpu(
    pair: Pair, seconds: float, rate: int, servers: list[PostgresServer], processes: list[int]
) -> tuple[int, list[float]]:
    """Calls that were made, and the seconds of CPU of each server and each process meanwhile."""

    def taken() -> list[float]:
        return [*map(cpu_of_server, servers), *map(cpu_of_process, processes)]

    before = taken()
    calls = make_calls(pair.primary, pair.url, seconds, clients=CLIENTS, rate=rate).calls
    if len(servers) > 1:
        wait_for(pair.on_primary, pair.on_standby)
    return calls, [after - first for after, first in zip(taken(), before, strict=True)]


def lags(pair: Pair, seconds: float, rates: list[int | None]) -> None:
    """Print how far the standby is behind at each rate of calls, and what a read right after a booking misses."""
    print("\n calls/s   own call missed  there after: median, p99, greatest   bytes behind: median, p99, greatest")
    for rate in rates:
        with _calling(pair, seconds, rate) as calls:
            found = behind(pair.on_primary, pair.on_standby, seconds - 1)
        made = calls.result().calls_per_second
        print(
            f"{made:>8,.0f}{found.missed:>7} of {found.asked:>4,}   "
            + ", ".join(f"{value:>8,.1f}" for value in _summary(found.waits_ms))
            + " ms       "
            + ", ".join(f"{value:>9,.0f}" for value in _summary([float(size) for size in found.sizes]))
        )
        wait_for(pair.on_primary, pair.on_standby)


def _summary(values: list[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and greatest."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[int(0.99 * (len(ordered) - 1))], ordered[-1]


def reads(pair: Pair, seconds: float, rate: int) -> None:
    """Print what a page, the Dashboard and a report take on both servers, without calls and while calls are made."""
    print("\n                                primary: median, p99, CPU          standby: median, p99, CPU")
    for calls in (None, rate):
        with nullcontext() if calls is None else _calling(pair, seconds, calls):
            for what, sides in read_costs(pair.on_primary, pair.on_standby, seconds - 1):
                name = f"{what}, {calls or 'no'} calls/s"
                print(
                    f"{name:<28}"
                    + "".join(
                        f"{cost.median_ms:>9.2f}, {cost.p99_ms:>6.2f}, {cost.cpu_ms:>6.2f} ms  " for cost in sides
                    )
                )


def conflicts(pair: Pair, rate: int) -> None:
    """Print what a report that stays open on the standby does while calls are made."""
    print()
    for setting, value in (
        ("max_standby_streaming_delay", f"{HOLD_UP_S}s"),
        ("hot_standby_feedback", "on"),
    ):
        with pair.on_standby.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = '{value}'")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        time.sleep(1)  # the feedback is sent when the setting is read
        with _calling(pair, 3 * HOLD_UP_S, rate):
            found, refusal = held_up(pair.on_primary, pair.on_standby, 2 * HOLD_UP_S)
        print(
            f"a report of {2 * HOLD_UP_S} s, {setting} = {value}: {refusal or 'done'}; meanwhile "
            f"behind by {max(found.waits_ms) / 1000:.1f} s at most, and {found.refused} reads of a page ended"
        )
        wait_for(pair.on_primary, pair.on_standby)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=6.0, help="of each row")
    parser.add_argument("--rates", default=",".join(map(str, RATES)), help="calls a second; the most comes last")
    asked = parser.parse_args(arguments)
    rates = [int(rate) for rate in asked.rates.split(",")]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with paired() as pair:
        costs(pair, asked.seconds, rates[-1], ROUNDS)
        lags(pair, asked.seconds, [*rates, None])
        reads(pair, asked.seconds, rates[-1])
        conflicts(pair, rates[-1])


if __name__ == "__main__":
    main()
