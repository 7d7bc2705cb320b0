"""Reads on a standby beside its primary: what they cost, what they miss, and how a long one holds up the replay."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from store.errors import StoreUnavailable
from store.store import Store
from store.values.usage import Kind, UsageEntry
from tests.benchmarks.scale_months import backend_of
from tests.harness.stores import START, sign_in

MODELS: Final = 3
DAYS: Final = 22
LEAST_TURNS: Final = 5
_PAUSE_S: Final = 0.01
_ENTRY: Final = UsageEntry(Kind.CONSUMPTION, "gpt-5-mini", api_key_name="laptop", status="ok")
_LOG: Final = """
INSERT INTO usage_log (account_id, kind, at, model, api_key_name, request_id, status, detail, prompt_tokens,
  completion_tokens, cost_micro_usd, duration_ms, unpriced)
SELECT 1 + n % 100, 'consumption', CAST(:first AS timestamptz) + n * (:days * interval '1 day' / :rows),
  'model-' || n % :models, 'laptop', 'req_0123456789abcdef0123456789', 'ok', '', 1200, 300, 500, 900, false
  FROM generate_series(1, :rows) AS n
"""
_TOTALS: Final = """
INSERT INTO usage_totals (account_id, day, model, api_key_name, calls, errors, tokens, cost_micro_usd)
SELECT account_id, to_char(at, 'YYYY-MM-DD'), model, api_key_name, count(*), 0, sum(prompt_tokens + completion_tokens),
  sum(cost_micro_usd) FROM usage_log GROUP BY 1, 2, 3, 4
"""
_ONE_PROCESS: Final = text("SET LOCAL max_parallel_workers_per_gather = 0")
_REPORT: Final = text("SELECT model, count(*), sum(cost_micro_usd) FROM usage_log WHERE at >= :first GROUP BY model")
_FLUSHED: Final = text("SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')")
_REPLAYED: Final = text("SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')")


@dataclass
class Behind:
    """The lag of a standby."""

    waits_ms: list[float] = field(default_factory=list)
    """From the answer to a booking's commit to the start of the first page read that has the call."""
    sizes: list[int] = field(default_factory=list)
    """Bytes that the primary had on its disk and the standby had not replayed."""
    missed: int = 0
    """Calls that were not on the page that was read right after their commit."""
    refused: int = 0
    """Reads of a page that the standby ended, because they kept it from replaying."""

    @property
    def asked(self) -> int:
        return len(self.waits_ms)


class Cost(NamedTuple):
    """The cost of a read: its time, and the CPU of the server's process."""

    median_ms: float
    p99_ms: float
    cpu_ms: float


def made_before(store: Store, rows: int) -> None:
    """Fill the log of this month for a hundred accounts, and its totals."""
    first = START.replace(day=1, hour=0)
    with store.database.write() as tx:
        tx.execute(text(_LOG), {"first": first, "days": DAYS, "rows": rows, "models": MODELS})
        tx.execute(text(_TOTALS))
    with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def wait_for(primary: Store, standby: Store) -> None:
    """Wait until the standby has replayed what the primary has on its disk now."""
    target, end = _position(primary, _FLUSHED), time.monotonic() + 60
    while True:
        try:
            if _position(standby, _REPLAYED) >= target:
                return
        except StoreUnavailable:  # it is starting
            pass
        assert time.monotonic() < end, "the standby does not catch up"
        time.sleep(0.05)


def behind(primary: Store, standby: Store, seconds: float) -> Behind:
    """Book calls on an account of their own, one after the other, and look for each on the standby."""
    found, end = Behind(), time.monotonic() + seconds
    while time.monotonic() < end:
        flushed = _position(primary, _FLUSHED)
        found.sizes.append(max(0, flushed - _position(standby, _REPLAYED)))
        _book_and_look(primary, standby, found)
        time.sleep(_PAUSE_S)
    return found


def _book_and_look(primary: Store, standby: Store, found: Behind) -> None:
    """Book a call, and read the standby's page until it has the call."""
    request_id = f"req_{time.monotonic_ns()}"
    with primary.database.write(durable=False) as tx:
        hold = primary.quota.hold(tx, 1, 900)
    with primary.database.write() as tx:
        primary.quota.book(tx, hold, 500, _ENTRY._replace(request_id=request_id))
    booked, missed = time.perf_counter(), 0
    while True:
        asked = time.perf_counter()
        try:
            with standby.database.read() as tx:
                page = standby.usage.page_of(tx, 1)
            if any(logged.entry.request_id == request_id for logged in page.entries):
                break
        except StoreUnavailable:
            found.refused += 1
        missed += 1
        time.sleep(0.0005)
    found.waits_ms.append((asked - booked) * 1000)
    found.missed += missed > 0


def read_costs(primary: Store, standby: Store, seconds: float) -> Iterator[tuple[str, tuple[Cost, Cost]]]:
    """The cost of each read on the primary and the standby, in turns. All take `seconds` together, if that is enough.

    A report is the sums of the month by model over all accounts, by one process.
    """
    token = sign_in(primary)
    wait_for(primary, standby)

    def report(store: Store) -> None:
        with store.database.read() as tx:
            tx.execute(_ONE_PROCESS)
            tx.execute(_REPORT, {"first": START.replace(day=1, hour=0)}).all()

    kinds: dict[str, Callable[[Store], object]] = {
        "a page of the log": lambda store: store.usage.page(token),
        "the Dashboard": lambda store: store.dashboards.read(token, 30),
        "a report": report,
    }
    for what, read in kinds.items():
        yield what, _compared(read, primary, standby, seconds / len(kinds))


def _compared(read: Callable[[Store], object], primary: Store, standby: Store, seconds: float) -> tuple[Cost, Cost]:
    sides: list[tuple[Store, Path, list[float], list[int]]] = []
    for store in (primary, standby):
        read(store)
        # The pool gives the connection that was used last.
        with store.database.read() as tx:
            sides.append((store, Path(f"/proc/{backend_of(tx)}/schedstat"), [], []))
    turns, end = 0, time.monotonic() + seconds
    while turns < LEAST_TURNS or time.monotonic() < end:
        turns += 1
        for store, path, took, cpu in sides:
            before, start = int(path.read_text().split()[0]), time.perf_counter()
            read(store)
            took.append((time.perf_counter() - start) * 1000)
            cpu.append(int(path.read_text().split()[0]) - before)
    first, second = (
        Cost(statistics.median(took), sorted(took)[int(0.99 * (turns - 1))], statistics.median(cpu) / 1e6)
        for _, _, took, cpu in sides
    )
    return first, second


def held_up(primary: Store, standby: Store, seconds: float) -> tuple[Behind, str]:
    """The lag of the standby while a snapshot on it is open, and why that was refused in the end, or ""."""
    found, refusal, end = Behind(), "", time.monotonic() + seconds
    with standby.database.engine.connect() as report:
        report.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        report.execute(_REPORT, {"first": START})
        while time.monotonic() < end:
            _book_and_look(primary, standby, found)
            time.sleep(_PAUSE_S)
        try:
            report.execute(_REPORT, {"first": START})
        except DBAPIError as error:
            refusal = str(error.orig).splitlines()[0]
            report.invalidate()
        else:
            report.rollback()
    return found, refusal


def _position(store: Store, query: TextClause) -> int:
    with store.database.look() as tx:
        return int(tx.execute(query).scalar_one())
