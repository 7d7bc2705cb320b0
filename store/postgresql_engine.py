"""Connections to PostgreSQL: what is set on each, and how a transaction begins.

The driver begins no transactions itself. It would send a BEGIN of its own before the first statement, and a statement
that is its own transaction needs none.
"""

from select import POLLIN, poll
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL
from sqlalchemy.pool import ConnectionPoolEntry

from store.errors import DatabaseNotUtf8
from store.sqlite_engine import BUSY_TIMEOUT_MS

POOL_SIZE: Final = 16
"""Connections that stay open by default: more than the threads of a gateway. Further ones are closed after use."""
_MORE_CONNECTIONS: Final = 16
_BEGIN: Final = "BEGIN"
_BEGIN_NOT_DURABLE: Final = "BEGIN; SET LOCAL synchronous_commit TO off"
_BEGIN_READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""One snapshot per transaction. By default each statement reads a newer one."""
_FLUSH: Final = "SELECT pg_logical_emit_message(true, 'gatekey', '')"
"""The least that a transaction can write. One that writes nothing commits without the disk."""
_KEEPALIVES: Final = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds, seconds, and how many of them may stay without an answer (libpq; ignored on a Unix-domain socket)."""
_MAX_NOTICES: Final = 16
"""Pieces that a connection may have received while nobody used it, before its end is looked for no further."""
_AS_IT_STANDS: Final = {"no_parameters": True}


def make_engine(url: URL, connections: int | None = None) -> Engine:
    """The engine of the database at `url`, with at most as many `connections`, which stay open."""
    # The encoding is set explicitly, because a database without one (SQL_ASCII) returns bytes.
    options = {"connect_timeout": 5, "client_encoding": "utf8", **_kept_alive(url)}
    more = _MORE_CONNECTIONS if connections is None else 0
    engine = create_engine(
        url,
        connect_args=options,
        pool_size=connections or POOL_SIZE,
        max_overflow=more,
        # The server's process of the last connection that was used has what it needs in its caches.
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _set_session)
    event.listen(engine, "checkout", _refuse_closed)
    return engine


def begin(connection: Connection, *, durable: bool = True) -> None:
    """Begin a transaction that writes. Without `durable` its commit does not wait for the disk."""
    connection.exec_driver_sql(_BEGIN if durable else _BEGIN_NOT_DURABLE, execution_options=_AS_IT_STANDS)


def begin_reading(connection: Connection) -> None:
    """Begin a transaction that reads one snapshot."""
    connection.exec_driver_sql(_BEGIN_READING, execution_options=_AS_IT_STANDS)


def flush(connection: Connection) -> None:
    """Wait until the disk has all that was committed before: the log is one sequence, and this is at its end."""
    connection.exec_driver_sql(_FLUSH, execution_options=_AS_IT_STANDS)


def _kept_alive(url: URL) -> dict[str, int]:
    """The libpq parameters that keep an idle connection known to routers; those of `url` take precedence."""
    if "service" in url.query:
        return {}  # its file may have others
    return {name: value for name, value in _KEEPALIVES.items() if name not in url.query}


def _refuse_closed(connection: Any, _record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Make the pool replace a connection that the server has closed while it waited. A listener of `checkout`.

    An idle connection has nothing to read but notices, and the end.
    """
    import psycopg

    idle = poll()
    try:
        idle.register(connection.fileno(), POLLIN)
        for _ in range(_MAX_NOTICES):
            if not idle.poll(0):
                return
            connection.pgconn.consume_input()
    except psycopg.OperationalError as error:
        raise exc.DisconnectionError from error


def _set_session(connection: Any, _record: ConnectionPoolEntry) -> None:
    from psycopg.types.numeric import Int8Dumper

    encoding = connection.info.parameter_status("server_encoding")
    if encoding == "SQL_ASCII":
        raise DatabaseNotUtf8(encoding)
    connection.autocommit = True
    # A prepared statement is one of fixed types, and the driver would choose one of four types by a number's size.
    connection.adapters.register_dumper(int, Int8Dumper)
    # One message and no startup parameters, because PgBouncer refuses unknown ones.
    settings = f"SET timezone TO 'UTC'; SET lock_timeout TO {BUSY_TIMEOUT_MS}; SELECT pg_backend_pid()"
    cursor = connection.execute(settings)
    while cursor.nextset():
        pass
    if cursor.fetchone() != (connection.info.backend_pid,):
        # A pooler is in between, and may pass the next transaction to another server process, which does not know what
        # was prepared in this one.
        connection.prepare_threshold = None
