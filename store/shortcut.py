"""Shortcuts: a step of a call that does all of it or nothing, and like steps of several calls at once.

A shortcut covers the ordinary case only. Where it did nothing, the step runs by its own function, which says why it is
refused or does what is rare. On PostgreSQL a shortcut is one statement: a step of several costs a round trip for each,
and holds its row locks meanwhile. Several shortcuts, and the commit, are one round trip. On SQLite it is a few
statements for any number of like steps (`store.call_steps`), inside a transaction.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar, cast

from sqlalchemy import ARRAY, ClauseElement, Connection, Integer, Select

from store.database import Database
from store.driver_errors import for_postgresql
from store.errors import StoreUnavailable
from store.sqlite_engine import BUSY_TIMEOUT_MS

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")
Steps: TypeAlias = Callable[[Connection, Mapping[str, Any]], "tuple[Any, ...] | None"]
"""Statements of SQLite. The first one decides: the others run if it changed a row."""
_NOT_DURABLE: Final = "set_config('synchronous_commit', 'off', true)"
"""SET LOCAL asks for a BEGIN."""
_LOCK_TIMEOUT: Final = "set_config('lock_timeout', '{}ms', true)"


class WholeStatement:
    """A statement compiled once. Its values are handed to the driver as they are: integers, texts, booleans, times."""

    def __init__(self, statement: ClauseElement) -> None:
        from sqlalchemy.dialects.postgresql import psycopg as dialects

        # SQLAlchemy's own execution would take most of the time, and cannot send the next statement before the result.
        compiled: Any = statement.compile(dialect=dialects.dialect(paramstyle="numeric_dollar"))  # type: ignore[no-untyped-call]
        self.text: str = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._given = {name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required}
        self._of_integers = frozenset(name for name, bind in compiled.binds.items() if _is_of_integers(bind.type))

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The values of `parameters` in the statement's order. Raises KeyError if one is missing."""
        given, of_integers = self._given, self._of_integers
        return [
            given[name]
            if name not in parameters
            # The driver takes much longer over a list.
            else f"{{{','.join(map(str, parameters[name]))}}}"
            if name in of_integers
            else parameters[name]
            for name in self._names
        ]


def _is_of_integers(kind: Any) -> bool:
    return isinstance(kind, ARRAY) and isinstance(kind.item_type, Integer)


class WholeQuery(WholeStatement):
    """A query for at most one row, compiled once."""

    def __init__(self, query: Select[Any]) -> None:
        super().__init__(query)
        self._columns = query.selected_columns.keys()

    def row(self, tx: Connection, parameters: Mapping[str, Any]) -> Any:
        """The row, with its columns by name, or None. Raises `StoreUnavailable`.

        Texts, numbers, booleans and documents come as they are, times in the zone of the session, which is UTC.
        """
        import psycopg

        driver: Any = tx.connection.driver_connection
        try:
            row = psycopg.RawCursor(driver).execute(self.text, self.values(parameters)).fetchone()
        except psycopg.Error as error:
            raise _mapped(tx, driver, error) from error
        return None if row is None else SimpleNamespace(**dict(zip(self._columns, row, strict=True)))


@dataclass(frozen=True, slots=True)
class Shortcut(Generic[T]):
    """One step. Its statement returns a row if it did the step, and none if it changed nothing."""

    statement: WholeStatement | Steps
    """`Steps` on SQLite."""
    parameters: Mapping[str, Any]
    result: Callable[[tuple[Any, ...]], T]
    """Makes the result of the step from the row."""
    together: "Together | None" = None


@dataclass(frozen=True, slots=True)
class Together:
    """Steps of one statement that it can do at once, all of them or none: those with the same `key`."""

    key: Hashable
    join: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]
    """The parameters of all of them from the parameters of each."""


