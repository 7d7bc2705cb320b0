"""Statements that every relayed call runs.

SQLAlchemy's own execution takes longer over such a statement than SQLite. On SQLite they are therefore compiled once,
and the driver runs them; their values go through the types of their columns all the same. On PostgreSQL, where a
shortcut of a call is one statement (`store.shortcut`), SQLAlchemy runs the others.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Connection, Executable, Table, insert
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


class CompiledInsert:
    """An INSERT of one or more rows by one statement of SQLite."""

    def __init__(self, table: Table, columns: Sequence[str], *, returning: ColumnElement[Any] | None = None) -> None:
        self._insert = insert(table) if returning is None else insert(table).returning(returning)
        self._columns = columns
        self._texts: dict[int, str] = {}
        """By the number of rows."""

    def insert(self, tx: Connection, values: Mapping[str, Any], count: int) -> list[Any]:
        """Insert `count` rows; returns the returned column of each, in no order, or nothing.

        A list among `values` has the values of all rows, and anything else is the value of each.
        """
        text, names, processors = self._texts.get(count) or self._text(count), *self._compiled[1:]
        by_column = []
        for name in names:
            value, write = values[name], processors.get(name)
            if not isinstance(value, list):
                value = [value if write is None else write(value)] * count
            elif write is not None:
                value = [write(each) for each in value]
            by_column.append(value)
        driver: Any = tx.connection.dbapi_connection
        flat = [each for row in zip(*by_column, strict=True) for each in row]
        return [row[0] for row in driver.execute(text, flat).fetchall()]

    def _text(self, count: int) -> str:
        one, names, _ = self._compiled
        row = f"({', '.join('?' * len(names))})"
        self._texts[count] = one.replace(row, ", ".join([row] * count))
        return self._texts[count]

    @cached_property
    def _compiled(self) -> tuple[str, Sequence[str], Mapping[str, _Processor]]:
        """The text for one row, the columns in the order of its values, and the writers of columns by their types."""
        dialect = sqlite.dialect(paramstyle="qmark")
        compiled: Any = self._insert.compile(dialect=dialect, column_keys=list(self._columns))
        kinds = {name: compiled.binds[name].type.dialect_impl(dialect) for name in compiled.positiontup}
        processors = {
            name: write for name, kind in kinds.items() if (write := kind.bind_processor(dialect)) is not None
        }
        return str(compiled), tuple(kinds), processors


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
        driver: Any = tx.connection.dbapi_connection
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
