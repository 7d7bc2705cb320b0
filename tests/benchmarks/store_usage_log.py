"""Pages of the usage log: the first of a short log, the first and the 10,000th of one with ten million rows."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from store.store import Store
from store.usage_pages import PAGE_SIZE
from tests.benchmarks.account_rows import USAGE_DAYS, without_indexes
from tests.benchmarks.sides import Comparison, compare
from tests.harness.stores import add_account, make_store, sign_in, sqlite_url

BAR: Final = 1.5
SHORT: Final = 10_000
LONG: Final = 10_000_000
FAR_PAGE: Final = 10_000

_FILL: Final = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
INSERT INTO usage_log (account_id, kind, at, model, api_key_name, request_id, status, detail,
                       prompt_tokens, completion_tokens, cost_micro_usd, duration_ms, unpriced, client_ip)
SELECT 1 + i % 2,
       CASE WHEN i % 20 = 0 THEN 'error' ELSE 'consumption' END,
       datetime('2026-01-01', (i / 4) || ' seconds') || '.000000',
       'model-' || (i * 7919 % 23), 'key-' || (i / 2 % 5), 'req-' || i,
       CASE WHEN i % 20 = 0 THEN '503' ELSE 'ok' END, '',
       i % 4000, i % 900, i % 5000, i % 3000, 0,
       CASE WHEN i / 2 % 3 = 0 THEN '10.0.0.' || (i / 6 % 200) END
FROM n
"""


def fill(path: Path, rows: int) -> None:
    """Write `rows` entries, every other one of the first account. The indexes are taken off and put back after."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=FILE", "threads=2"):
            connection.execute(f"PRAGMA {pragma}")
        with without_indexes(connection, "usage_log"):
            connection.execute(_FILL, {"rows": rows})
        connection.execute(USAGE_DAYS)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class Log:
    """A log of one length, and its pages as the console asks for them."""

    def __init__(self, folder: Path, rows: int) -> None:
        folder.mkdir()
        url = sqlite_url(folder)
        self.store: Store = make_store(url)
        add_account(self.store, "alice")
        add_account(self.store, "bob")
        start = time.perf_counter()
        fill(Path(url.removeprefix("sqlite:///")), rows)
        self.built_in = time.perf_counter() - start
        self.token = sign_in(self.store, "alice")

    def page(self, number: int) -> Callable[[], object]:
        """A read of page `number`, counted from 1. Its first entry is looked up here, beforehand."""
        before = None
        if number > 1:
            with self.store.database.read() as tx:
                before = tx.exec_driver_sql(
                    "SELECT id FROM usage_log WHERE account_id = 1 ORDER BY id DESC LIMIT 1 OFFSET ?",
                    ((number - 1) * PAGE_SIZE - 1,),
                ).scalar_one()

        def read() -> None:
            page = self.store.usage.page(self.token, before=before)
            assert len(page.entries) == PAGE_SIZE

        return read


def compare_pages(folder: Path, turns: int, rows: int = LONG) -> list[Comparison]:
    """The pages of a long log against the first page of a short one. `rows` is rounded down to whole pages."""
    short, long = Log(folder / "short", min(SHORT, rows)), Log(folder / "long", rows)
    with short.store, long.store:
        far = min(FAR_PAGE, rows // 2 // PAGE_SIZE)
        last = min(SHORT, rows) // 2 // PAGE_SIZE
        base = short.page(1)
        pages = [
            (f"page {last:,} of {min(SHORT, rows):,}", short.page(last)),
            (f"page 1 of {rows:,}", long.page(1)),
            (f"page {far:,} of {rows:,}", long.page(far)),
        ]
        return [compare(f"usage log, {name}", act, base, bar=BAR, turns=turns) for name, act in pages]
