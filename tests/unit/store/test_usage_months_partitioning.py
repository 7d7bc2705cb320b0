"""The migration that partitions the usage log keeps every entry, the rights of other roles and the ids."""

from contextlib import closing

import pytest
from sqlalchemy import text

from store import schema
from store.database import Database
from store.models import UsageEntryRow

BEFORE = """
INSERT INTO accounts (id, name, name_key, email, role, auth_epoch, user_handle, created_at)
VALUES (1, 'a', 'a', 'a@example.com', 'user', 1, '1', '2026-01-01');
INSERT INTO quotas (account_id, remaining_micro_usd, held_micro_usd, used_micro_usd, warning_armed)
VALUES (1, 0, 0, 0, false);
INSERT INTO usage_log (account_id, kind, at, model, api_key_name, request_id, status, detail, prompt_tokens,
  completion_tokens, cost_micro_usd, duration_ms, unpriced)
SELECT 1, 'consumption', CASE n WHEN 1 THEN timestamptz '1960-01-01 00:00+00' WHEN 2 THEN '2300-01-01 00:00+00'
  WHEN 3 THEN '2025-10-31 23:59:59.999999+00' WHEN 4 THEN '2025-11-01 00:00+00'
  ELSE '2025-11-15 12:00+00'::timestamptz + n * interval '7 hours' END, 'm' || n, 'k', 'r' || n, 'ok', '', n, n,
  n * 7, 1, false FROM generate_series(1, 500) AS n;
CREATE ROLE gatekey_reader;
GRANT SELECT ON usage_log TO gatekey_reader
"""
SUMS = """
SELECT count(*), count(DISTINCT id), sum(cost_micro_usd), sum(id), min(at), max(at),
  md5(string_agg(usage_log::text, '|' ORDER BY id)) FROM usage_log
"""


def test_the_migration_moves_every_entry_into_its_month(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Database(empty_postgres_url)) as database:
        with monkeypatch.context() as earlier:
            earlier.setattr(schema, "schema_revision", lambda: "0012")
            schema.upgrade(database)
        with database.write() as tx:
            for statement in BEFORE.split(";"):
                tx.execute(text(statement))
            before = tx.execute(text(SUMS)).one()
        assert schema.upgrade(database) == "0012"
        with database.read() as tx:
            assert tx.execute(text(SUMS)).one() == before
            assert before[0] == 500
            tables = text(
                "SELECT tableoid::regclass::text, count(*), bool_and(tableoid::regclass::text = "
                "'usage_log_' || to_char(at AT TIME ZONE 'UTC', 'YYYY_MM')) FROM usage_log GROUP BY 1 ORDER BY 1"
            )
            found = [tuple(row) for row in tx.execute(tables)]
            assert [row[0] for row in found] == [
                *(f"usage_log_2025_{month}" for month in (10, 11, 12)),
                *(f"usage_log_2026_0{month}" for month in range(1, 5)),
                "usage_log_rest",
            ]
            assert all(right for *_, right in found[:-1])
            assert found[-1] == ("usage_log_rest", 2, False)
            readers = text("SELECT has_table_privilege('gatekey_reader', 'usage_log', 'SELECT')")
            assert tx.execute(readers).scalar() is True
            assert tx.execute(text("SELECT to_regclass('usage_log_whole')")).scalar() is None
        with database.write() as tx:
            tx.execute(text("DROP OWNED BY gatekey_reader"))
            tx.execute(text("DROP ROLE gatekey_reader"))
        with database.write() as tx:
            again = (
                "INSERT INTO usage_log SELECT nextval('usage_log_id_seq'), {} FROM usage_log WHERE id = 7 RETURNING id"
            )
            others = ", ".join(column.name for column in UsageEntryRow.c if column.name != "id")
            assert tx.execute(text(again.format(others))).scalar() == 501, "ids go on where they were"
            tx.execute(text("DELETE FROM accounts"))
            assert tx.execute(text("SELECT count(*) FROM usage_log")).scalar() == 0, "entries go with their account"
