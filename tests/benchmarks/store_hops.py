"""The hop to a writer thread: a hold of PostgreSQL by today's way, and by an asynchronous driver on the event loop.

python -m tests.benchmarks.store_hops [--rounds N] [--seconds S]

Today's way is `StoreThreads.write`: the event loop, a writer thread, the driver's pipeline, the event loop. The other
(`store_hops_async`) runs the same statement with the same values by `psycopg.AsyncConnection`, in a pipeline on the
loop, and joins what waits in the same way. The third is today's without threads: it keeps the loop from everybody else,
so it is no way to go, but tells what of the difference is the hop. All take turns on one private server that flushes.
CPU is that of this process. Then SQLite, which answers in the thread that asks: the time for which a hold or a booking
would keep the event loop if it ran there, alone and beside another process that writes.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from gateway.store_threads import StoreThreads
from store.call_credentials import ApiKeyCredential
from store.known_calls import KnownCall, known_call
from store.reservations import Hold
from store.shortcut import Shortcut, take_shortcuts
from store.store import Store
from store.values.usage import Kind, UsageEntry
from tests.benchmarks.http_clients import new_loop
from tests.benchmarks.store_hops_async import LoopHolds
from tests.harness.gateway_client import PRICE, make_relayed
from tests.harness.postgres import running_server
from tests.harness.stores import make_store, sqlite_url

AT_ONCE: Final = 16
TOGETHER: Final = 6
"""Bookings that share a commit on a fast disk."""
ROUNDS: Final = 7
SECONDS: Final = 0.7
AMOUNT: Final = 1
"""Micro-USD of each hold."""
_QUOTA_USD: Final = 1000
_BLOCKING: Final = "blocking the loop"
_BESIDE_S: Final = 0.001
"""Between the commits of the other process."""

Holding = Callable[[], Awaitable[object]]


class Turn(NamedTuple):
    """Holds a second, CPU of one in us, the latencies of one in ms."""

    rate: float
    cpu: float
    p50: float
    p99: float


class Subject(NamedTuple):
    """A store with an account that has money, and what is known of its key."""

    store: Store
    known: KnownCall

    def hold(self) -> Shortcut[Hold]:
        """One hold, as the gateway makes it for a known key."""
        return self.store.quota.shortcuts.known_hold(self.known, AMOUNT)

    def booking(self, hold: Hold) -> Shortcut[int]:
        """The booking of a call that costs as much as was held."""
        entry = UsageEntry(Kind.CONSUMPTION, PRICE.model, api_key_name="laptop", request_id="req_1", price=PRICE)
        return self.store.quota.shortcuts.book(hold, AMOUNT, entry)


@contextmanager
def subject(url: str) -> Iterator[Subject]:
    """A store on a new database."""
    with make_store(url) as store:
        key = make_relayed(store, quota_usd=_QUOTA_USD)
        yield known_subject(store, key)


def known_subject(store: Store, key: str) -> Subject:
    """What a first call has read."""
    with store.database.write() as tx:
        credential = ApiKeyCredential(store.api_keys, key)
        store.api_keys.note_use(tx, credential.holder(tx))
        holder, price = credential.holder_and_price(tx, PRICE.model)
    known = known_call(holder, price, key=key, model=PRICE.model)
    assert known is not None
    return Subject(store, known)


def refuse(_: Connection) -> Hold:
    """Stands for the steps that a hold takes where its shortcut did nothing."""
    raise AssertionError("a hold of the benchmark was refused")


async def in_place(on: Subject) -> object:
    """Hold in the thread of the event loop, by today's driver."""
    (row,) = take_shortcuts(on.store.database, [on.hold()], durable=False)
    assert row is not None
    return row


async def turn_of(hold: Holding, at_once: int, seconds: float) -> Turn:
    """Let so many callers hold, one after the other each."""
    latencies: list[float] = []

    async def caller() -> None:
        while (started := time.perf_counter()) < until:
            await hold()
            latencies.append(time.perf_counter() - started)

    cpu, begun = time.process_time(), time.perf_counter()
    until = begun + seconds
    await asyncio.gather(*(caller() for _ in range(at_once)))
    spent, passed = time.process_time() - cpu, time.perf_counter() - begun
    done = len(latencies)
    return Turn(done / passed, spent / done * 1e6, *_percentiles_ms(latencies)[:2])