def take_shortcuts(
    database: Database,
    shortcuts: Sequence[Shortcut[Any]],
    *,
    durable: bool,
    lock_timeout_s: float | None = None,
    on: Connection | None = None,
) -> list[tuple[Any, ...] | None]:
    """Run `shortcuts` in one transaction; returns the row of each, or None where it did nothing.

    Those that can be done together do nothing if one of them cannot be done. `lock_timeout_s` is the longest wait for
    each lock, that of the database by default; `on` is that of `Database.write`, for SQLite. On PostgreSQL the
    transaction keeps the rows of each of `shortcuts` until the end: those of several accounts come in one order.

    Raises `StoreUnavailable`, and then nothing was changed, unless the connection was lost during the commit.
    """
    if not database.is_postgresql:
        patience = BUSY_TIMEOUT_MS / 1000 if lock_timeout_s is None else lock_timeout_s
        with database.write(durable=durable, lock_timeout_s=patience, on=on) as tx:
            return take_within(tx, shortcuts)
    with database.mapped(), database.engine.connect() as connection:
        # SQLAlchemy's connection has the one of the pool, and this the driver's.
        driver: Any = connection.connection.driver_connection
        groups = _groups(shortcuts)
        settings = [] if durable else [_NOT_DURABLE]
        if lock_timeout_s is not None:
            settings.append(_LOCK_TIMEOUT.format(round(lock_timeout_s * 1000)))
        found = _run(connection, driver, [_whole(group) for group in groups.values()], settings)
    rows = dict(zip(groups, found, strict=True))
    return [rows[_key(shortcut)] for shortcut in shortcuts]


def take_within(tx: Connection, shortcuts: Sequence[Shortcut[Any]]) -> list[tuple[Any, ...] | None]:
    """As `take_shortcuts`, inside a transaction of SQLite."""
    if len(shortcuts) == 1:
        return [cast("Steps", shortcuts[0].statement)(tx, shortcuts[0].parameters)]
    groups = _groups(shortcuts)
    rows = {key: cast("Steps", group[0].statement)(tx, _joined(group)) for key, group in groups.items()}
    return [rows[_key(shortcut)] for shortcut in shortcuts]


def _groups(shortcuts: Sequence[Shortcut[Any]]) -> dict[Hashable, list[Shortcut[Any]]]:
    groups: dict[Hashable, list[Shortcut[Any]]] = {}
    for shortcut in shortcuts:
        groups.setdefault(_key(shortcut), []).append(shortcut)
    return groups


def _key(shortcut: Shortcut[Any]) -> Hashable:
    return id(shortcut) if shortcut.together is None else shortcut.together.key


def _whole(group: Sequence[Shortcut[Any]]) -> tuple[str, list[Any]]:
    """The text and the values of the statement of PostgreSQL that does all of `group`."""
    statement = cast("WholeStatement", group[0].statement)
    return statement.text, statement.values(_joined(group))


def _joined(group: Sequence[Shortcut[Any]]) -> Mapping[str, Any]:
    """The parameters of all of `group` together."""
    first = group[0]
    if first.together is None or len(group) == 1:
        return first.parameters
    return first.together.join([each.parameters for each in group])


def _run(
    connection: Connection,
    driver: "psycopg.Connection[Any]",
    statements: Sequence[tuple[str, list[Any]]],
    settings: Sequence[str],
) -> list[tuple[Any, ...] | None]:
    import psycopg

    cursors = [psycopg.RawCursor(driver) for _ in statements]
    other = psycopg.RawCursor(driver)
    try:
        # Sent together at the end of the block, where they are committed: what is sent before a Sync is one transaction
        # (PostgreSQL, "Pipelining" of the extended query protocol).
        with driver.pipeline():
            if settings:
                other.execute(f"SELECT {', '.join(settings)}")
            try:
                for cursor, (text, values) in zip(cursors, statements, strict=True):
                    cursor.execute(text, values)
            except BaseException:
                # The driver refused a value. What it has sent before must not be committed.
                other.execute("ROLLBACK")
                raise
        return [cursor.fetchone() for cursor in cursors]
    except BaseException as error:
        mapped = _mapped(connection, driver, error) if isinstance(error, psycopg.Error) else error
        if not connection.invalidated:
            # The driver believes to have prepared statements that the server skipped after the error.
            connection.invalidate()
        if mapped is error:
            raise
        raise mapped from error


def _mapped(connection: Connection, driver: "psycopg.Connection[Any]", error: "psycopg.Error") -> StoreUnavailable:
    """The error of the store for the driver's. A lost connection is not used again."""
    if driver.closed:
        connection.invalidate(error)
        connection.engine.dispose()  # the other connections that wait in the pool were most likely lost too
    return for_postgresql(error)
