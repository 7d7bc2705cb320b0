"""Calls at each statement that reaches the database: those of SQLAlchemy, and those of `store.compiled_statement`."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, event

from store.compiled_statement import SqliteStatement

Listener: TypeAlias = Callable[[Connection, str], None]
"""Called with the connection and the SQL."""


def listen_before(target: Engine | type[Engine], listener: Listener) -> Callable[[], None]:
    """Call `listener` before each statement of the engine, or of all engines; returns the end of it."""
    return _listen("before_cursor_execute", target, listener)


def listen_after(target: Engine | type[Engine], listener: Listener) -> Callable[[], None]:
    """As `listen_before`, after each statement."""
    return _listen("after_cursor_execute", target, listener)


def _listen(name: str, target: Engine | type[Engine], listener: Listener) -> Callable[[], None]:
    def note(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        listener(connection, statement)

    run = SqliteStatement.run

    def run_and_tell(self: SqliteStatement, tx: Connection, parameters: Mapping[str, Any]) -> Any:
        is_meant = target is Engine or tx.engine is target
        if is_meant and name.startswith("before"):
            listener(tx, self.text)
        cursor = run(self, tx, parameters)
        if is_meant and name.startswith("after"):
            listener(tx, self.text)
        return cursor

    event.listen(target, name, note)
    SqliteStatement.run = run_and_tell  # type: ignore[method-assign]

    def end() -> None:
        event.remove(target, name, note)
        SqliteStatement.run = run  # type: ignore[method-assign]

    return end
