"""Copies all rows and id sequences from one database to another."""

from typing import Final

from sqlalchemy import Column, Connection, Table, func, insert, select, text

from store.models import METADATA

_BATCH_ROWS: Final = 1000
TABLES: Final = tuple(METADATA.sorted_tables)
"""Every table, in foreign-key order: a referenced table comes first."""


def copy_rows(source: Connection, target: Connection, table: Table) -> int:
    """Insert every row of `table` in `source` into `target`; returns the number of rows."""
    count = 0
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH_ROWS)
    with source.execute(query) as rows:
        for part in rows.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in part])
            count += len(part)
    return count


def read_sequences(tx: Connection) -> dict[str, int]:
    """The highest id that each table with generated ids ever assigned, by table name."""
    found = {}
    for table, column in _tables_with_generated_ids():
        highest = tx.execute(select(func.max(column))).scalar() or 0
        if tx.dialect.name == "postgresql":
            name = tx.execute(text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": table.name}).scalar()
            given = tx.execute(text(f"SELECT last_value FROM {name} WHERE is_called")).scalar() or 0  # noqa: S608 - ours
        elif table.dialect_options["sqlite"]["autoincrement"]:
            given = tx.execute(
                text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}
            ).scalar()
        else:
            given = 0
        found[table.name] = max(int(highest), int(given or 0))
    return found


def advance_sequences(tx: Connection, given: dict[str, int]) -> None:
    """Set the sequences of `tx`, so that no table assigns an id up to its value in `given` again."""
    for table, _ in _tables_with_generated_ids():
        last = given.get(table.name, 0)
        if last < 1:
            continue
        where = {"name": table.name, "last": last}
        if tx.dialect.name == "postgresql":
            # setval is not transactional: the sequence must also suit the rows that a rollback restores.
            name = tx.execute(text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": table.name}).scalar()
            tx.execute(text(f"SELECT setval('{name}', GREATEST(:last, last_value)) FROM {name}"), {"last": last})  # noqa: S608
        elif table.dialect_options["sqlite"]["autoincrement"]:
            tx.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
            tx.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), where)


def _tables_with_generated_ids() -> list[tuple[Table, Column[int]]]:
    """The tables with generated ids, and their id column."""
    return [(table, table.c.id) for table in TABLES if table.autoincrement_column is not None]
