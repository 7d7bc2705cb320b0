"""The cost of the months of the usage log on PostgreSQL: an insert, a page, the end of a month, the upgrade to them."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import Connection, text

from store import schema
from store.database import Database
from store.store import Store
from store.usage_months import make_month, next_month
from tests.harness.stores import START, sign_in

MONTH_ROWS: Final = 200_000
ROUNDS: Final = 5
_ROWS: Final = """
INSERT INTO usage_log (account_id, kind, at, model, api_key_name, request_id, status, detail, prompt_tokens,
  completion_tokens, cost_micro_usd, duration_ms, unpriced)
SELECT 1, 'consumption', CAST(:first AS timestamptz) + n * interval '1 second', 'gpt-5-mini-2026-08', 'laptop',
  'req_0123456789abcdef0123456789', 'ok', '', 1200, 300, 500, 900, false FROM generate_series(1, :rows) AS n
"""
_ACCOUNT: Final = """
INSERT INTO accounts (id, name, name_key, email, role, auth_epoch, user_handle, created_at)
VALUES (1, 'a', 'a', '', 'user', 1, 'h', now())
"""


def cpu_of(pid: int, act: Callable[[], object], times: int) -> float:
    """Microseconds of CPU that the process takes for `act`, the least of `ROUNDS`."""
    path, rounds = Path(f"/proc/{pid}/schedstat"), []
    for _ in range(ROUNDS):
        before = int(path.read_text().split()[0])
        for _ in range(times):
            act()
        rounds.append((int(path.read_text().split()[0]) - before) / times / 1000)
    return min(rounds)


def backend_of(tx: Connection) -> int:
    """The process that serves this connection."""
    return int(tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def months(store: Store) -> None:
    """Print what partitions cost an insert and a page of the log."""
    insert = _ROWS.replace(":first", f"'{START.isoformat()}'").replace(":rows", "1")
    whole = insert.replace("usage_log", "usage_whole")
    with store.database.write() as tx:
        tx.execute(text("CREATE TABLE usage_whole (LIKE usage_log INCLUDING ALL)"))
        tx.execute(text("ALTER TABLE usage_whole ADD FOREIGN KEY (account_id) REFERENCES accounts (id)"))
        cost = cpu_of(backend_of(tx), lambda: tx.execute(text(whole)), 300)
        print(f"\nan insert without partitions: {cost:,.0f} us of PostgreSQL's CPU")
    month, made, token = START.replace(year=2022, month=1, day=1, hour=0), 0, sign_in(store)
    for upto in (1, 14, 62):
        while made < upto:
            with store.database.write() as tx:
                make_month(tx, month)
            made, month = made + 1, next_month(month)
        store.database.engine.dispose()
        with store.database.write() as tx:
            pid = backend_of(tx)
            cost = cpu_of(pid, lambda: tx.execute(text(insert)), 300)
        # The pool has one connection, which the pages use.
        page = cpu_of(pid, lambda: store.usage.page(token), 30)
        with store.database.read() as tx:
            driver: Any = tx.connection.driver_connection
            driver.prepare_threshold = None
        unprepared = cpu_of(pid, lambda: store.usage.page(token), 30)
        print(
            f"with {upto + 1:>2}: an insert {cost:,.0f} us, a page of the log {page:,.0f} us, without prepared "
            f"statements {unprepared:,.0f} us"
        )


def end_of_month(store: Store) -> None:
    """Print what it costs to delete a month row by row, and to drop it."""
    first = START.replace(year=2020, month=1, day=1, hour=0)
    for month in (first, next_month(first)):
        with store.database.write() as tx:
            make_month(tx, month)
            tx.execute(text(_ROWS), {"first": month, "rows": MONTH_ROWS})
    for how, statements in (
        ("deleted and vacuumed", ("DELETE FROM usage_log WHERE at < '2020-02-01'", "VACUUM usage_log_2020_01")),
        ("dropped", ("DROP TABLE usage_log_2020_02",)),
    ):
        position, start = position_of(store), time.perf_counter()
        with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(text(statement))
        took, logged = time.perf_counter() - start, position_of(store) - position
        print(f"{MONTH_ROWS:,} entries, {how}: {took:,.3f} s, {logged / 2**20:,.2f} MiB of write-ahead log")


def partitioning(url: str) -> None:
    """Print what migration 0013 takes for a log of `MONTH_ROWS` entries."""
    with closing(Database(url)) as database:
        with patch.object(schema, "schema_revision", lambda: "0012"):
            schema.upgrade(database)
        with database.write() as tx:
            tx.execute(text(_ACCOUNT))
            tx.execute(text(_ROWS), {"first": START, "rows": MONTH_ROWS})
        start = time.perf_counter()
        schema.upgrade(database)
        print(f"{MONTH_ROWS:,} entries, partitioned by the upgrade: {time.perf_counter() - start:,.1f} s")


def position_of(store: Store) -> int:
    """Bytes of write-ahead log that PostgreSQL has written so far."""
    with store.database.read() as tx:
        return int(tx.execute(text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")).scalar_one())
