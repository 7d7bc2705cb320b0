"""One engine, two kinds of transaction, and one table that turns driver errors into sentences."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from store import file_systems, sqlite_file
from store.driver_errors import for_sqlite, translate
from store.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseForeign,
    DatabaseNotUtf8,
    DatabaseRefused,
    DatabaseUnreachable,
)

APPLICATION_ID: Final = 0x474B4559
"""`GKEY` in the SQLite header (offset 68): another program's file is told from ours before it is read."""

BUSY_TIMEOUT_MS: Final = 5000
_ASK_EVERY_S: Final = 0.002
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA temp_store=MEMORY",
)
_ONE_SNAPSHOT: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""On PostgreSQL each statement of a transaction sees a newer state, unless it is told otherwise."""


class Database:
    """An open database. Threads may share it; every call to `read` or `write` takes a connection of its own."""

    def __init__(self, url: str) -> None:
        """Raises `DatabaseForeign` for a URL of another kind, or one that cannot be read."""
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
        self.before_commit: Callable[[Connection], None] | None = None
        """What every write transaction does last; whatever it raises rolls the transaction back."""
        self._keeper: sqlite3.Connection | None = None
        self._path = Path(self.url.database or "")
        self._file: tuple[int, int] | None = None
        """Device and inode of the SQLite file that was opened first."""
        self.engine: Engine = self._postgresql_engine() if self.is_postgresql else self._sqlite_engine()
        self._reader = self.engine.execution_options(**_ONE_SNAPSHOT) if self.is_postgresql else self.engine

    @property
    def is_postgresql(self) -> bool:
        return self.url.get_backend_name() == "postgresql"

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None for PostgreSQL and for a database in memory."""
        if self.is_postgresql or not self.url.database or self.url.database == ":memory:":
            return None
        return Path(self.url.database)

    @property
    def is_in_memory(self) -> bool:
        return self.path is None and not self.is_postgresql

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the data. Raises `StoreUnavailable`."""
        self._refuse_another_file()
        with self.mapped(), self._reader.connect() as connection:
            # Not in a listener to SQLAlchemy's `begin`: an engine with one takes a slower path at each statement.
            # On the driver's own connection, which takes a tenth of the time it takes through SQLAlchemy.
            if not self.is_postgresql:
                connection.connection.cursor().execute("BEGIN")
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True, patience: float = BUSY_TIMEOUT_MS / 1000) -> Iterator[Connection]:
        """A transaction that commits on leaving and holds SQLite's write lock from its start.

        One that is not lasting does not wait for the disk: a crash of this program does not undo it, a power cut
        may. What is committed as lasting stays, and all before it. `patience` is how many seconds SQLite's other
        writers are waited for; 0 asks once. Raises `StoreUnavailable`; whatever is raised inside rolls everything back.
        """
        self._refuse_another_file()
        with (
            self.mapped(),
            self.engine.connect() as connection,
            self._flushing(connection, durable),
            connection.begin(),
        ):
            if not self.is_postgresql:
                _take_write_lock(connection, patience)
            elif not durable:
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            yield connection
            if self.before_commit is not None:
                self.before_commit(connection)

    @contextmanager
    def restructure(self) -> Iterator[Connection]:
        """Like `write`, for a change of schema.

        SQLite rebuilds a table by dropping the old one, which deletes every row that refers to it while foreign
        keys are on (sqlite.org/lang_altertable.html, 7). So they are off, and looked at before the commit. Raises
        `DatabaseRefused` if one was broken.
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
                    _take_write_lock(connection)
                    yield connection
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                        raise DatabaseRefused("Rows would have been left without what they refer to.")
            finally:
                cursor.execute("PRAGMA foreign_keys=ON")
                cursor.close()

    @contextmanager
    def mapped(self) -> Iterator[None]:
        """Turn the driver's errors into `StoreUnavailable`."""
        try:
            yield
        except exc.DBAPIError as error:
            raise translate(error) from error
        except sqlite3.Error as error:
            raise for_sqlite(error) from error
        except exc.TimeoutError as error:
            raise DatabaseBusy from error
        except JSONDecodeError as error:
            raise DatabaseDamaged from error
        except (OverflowError, UnicodeEncodeError) as error:
            # The drivers say this of a number beyond 64 bits and of a lone surrogate, before they send anything.
            raise DatabaseRefused("This value cannot be stored. Nothing was changed.") from error

    def checkpoint(self) -> bool:
        """Move the write-ahead log into the file and empty it, so that nothing deleted stays behind in it.

        False if a reader held it open; the next checkpoint does it then. PostgreSQL does this by itself.
        """
        if self.path is None:
            return True
        with self.mapped(), self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return bool(busy == 0)

    def faults(self) -> list[str]:
        """What SQLite finds wrong with its file (PRAGMA quick_check, foreign_key_check), in its words; mostly nothing.

        PostgreSQL checks its own pages. Raises `StoreUnavailable`.
        """
        if self.is_postgresql:
            return []
        with self.read() as tx:
            found = [str(row[0]) for row in tx.exec_driver_sql("PRAGMA quick_check(10)") if row[0] != "ok"]
            orphans = tx.exec_driver_sql("PRAGMA foreign_key_check").all()
        return found + [f"row {row[1]} of {row[0]} points at nothing" for row in orphans[:10]]

    def close(self) -> None:
        self.engine.dispose()
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def _sqlite_engine(self) -> Engine:
        path = self.path
        if path is None:
            # A named memory database lives while one connection is open, and gives every thread its own.
            uri = f"file:/gatekey-{secrets.token_hex(8)}?vfs=memdb"
            self._keeper = sqlite3.connect(uri, uri=True, check_same_thread=False)
            engine = create_engine(
                "sqlite://",
                creator=lambda: _connect_sqlite(uri),
                poolclass=QueuePool,
                pool_size=8,
                max_overflow=24,
            )
        else:
            engine = create_engine(self.url, connect_args={"check_same_thread": False}, pool_size=8, max_overflow=24)
            event.listen(engine, "connect", self._remember_file)
        event.listen(engine, "connect", _set_pragmas)
        return engine

    def _remember_file(self, _connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        if self._file is None:
            self._file = file_systems.identity(Path(self.url.database or ""))

    @contextmanager
    def _flushing(self, connection: Connection, durable: bool) -> Iterator[None]:
        if durable or self.is_postgresql:
            yield
            return
        # Outside a transaction: SQLite ignores it within one.
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.close()

    def _refuse_another_file(self) -> None:
        # SQLite goes on writing to a file that was removed or replaced: "saved" would mean lost.
        if self._file is not None and file_systems.identity(self._path) != self._file:
            raise DatabaseUnreachable(
                "The database file was removed or replaced while it was open. Nothing was changed; put it back, or "
                "start Gatekey again."
            )

    def _postgresql_engine(self) -> Engine:
        # Asked for, because a database without an encoding (SQL_ASCII) answers with bytes.
        options = {"connect_timeout": 5, "client_encoding": "utf8"}
        engine = create_engine(self.url, connect_args=options, pool_size=8, max_overflow=24)
        event.listen(engine, "connect", _set_session)
        return engine


def prepare_file(path: Path, *, create: bool) -> None:
    """Make or check the SQLite file before it is used; it must be empty or carry our id.

    Raises what `store.sqlite_file` raises, and `DatabaseForeign`.
    """
    if create:
        sqlite_file.create(path)
    sqlite_file.check(path)
    with path.open("rb") as file:
        header = file.read(sqlite_file.HEADER_BYTES)
    if not header:
        return
    stamp = sqlite_file.application_id(header)
    if stamp is None:
        raise DatabaseForeign
    # Until the first checkpoint our id lies in the write-ahead log, where only SQLite can read it.
    if stamp != APPLICATION_ID and (stamp != 0 or not _is_ours_or_empty(path)):
        raise DatabaseForeign


def _is_ours_or_empty(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)) as connection:
            (stamp,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise for_sqlite(error) from error
    return bool(stamp == APPLICATION_ID or tables == 0)


def _connect_sqlite(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, check_same_thread=False)


def _set_session(connection: Any, _record: ConnectionPoolEntry) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding == "SQL_ASCII":
        raise DatabaseNotUtf8(encoding)
    # In one message, and not as startup parameters: PgBouncer refuses those it does not know.
    connection.autocommit = True
    connection.execute(f"SET timezone TO 'UTC'; SET lock_timeout TO {BUSY_TIMEOUT_MS}")
    connection.autocommit = False


def _set_pragmas(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin on its own
    cursor = connection.cursor()
    # SQLite does not wait for another that turns a new file to write-ahead logging, whatever the timeout.
    cursor.execute("PRAGMA busy_timeout=0")
    _ask_until_free(cursor, "PRAGMA journal_mode=WAL")
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _take_write_lock(connection: Connection, patience: float = BUSY_TIMEOUT_MS / 1000) -> None:
    """Begin as a writer, asking again every `_ASK_EVERY_S` for up to `patience` seconds.

    A transaction that only turns into a writer fails at once when another wrote meanwhile, whatever the timeout.
    SQLite's own waiting asks ever more rarely, down to every 100 ms: of eight busy writers some never get a turn.
    """
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        if not _ask_until_free(cursor, "BEGIN IMMEDIATE", patience):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # what the last attempt meets is reported
    finally:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()


def _ask_until_free(cursor: DBAPICursor, statement: str, patience: float = BUSY_TIMEOUT_MS / 1000) -> bool:
    """Whether `statement` was carried out within `patience` seconds; if not, another held the lock, or it failed."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            cursor.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
        else:
            return True
        time.sleep(_ASK_EVERY_S)
    return False
