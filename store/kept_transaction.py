"""Write transactions of SQLite on the connection that the gateway's writer keeps.

SQLAlchemy's own transaction and the generators of `contextlib` take longer than a short transaction of SQLite. Every
relayed call waits for two of these.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol

from sqlalchemy import Connection

from store.sqlite_engine import begin_immediate


class _Database(Protocol):
    """The part of `store.database.Database` that a transaction needs; the module itself imports this one."""

    before_commit: Callable[[Connection], None] | None

    def refuse_another_file(self) -> None: ...

    def mapped(self) -> AbstractContextManager[None]: ...


class KeptTransaction:
    """A write transaction: `Database.write` on a connection of `Database.connect` to a file."""

    __slots__ = ("_connection", "_database", "_driver", "_is_durable", "_lock_timeout_s")

    def __init__(self, database: _Database, connection: Connection, *, durable: bool, lock_timeout_s: float) -> None:
        self._database = database
        self._connection = connection
        self._is_durable = durable
        self._lock_timeout_s = lock_timeout_s
        self._driver: Any = None

    def __enter__(self) -> Connection:
        self._database.refuse_another_file()
        self._driver = self._connection.connection.dbapi_connection
        with self._database.mapped():
            try:
                if not self._is_durable:
                    # Before the transaction: SQLite ignores the PRAGMA inside one.
                    self._driver.execute("PRAGMA synchronous=NORMAL")
                begin_immediate(self._driver, self._lock_timeout_s)
            except BaseException:
                self._restore()
                raise
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._database.mapped():
            try:
                if error is not None:
                    raise error
                if self._database.before_commit is not None:
                    self._database.before_commit(self._connection)
                # SQLAlchemy believes to have begun one at the first statement that it ran itself.
                if self._connection.in_transaction():
                    self._connection.commit()
                else:
                    self._driver.commit()
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._restore()

    def _roll_back(self) -> None:
        # Both: SQLAlchemy keeps a transaction whose commit has failed until it is told, and sends nothing then.
        try:
            self._connection.rollback()
        finally:
            self._driver.rollback()

    def _restore(self) -> None:
        if not self._is_durable:
            self._driver.execute("PRAGMA synchronous=FULL")
