"""INSERT, or UPDATE where the row is there, as one statement on both databases."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, literal
from sqlalchemy.dialects import sqlite

from store.models import Base


def upserting_insert(dialect: str) -> Any:
    """The database's own `insert`, which knows ON CONFLICT; `dialect` is sqlite or postgresql."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # 2 MB that the other never needs

        return postgresql.insert
    return sqlite.insert


def upsert(
    tx: Connection,
    table: type[Base],
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    only_if: ColumnElement[bool] | None = None,
) -> bool:
    """Give the row of `key` these `values`, whether or not it exists; returns whether it has them now.

    A value may be an SQL expression over the columns of `table`: it is used for the update alone, where a plain
    value beside it in a tuple `(first, then)` is used for the insert. A row that is there and does not meet
    `only_if` stays as it is. Both databases decide this in the one statement, whoever else runs it.
    """
    first = {name: value[0] if isinstance(value, tuple) else value for name, value in values.items()}
    then = {name: value[1] if isinstance(value, tuple) else value for name, value in values.items()}
    statement = upserting_insert(tx.dialect.name)(table).values(**key, **first)
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=then, where=only_if)
    return tx.execute(statement.returning(literal(1))).one_or_none() is not None
