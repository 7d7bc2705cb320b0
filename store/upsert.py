"""INSERT, or UPDATE where the row is there, as one statement on both databases."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from store.models import Base


def upsert(tx: Connection, table: type[Base], key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Give the row of `key` these `values`, whether or not it exists.

    A value may be an SQL expression over the columns of `table`: it is used for the update alone, where a plain
    value beside it in a tuple `(first, then)` is used for the insert.
    """
    first = {name: value[0] if isinstance(value, tuple) else value for name, value in values.items()}
    then = {name: value[1] if isinstance(value, tuple) else value for name, value in values.items()}
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**key, **first)
    tx.execute(statement.on_conflict_do_update(index_elements=list(key), set_=then))
