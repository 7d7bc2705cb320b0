"""SQLite connections: the pragmas, the write lock with its timeout, and the check of a file before its first use."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry

from store import sqlite_file
from store.driver_errors import for_sqlite
from store.errors import DatabaseForeign

APPLICATION_ID: Final = 0x474B4559
"""`GKEY` in the SQLite header (offset 68), by which a file of another program is recognized."""

BUSY_TIMEOUT_MS: Final = 5000
"""The default timeout of locks, on PostgreSQL too."""
_LOCK_POLL_S: Final = 0.002
_KEPT_BUSY_TIMEOUT_MS: Final = 20
"""The timeout of locks on a connection that one thread keeps. SQLite tries again after 1, 2, 5 and 10 ms of it. A read
waits only while another process recovers the log after a crash."""
PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA temp_store=MEMORY",
)
"""Set on every connection. One that a thread keeps has another timeout (`keep`)."""


def prepare_file(path: Path, *, create: bool) -> None:
    """Create or check the SQLite file before its first use. It must be empty or have `APPLICATION_ID`.

    Raises the errors of `store.sqlite_file`, and `DatabaseForeign`.
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
    # Before the first checkpoint the id is only in the write-ahead log, which SQLite has to read.
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


def connect_sqlite(uri: str) -> sqlite3.Connection:
    """A connection that threads may share, to a database named by a URI."""
    return sqlite3.connect(uri, uri=True, check_same_thread=False)


def set_pragmas(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Prepare a new connection. A listener of SQLAlchemy's `connect` event.

    The pool forgets a connection whose listener fails, and leaves it open. So it is closed here.
    """
    try:
        connection.isolation_level = None  # the driver must not begin transactions itself
        cursor = connection.cursor()
        # SQLite's timeout does not cover another connection's switch of a new file to write-ahead logging.
        cursor.execute("PRAGMA busy_timeout=0")
        _retry_until_free(cursor, "PRAGMA journal_mode=WAL")
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()
    except BaseException:
        connection.close()
        raise


def keep(connection: Connection) -> bool:
    """Prepare a connection to a file for a thread that keeps it (`begin_immediate`). It returns to no pool.

    False if nothing was done: without a write-ahead log a commit waits for readers.
    """
    cursor = connection.connection.cursor()
    if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        return False
    connection.detach()
    connection.connection.cursor().execute(f"PRAGMA busy_timeout={_KEPT_BUSY_TIMEOUT_MS}")
    return True


def take_write_lock(connection: Connection, lock_timeout_s: float = BUSY_TIMEOUT_MS / 1000) -> None:
    """Begin a write transaction; retry every `_LOCK_POLL_S` for up to `lock_timeout_s` seconds.

    A transaction that becomes a writer later would fail at once if another one wrote in between, whatever the timeout.
    SQLite's own busy handler retries down to every 100 ms, so that of eight busy writers some never get the lock. It is
    therefore switched off meanwhile.
    """
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        if not _retry_until_free(cursor, "BEGIN IMMEDIATE", lock_timeout_s):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # the last attempt raises its error
    finally:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()


def begin_immediate(driver: sqlite3.Connection, lock_timeout_s: float) -> None:
    """As `take_write_lock`, on a connection of `keep`, where the busy handler stays: it retries for 20 ms at most.

    Raises sqlite3.Error.
    """
    if not _retry_until_free(driver, "BEGIN IMMEDIATE", lock_timeout_s):
        driver.execute("BEGIN IMMEDIATE")


def _retry_until_free(
    cursor: DBAPICursor | sqlite3.Connection, statement: str, lock_timeout_s: float = BUSY_TIMEOUT_MS / 1000
) -> bool:
    """True if `statement` ran within `lock_timeout_s` seconds; False if the lock was busy or another error occurred."""
    deadline = time.monotonic() + lock_timeout_s
    while time.monotonic() < deadline:
        try:
            cursor.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
        else:
            return True
        time.sleep(_LOCK_POLL_S)
    return False
