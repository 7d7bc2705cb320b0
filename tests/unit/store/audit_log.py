"""Events to record, the report on all chains, and copies of the log that are put back."""

from typing import Any

import pytest
from sqlalchemy import Connection, Table, delete, insert, inspect, select, text

from store import schema
from store.audit_check import Report
from store.audit_tags import Tag
from store.database import Database
from store.models import METADATA
from store.store import Store

CHAIN = ("audit_events", "audit_heads")


WHOLE_LOG = (*CHAIN, "audit_totals", "site_events")


def report(store: Store) -> Report:
    with store.database.read() as tx:
        return store.audit.verify_all(tx)


def act(store: Store, account_id: int, count: int = 1) -> None:
    for number in range(count):
        with store.database.write() as tx:
            store.audit.record(tx, account_id, Tag.SETTINGS_SAVED, actor="alice", source="pts/0", number=number)


def copy_of(store: Store, *tables: str) -> dict[str, list[dict[str, Any]]]:
    """The rows that a reader of the database can keep."""
    with store.database.read() as tx:
        return {name: [dict(row._mapping) for row in tx.execute(select(METADATA.tables[name]))] for name in tables}


def put_back(store: Store, copy: dict[str, list[dict[str, Any]]], account_id: int | None = None) -> None:
    """Replace the rows, as a writer to the database can: those of one account, or all."""
    with store.database.engine.begin() as tx:
        for name, rows in copy.items():
            table: Table = METADATA.tables[name]
            is_of = [row for row in rows if account_id is None or row.get("account_id", account_id) == account_id]
            gone = delete(table)
            if account_id is not None and "account_id" in table.c:
                gone = gone.where(table.c.account_id == account_id)
            tx.execute(gone)
            if is_of:
                tx.execute(insert(table), is_of)


def take_back_to_0002(database: Database) -> None:
    """Drop whatever a database that was brought to 0002, and no further, does not have."""
    then = Database("sqlite://")
    with pytest.MonkeyPatch.context() as at_0002:
        at_0002.setattr(schema, "schema_revision", lambda: "0002")
        schema.upgrade(then)
    with then.read() as tx:
        had = {
            name: {column["name"] for column in inspect(tx).get_columns(name)} for name in inspect(tx).get_table_names()
        }
        indexes = {
            index["name"]: (name, index["column_names"]) for name in had for index in inspect(tx).get_indexes(name)
        }
    then.close()
    with database.engine.begin() as tx:
        for table in reversed(METADATA.sorted_tables):
            if table.name not in had:
                tx.execute(text(f"DROP TABLE {table.name}"))
                continue
            for name in {str(index.name) for index in table.indexes} - set(indexes):
                tx.execute(text(f"DROP INDEX {name}"))
            for column in table.columns:
                if column.name not in had[table.name]:
                    tx.execute(text(f"ALTER TABLE {table.name} DROP COLUMN {column.name}"))
        now = {str(index.name) for table in METADATA.sorted_tables for index in table.indexes}
        if database.is_postgresql:
            _join_months(tx)
            now -= {name for name, (table_name, _) in indexes.items() if table_name == "usage_log"}
        for index_name, (table_name, columns) in indexes.items():
            if index_name not in now:
                listed = ", ".join(filter(None, columns))
                tx.execute(text(f"CREATE INDEX {index_name} ON {table_name} ({listed})"))
        tx.execute(text("UPDATE alembic_version SET version_num = '0002'"))


def _join_months(tx: Connection) -> None:
    """Put the partitions of PostgreSQL's usage log into one table, as before 0013. It has no index yet."""
    for statement in (
        "CREATE TABLE one_table (LIKE usage_log INCLUDING DEFAULTS)",
        "INSERT INTO one_table SELECT * FROM usage_log",
        "ALTER SEQUENCE usage_log_id_seq OWNED BY one_table.id",
        "DROP TABLE usage_log",
        "ALTER TABLE one_table RENAME TO usage_log",
        "ALTER TABLE usage_log ADD CONSTRAINT pk_usage_log PRIMARY KEY (id)",
    ):
        tx.execute(text(statement))