async def compare(url: str, rounds: int, seconds: float) -> dict[tuple[str, int], Turn]:
    """The medians of both ways, by callers at once. Raises `AssertionError` if a hold was not made."""
    with subject(url) as on:
        threads, loop_holds = StoreThreads(on.store.database), await LoopHolds.connect(on.store.database)
        account = on.known.holder.account_id
        ways: dict[str, Holding] = {
            "by a thread": lambda: threads.write(refuse, durable=False, account_id=account, shortcut=on.hold),
            "on the loop": lambda: loop_holds.take(on.hold()),
            _BLOCKING: lambda: in_place(on),
        }
        turns: dict[tuple[str, int], list[Turn]] = {}
        for number in range(rounds + 1):
            for at_once in (1, AT_ONCE):
                for name, way in [*ways.items()][:: 1 if number % 2 else -1]:
                    if at_once == 1 or name != _BLOCKING:
                        turns.setdefault((name, at_once), []).append(await turn_of(way, at_once, seconds))
        await threads.close()
        await loop_holds.aclose()
    # The first round is a warm-up.
    return {
        which: Turn(*map(statistics.median, zip(*found[1:], strict=True)))
        for which, found in sorted(turns.items(), key=lambda turn: turn[0][1])
    }


def blocked(on: Subject, calls: int, rounds: int) -> dict[str, list[float]]:
    """Seconds that SQLite takes for a hold, a booking, and several together, each on the connection that is kept."""
    database, seconds = on.store.database, dict[str, list[float]]()
    with database.connect() as connection:

        def timed(name: str, shortcuts: Sequence[Shortcut[Any]], *, durable: bool) -> list[object]:
            started = time.perf_counter()
            rows = take_shortcuts(database, shortcuts, durable=durable, on=connection)
            seconds.setdefault(name, []).append(time.perf_counter() - started)
            assert None not in rows
            return [each.result(row) for each, row in zip(shortcuts, rows, strict=True) if row is not None]

        for many, what in ((1, ""), (calls, f"s of {calls} calls together")):
            for _ in range(rounds):
                holds = timed(f"hold{what}", [on.hold() for _ in range(many)], durable=False)
                bookings = [on.booking(hold) for hold in holds if isinstance(hold, Hold)]
                timed(f"booking{what}", bookings, durable=True)
    return seconds


@contextmanager
def another_writer(url: str) -> Iterator[None]:
    """Another process that commits to the database, as a second worker does."""
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    process = context.Process(target=write_on, args=(url, started), daemon=True)
    process.start()
    started.wait()
    try:
        yield
    finally:
        process.kill()
        process.join()


def write_on(url: str, started: Event) -> None:
    """Commit to the disk until killed."""
    with make_store(url) as store:
        while True:
            store.site.set("limits.requests_per_minute_per_key", "0")
            started.set()
            time.sleep(_BESIDE_S)


def _percentiles_ms(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p99 and the greatest."""
    sorted_ms = sorted(each * 1000 for each in seconds)
    return sorted_ms[len(sorted_ms) // 2], sorted_ms[int(len(sorted_ms) * 0.99)], sorted_ms[-1]


def table(found: Mapping[tuple[str, int], Turn]) -> list[str]:
    """A line for each way and number of callers."""
    lines = [f"{'a hold on PostgreSQL':24}{'at once':>8}{'holds/s':>10}{'CPU, us':>9}{'p50, ms':>9}{'p99, ms':>9}"]
    for (name, at_once), turn in found.items():
        lines.append(f"{name:24}{at_once:>8}{turn.rate:>10,.0f}{turn.cpu:>9.0f}{turn.p50:>9.2f}{turn.p99:>9.2f}")
    return lines


def blocked_table(title: str, found: Mapping[str, Sequence[float]]) -> list[str]:
    """A line for each act."""
    lines = [f"{title:42}{'p50, ms':>10}{'p99, ms':>10}{'greatest, ms':>14}{'over 5 ms':>11}"]
    for name, seconds in found.items():
        p50, p99, greatest = _percentiles_ms(seconds)
        late = sum(each > 0.005 for each in seconds) / len(seconds)
        lines.append(f"{name:42}{p50:>10.2f}{p99:>10.2f}{greatest:>14.2f}{late:>11.1%}")
    return lines


def main() -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often the ways take turns")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long a turn is")
    options = parser.parse_args()
    with (
        running_server(fsync=True) as server,
        server.database() as url,
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        print(*table(runner.run(compare(url, options.rounds, options.seconds))), sep="\n")
    with tempfile.TemporaryDirectory(prefix="gatekey-hops-") as name:
        url = sqlite_url(Path(name))
        with subject(url) as on:
            print(*blocked_table("SQLite, nobody else", blocked(on, TOGETHER, options.rounds * 200)), sep="\n")
            with another_writer(url):
                beside = blocked(on, TOGETHER, options.rounds * 100)
            print(*blocked_table("SQLite, beside another process", beside), sep="\n")


if __name__ == "__main__":
    main()
