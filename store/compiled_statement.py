"""Statements that every relayed call runs.

SQLAlchemy's own execution takes longer over such a statement than SQLite. On SQLite they are therefore compiled once,
and the driver runs them; their values go through the types of their columns all the same. On PostgreSQL, where a call
has its shortcuts (`store.shortcut`), SQLAlchemy runs them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import sqlite

_Processor: TypeAlias = Callable[[Any], Any]
_NAMED: Final = "named"
"""The driver gets each value once, however often it stands in the text (PEP 249, paramstyle)."""


class CompiledStatement:
    """A statement that changes or finds one row at most.

    It must run inside a transaction of `Database`, which maps the driver's errors.
    """

    def __init__(self, statement: Executable, *, columns: Sequence[str] = ()) -> None:
        """`columns` are those of an INSERT whose values all come as parameters."""
        self.statement = statement
        self._columns = columns

    def change(self, tx: Connection, parameters: Mapping[str, Any]) -> int:
        """Run it; returns the number of rows that an UPDATE changed."""
        if tx.dialect.name != "sqlite":
            return tx.execute(self.statement, dict(parameters)).rowcount
        return int(self._on_sqlite.run(tx, parameters).rowcount)

    def change_each(self, tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of `rows`."""
        if tx.dialect.name != "sqlite":
            tx.execute(self.statement, rows)
            return
        # SQLAlchemy would compile one long statement for all of them.
        for parameters in rows:
            self._on_sqlite.run(tx, parameters)

    def row(self, tx: Connection, parameters: Mapping[str, Any]) -> Any:
        """Run it; returns the row that it found or returned, with its columns by name, or None."""
        if tx.dialect.name != "sqlite":
            return tx.execute(self.statement, dict(parameters)).one_or_none()
        return self._on_sqlite.row(tx, parameters)

    @cached_property
    def _on_sqlite(self) -> "SqliteStatement":
        return _compile(self.statement, self._columns)


class SqliteStatement(NamedTuple):
    """A statement in the words of SQLite."""

    text: str
    given: Mapping[str, Any]
    """The values that are part of the statement."""
    processors: Sequence[tuple[str, _Processor]]
    """The parameters whose type writes them otherwise than they come."""
    names: Sequence[str]
    """The names of the columns of a row."""
    readers: Sequence[tuple[str, _Processor]]
    """The columns whose type reads them otherwise than the driver."""

    def run(self, tx: Connection, parameters: Mapping[str, Any]) -> Any:
        """The cursor after the statement."""
        values = {**self.given, **parameters}
        for name, write in self.processors:
            values[name] = write(values[name])
        driver: Any = tx.connection.driver_connection
        return driver.execute(self.text, values)

    def row(self, tx: Connection, parameters: Mapping[str, Any]) -> Any:
        # All rows are fetched: a statement that is under way could not be committed.
        rows = self.run(tx, parameters).fetchall()
        if not rows:
            return None
        (row,) = rows
        found = dict(zip(self.names, row, strict=True))
        for name, read in self.readers:
            found[name] = read(found[name])
        return SimpleNamespace(**found)


def _compile(statement: Any, columns: Sequence[str]) -> SqliteStatement:
    dialect = sqlite.dialect(paramstyle=_NAMED)
    compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
    implementations = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items()}
    processors = [
        (name, write) for name, kind in implementations.items() if (write := kind.bind_processor(dialect)) is not None
    ]
    returned = getattr(statement, "exported_columns", None) or ()
    readers = [
        (column.key, read)
        for column in returned
        if (read := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
    ]
    return SqliteStatement(
        text=str(compiled),
        given={name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required},
        processors=processors,
        names=[column.key for column in returned],
        readers=readers,
    )
