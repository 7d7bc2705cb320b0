"""INSERT ... ON CONFLICT DO UPDATE, as one atomic statement on both databases."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, literal
from sqlalchemy.dialects import sqlite


def upserting_insert(dialect: str) -> Any:
    """The `insert` of the dialect, which has ON CONFLICT; `dialect` is sqlite or postgresql."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # 2 MB of memory that SQLite does not need

        return postgresql.insert
    return sqlite.insert


def upsert(
    tx: Connection,
    table: Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    only_if: ColumnElement[bool] | None = None,
) -> bool:
    """Insert the row of `key` with `values`, or update the existing row. True if the row has the values now.

    A value that is a tuple `(inserted, updated)` differs between the two cases; `updated` may be an SQL expression over
    the columns of `table`. An existing row that does not match `only_if` is left unchanged. The statement is atomic
    under concurrency.
    """
    first = {name: value[0] if isinstance(value, tuple) else value for name, value in values.items()}
    then = {name: value[1] if isinstance(value, tuple) else value for name, value in values.items()}
    statement = upserting_insert(tx.dialect.name)(table).values(**key, **first)
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=then, where=only_if)
    return tx.execute(statement.returning(literal(1))).one_or_none() is not None
