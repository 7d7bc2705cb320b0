"""Fills a database with an account that has made many calls: the log, its totals, the ledger and five API keys."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

DAYS: Final = 85
"""The calls are spread over so many days before now."""
KEYS: Final = 5
_COST_MICRO_USD: Final = 2
_TIME: Final = "strftime('%Y-%m-%d %H:%M:%S', :first + i * :step, 'unixepoch') || '.000000'"

_LOG: Final = f"""
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
INSERT INTO usage_log (account_id, kind, at, model, api_key_name, request_id, status, detail, prompt_tokens,
                       completion_tokens, cost_micro_usd, duration_ms, unpriced, client_ip, images, image_size)
SELECT 1,
       CASE WHEN i % 20 = 0 THEN 'error' WHEN i % 50 = 1 THEN 'drawing'
            WHEN i % 50 = 2 THEN 'task' ELSE 'consumption' END,
       {_TIME}, 'model-' || (i * 7919 % 23), 'key-' || (i % {KEYS}), 'req-' || i,
       CASE WHEN i % 20 = 0 THEN '503' ELSE 'ok' END, '', i % 4000, i % 900,
       CASE WHEN i % 20 = 0 THEN 0 ELSE {_COST_MICRO_USD} END, i % 3000, 0,
       CASE WHEN i % 3 = 0 THEN '10.0.0.' || (i / 3 % 200) END,
       CASE WHEN i % 50 = 1 THEN 1 ELSE 0 END, ''
FROM n
"""  # noqa: S608 (constants of this file)
_LEDGER: Final = """
INSERT INTO ledger (account_id, sequence, at, kind, amount_micro_usd, balance_micro_usd, usage_entry_id, reason, actor)
SELECT 1, :sequence + row_number() OVER (ORDER BY id), at, 'call', -cost_micro_usd,
       :balance - sum(cost_micro_usd) OVER (ORDER BY id), id, model || ' · ' || api_key_name, ''
FROM usage_log WHERE account_id = 1 AND kind <> 'error'
"""
USAGE_DAYS: Final = """
INSERT INTO usage_days (account_id, day, calls, errors, tokens, cost_micro_usd, first_entry_id, last_entry_id,
                        newest_at_ms, set_back_ms)
SELECT account_id, substr(at, 1, 10), count(*), sum(kind = 'error'), sum(prompt_tokens + completion_tokens),
       sum(cost_micro_usd), min(id), max(id), 1000 * unixepoch(max(at)), 0
FROM usage_log GROUP BY 1, 2
"""
_TOTALS: Final = """
INSERT INTO usage_totals (account_id, day, model, api_key_name, calls, errors, tokens, cost_micro_usd)
SELECT 1, substr(at, 1, 10), CASE kind WHEN 'error' THEN '' ELSE model END, api_key_name, count(*),
       sum(kind = 'error'), sum(prompt_tokens + completion_tokens), sum(cost_micro_usd)
FROM usage_log GROUP BY 2, 3, 4
"""
_QUOTA: Final = """
UPDATE quotas SET
    ledger_sequence = (SELECT max(sequence) FROM ledger WHERE account_id = 1),
    remaining_micro_usd = (SELECT balance_micro_usd FROM ledger WHERE account_id = 1 ORDER BY sequence DESC LIMIT 1),
    used_micro_usd = (SELECT sum(cost_micro_usd) FROM usage_days WHERE account_id = 1)
WHERE account_id = 1
"""


def fill_account(path: Path, rows: int, now: datetime) -> None:
    """Let the account with id 1, which has no call yet, have made `rows` calls. It has money for all of them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=FILE", "threads=2"):
            connection.execute(f"PRAGMA {pragma}")
        span = DAYS * 86_400
        first = {"rows": rows, "first": int(now.timestamp()) - span - 60, "step": span / rows}
        with without_indexes(connection, "usage_log"):
            connection.execute(_LOG, first)
        select = "SELECT ledger_sequence, remaining_micro_usd FROM quotas WHERE account_id = 1"
        sequence, balance = connection.execute(select).fetchone()
        connection.execute(_LEDGER, {"sequence": sequence, "balance": balance})
        for statement in (USAGE_DAYS, _TOTALS, _QUOTA):
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def without_indexes(connection: sqlite3.Connection, table: str) -> Iterator[None]:
    """Take the indexes of a table off and put them back after: filling it is faster so."""
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,)
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        connection.execute(definition)
