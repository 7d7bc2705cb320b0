"""The database: one engine, read and write transactions, and the check of the file."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from store import file_systems, postgresql_engine, sqlite_engine
from store.driver_errors import MAPPED
from store.errors import DatabaseForeign, DatabaseRefused, DatabaseUnreachable
from store.kept_transaction import KeptTransaction


class Database:
    """An open database. Threads may share it; a transaction takes a connection of its own, or that which it is given.

    A thread with many transactions keeps a connection for them (`connect`): taking one from the pool takes as long as
    a short transaction, and on SQLite another one has not read the pages that the last transaction left.
    """

    def __init__(self, url: str, *, connections: int | None = None) -> None:
        """At most as many `connections` on PostgreSQL; None leaves it at 16, and 16 that are closed after use.

        Raises `DatabaseForeign` for an unsupported or invalid URL.
        """
        try:
            self.url: URL = make_url(url)
        except (exc.ArgumentError, ValueError) as error:
            raise DatabaseForeign("The database address cannot be read.") from error
        if self.url.drivername in ("postgresql", "postgres"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        if self.url.drivername not in ("sqlite", "postgresql+psycopg"):
            raise DatabaseForeign("Gatekey keeps its data in SQLite or PostgreSQL.")
        if self.url.drivername == "sqlite" and self.url.query:
            raise DatabaseForeign("The address of an SQLite database is a path and nothing else.")
        self.is_postgresql = self.url.drivername != "sqlite"
        self.before_commit: Callable[[Connection], None] | None = None
        """Called at the end of every write transaction. An error rolls the transaction back."""
        self._keeper: sqlite3.Connection | None = None
        self._path = self.url.database or ""
        self._file: tuple[int, int] | None = None
        """Device and inode of the SQLite file at the first connection."""
        self._has_kept = False
        """True if `connect` has made a connection by `sqlite_engine.keep`."""
        self._is_closed = False
        self._connections = connections
        self.engine: Engine = self._postgresql_engine() if self.is_postgresql else self._sqlite_engine()

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None for PostgreSQL and in-memory databases."""
        if self.is_postgresql or not self.url.database or self.url.database == ":memory:":
            return None
        return Path(self.url.database)

    @property
    def is_in_memory(self) -> bool:
        return self.path is None and not self.is_postgresql

    def connect(self) -> Connection:
        """A connection for one thread, to be closed by it. Raises `StoreUnavailable`."""
        self.refuse_another_file()
        with self.mapped():
            connection = self.engine.connect()
            self._has_kept = self.path is not None and sqlite_engine.keep(connection)
            return connection

    @contextmanager
    def read(self, on: Connection | None = None) -> Iterator[Connection]:
        """A read transaction with one snapshot. Raises `StoreUnavailable`."""
        self.refuse_another_file()
        with self.mapped(), self._connection(on) as connection:
            if self.is_postgresql:
                postgresql_engine.begin_reading(connection)
                yield connection
                if not connection.invalidated:
                    connection.commit()  # after a rollback the driver forgets what it has prepared
                return
            # No `begin` listener: an engine with one is slower at each statement. The driver's connection takes a tenth
            # of the time of SQLAlchemy's.
            with connection.begin():
                connection.connection.cursor().execute("BEGIN")
                yield connection

    @contextmanager
    def look(self, on: Connection | None = None) -> Iterator[Connection]:
        """As `read`, for statements that need not tell of one moment: none begins or ends a transaction."""
        self.refuse_another_file()
        with self.mapped(), self._connection(on) as connection:
            try:
                yield connection
            finally:
                if on is not None and connection.get_transaction() is not None:
                    connection.rollback()  # the one that SQLAlchemy believes to have begun

    def write(
        self,
        *,
        durable: bool = True,
        lock_timeout_s: float = sqlite_engine.BUSY_TIMEOUT_MS / 1000,
        on: Connection | None = None,
    ) -> AbstractContextManager[Connection]:
        """A write transaction. It commits at the end of the body, and an error in the body rolls it back.

        It takes SQLite's write lock at the start, and waits up to `lock_timeout_s` seconds for it; 0 tries once, on a
        connection of `connect` for 20 ms. Without `durable` the commit does not wait for the disk: it survives a crash
        of this program, but not always a power loss. A durable commit also makes all earlier commits durable.
        Raises `StoreUnavailable`.
        """
        if on is not None and self._has_kept:
            return KeptTransaction(self, on, durable=durable, lock_timeout_s=lock_timeout_s)
        return self._write(durable, lock_timeout_s, on)

    @contextmanager
    def _write(self, durable: bool, lock_timeout_s: float, on: Connection | None) -> Iterator[Connection]:
        self.refuse_another_file()
        with (
            self.mapped(),
            self._connection(on) as connection,
            self._flushing(connection, durable),
            connection.begin(),
        ):
            if self.is_postgresql:
                postgresql_engine.begin(connection, durable=durable)
            else:
                sqlite_engine.take_write_lock(connection, lock_timeout_s)
            yield connection
            if self.before_commit is not None:
                self.before_commit(connection)

    def flush(self) -> None:
        """Wait until the disk has every transaction that was committed before (PostgreSQL).

        Raises `StoreUnavailable`, and then it may have them or not.
        """
        with self.mapped(), self.engine.connect() as connection:
            postgresql_engine.flush(connection)

    @contextmanager
    def restructure(self) -> Iterator[Connection]:
        """A write transaction for a schema change.

        SQLite rebuilds a table by dropping the old one, which deletes all rows that refer to it while foreign keys are
        enforced (sqlite.org/lang_altertable.html, 7). They are therefore disabled, and checked before the commit.
        Raises `DatabaseRefused` for a broken one.
        """
        if self.is_postgresql:
            with self.write() as connection:
                yield connection
            return
        with self.mapped(), self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    sqlite_engine.take_write_lock(connection)
                    yield connection
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                        raise DatabaseRefused("Rows would have been left without what they refer to.")
            finally:
                cursor.execute("PRAGMA foreign_keys=ON")
                cursor.close()

    def mapped(self) -> AbstractContextManager[None]:
        """Translate the driver's errors in the body into `StoreUnavailable`."""
        return MAPPED

    def refuse_another_file(self) -> None:
        """Raise `DatabaseUnreachable` once this is closed, or the SQLite file is another than that which was opened."""
        if self._is_closed:
            raise DatabaseUnreachable("The database is closed.")
        # SQLite would go on writing to the removed or replaced file, and the data would be lost.
        if self._file is not None and file_systems.identity(self._path) != self._file:
            raise DatabaseUnreachable(
                "The database file was removed or replaced while it was open. Nothing was changed; put it back, or "
                "start Gatekey again."
            )

    def checkpoint(self) -> bool:
        """Move SQLite's write-ahead log into the file and truncate it, so that it holds no deleted rows.

        False if a reader prevented it; the next checkpoint does it then. True on PostgreSQL, which needs no checkpoint.
        """
        if self.path is None:
            return True
        with self.mapped(), self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return bool(busy == 0)

    def faults(self) -> list[str]:
        """The messages of SQLite's quick_check and foreign_key_check; empty for an intact file and for PostgreSQL.

        Raises `StoreUnavailable`.
        """
        if self.is_postgresql:
            return []
        with self.read() as tx:
            found = [str(row[0]) for row in tx.exec_driver_sql("PRAGMA quick_check(10)") if row[0] != "ok"]
            orphans = tx.exec_driver_sql("PRAGMA foreign_key_check").all()
        return found + [f"row {row[1]} of {row[0]} points at nothing" for row in orphans[:10]]

    def close(self) -> None:
        """Close all connections. A later read or write raises `DatabaseUnreachable`."""
        self._is_closed = True
        self.engine.dispose()
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def _connection(self, on: Connection | None) -> AbstractContextManager[Connection]:
        return self.engine.connect() if on is None else nullcontext(on)

    def _sqlite_engine(self) -> Engine:
        path = self.path
        if path is None:
            # A named in-memory database exists while a connection is open, and threads can open their own connections.
            uri = f"file:/gatekey-{secrets.token_hex(8)}?vfs=memdb"
            self._keeper = sqlite3.connect(uri, uri=True, check_same_thread=False)
            engine = create_engine(
                "sqlite://",
                creator=lambda: sqlite_engine.connect_sqlite(uri),
                poolclass=QueuePool,
                pool_size=8,
                max_overflow=24,
            )
        else:
            engine = create_engine(self.url, connect_args={"check_same_thread": False}, pool_size=8, max_overflow=24)
            event.listen(engine, "connect", self._remember_file)
        event.listen(engine, "connect", self._refuse_if_closed)
        event.listen(engine, "connect", sqlite_engine.set_pragmas)
        event.listen(engine, "checkin", self._close_if_closed)
        return engine

    def _refuse_if_closed(self, connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        # A closed engine opens new connections, which nobody would close.
        if self._is_closed:
            connection.close()
            raise DatabaseUnreachable("The database is closed.")

    def _close_if_closed(self, _connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        # A connection in use while its pool was disposed of returns to that pool, which never closes it.
        if self._is_closed:
            record.close()

    def _remember_file(self, _connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        if self._file is None:
            self._file = file_systems.identity(self._path)

    @contextmanager
    def _flushing(self, connection: Connection, durable: bool) -> Iterator[None]:
        if durable or self.is_postgresql:
            yield
            return
        # Before the transaction: SQLite ignores the PRAGMA inside one.
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.close()

    def _postgresql_engine(self) -> Engine:
        engine = postgresql_engine.make_engine(self.url, self._connections)
        event.listen(engine, "connect", self._refuse_if_closed)
        event.listen(engine, "checkin", self._close_if_closed)
        return engine
