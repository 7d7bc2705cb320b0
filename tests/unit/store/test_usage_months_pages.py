"""A page of the partitioned usage log reads indexes, and only of the months that its time filter needs."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from store.store import Store
from store.usage_months import partitions
from store.values.usage import Kind, UsageFilter
from tests.harness.stores import StillClock, add_account, make_store, sign_in

JUNE = datetime(2026, 6, 3, tzinfo=UTC)
EVERY_MONTH = 14
"""The twelve of the log `year`, and the two that are made ahead."""
CASES = (
    (UsageFilter(), EVERY_MONTH),
    (UsageFilter(models=("m3",)), EVERY_MONTH),
    (UsageFilter(keys=("k1", "k2"), statuses=("503",)), EVERY_MONTH),
    (UsageFilter(ip="10.0.0.8"), EVERY_MONTH),
    (UsageFilter(kind=Kind.CONSUMPTION), EVERY_MONTH),
    (UsageFilter(since=JUNE, until=JUNE + timedelta(days=17)), 1),
    (UsageFilter(since=JUNE, until=JUNE + timedelta(days=47)), 2),
    (UsageFilter(since=JUNE, until=JUNE + timedelta(days=6), models=("m3",)), 1),
)
"""Filters, and the most months that a page of each reads."""


@pytest.fixture
def year(postgres_url: str, clock: StillClock) -> Iterator[Store]:
    """A log of twelve months with 20,000 entries of two accounts."""
    with make_store(postgres_url, clock=clock) as store:
        add_account(store)
        add_account(store, "bob")
        fill(store, clock)
        yield store


def fill(log: Store, clock: StillClock) -> None:
    end = clock.time
    for back in range(11, -1, -1):
        clock.time = end - timedelta(days=30 * back)
        log.usage_months.keep()
    fill = (
        "INSERT INTO usage_log (account_id, kind, at, model, api_key_name, request_id, status, detail, prompt_tokens,"
        " completion_tokens, cost_micro_usd, duration_ms, unpriced, client_ip)"
        " SELECT 1 + n % 2, 'consumption', :end - (20000 - n) * interval '25 minutes', 'm' || n % 13, 'k' || n % 5,"
        " 'r', CASE WHEN n % 11 = 0 THEN '503' ELSE 'ok' END, '', 1, 1, 1, 1, false, '10.0.0.' || n % 90"
        " FROM generate_series(1, 20000) AS n"
    )
    days = (
        "INSERT INTO usage_days SELECT account_id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), count(*), 0, 0, 0,"
        " min(id), max(id), 0, 0 FROM usage_log GROUP BY 1, 2"
    )
    with log.database.write() as tx:
        tx.execute(text(fill), {"end": end})
        tx.execute(text(days))
        tx.execute(text("ANALYZE usage_log"))


def test_a_page_reads_indexes_of_the_months_it_needs(year: Store) -> None:
    token = sign_in(year)
    with year.database.read() as tx:
        # A table without an entry is read as a whole, which is nothing.
        empty = {"usage_log_rest", *(one.name for one in partitions(tx) if not _has_entries(tx, one.name))}
    for only, months in CASES:
        plans = plans_of_pages(year, token, only)
        read = set(re.findall(r" on (usage_log_20\d\d_\d\d) ", plans))
        assert 1 <= len(read) <= months, only
        assert set(re.findall(r"Seq Scan on (\w+)", plans)) <= empty, only
        assert months == EVERY_MONTH or "usage_log_rest" not in plans, only


def _has_entries(tx: Connection, name: str) -> bool:
    return bool(tx.execute(text(f"SELECT EXISTS (SELECT 1 FROM {name})")).scalar())  # noqa: S608 - ours


def plans_of_pages(store: Store, token: str, only: UsageFilter) -> str:
    """The plans of the statements that read the rows of a page."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM usage_log" in statement and "prompt_tokens" in statement:
            statements.append((statement, parameters))

    event.listen(store.database.engine, "before_cursor_execute", note)
    try:
        assert store.usage.page(token, only).entries
    finally:
        event.remove(store.database.engine, "before_cursor_execute", note)
    with store.database.read() as tx:
        return "\n".join(
            str(row[0])
            for statement, parameters in statements
            for row in tx.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        )
