"""Translation of driver errors of SQLite and PostgreSQL into `StoreUnavailable`.

The tables map SQLite result codes, PostgreSQL SQLSTATEs, and the messages of refused connections, which have no
SQLSTATE.
"""

import re
import sqlite3
from json import JSONDecodeError
from types import TracebackType
from typing import Any, Final

from sqlalchemy import exc

from store.errors import (
    DatabaseAccessDenied,
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseForeign,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseRefused,
    DatabaseUnreachable,
    StoreUnavailable,
)
from store.text import sanitize

SQLITE_ERRORS: Final[dict[int, type[StoreUnavailable]]] = {
    sqlite3.SQLITE_BUSY: DatabaseBusy,
    sqlite3.SQLITE_LOCKED: DatabaseBusy,
    sqlite3.SQLITE_FULL: DatabaseFull,
    sqlite3.SQLITE_READONLY: DatabaseReadOnly,
    sqlite3.SQLITE_PERM: DatabaseReadOnly,
    sqlite3.SQLITE_CANTOPEN: DatabaseUnreachable,
    sqlite3.SQLITE_IOERR: DatabaseUnreachable,
    sqlite3.SQLITE_NOTADB: DatabaseForeign,
    sqlite3.SQLITE_CORRUPT: DatabaseDamaged,
}
"""By primary result code, which is the low byte of the extended one."""

POSTGRESQL_ERRORS: Final[dict[str, type[StoreUnavailable]]] = {
    "42P01": DatabaseForeign,  # undefined table
    "42501": DatabaseAccessDenied,  # insufficient privilege
    "42P05": DatabaseUnreachable,  # duplicate prepared statement
    "26": DatabaseUnreachable,  # no such prepared statement
    "53100": DatabaseFull,  # disk full
    "53": DatabaseBusy,  # out of memory, too many connections
    "57014": DatabaseBusy,  # canceled after statement_timeout
    "08": DatabaseUnreachable,  # connection exception
    "28": DatabaseAccessDenied,  # invalid authorization
    "3D": DatabaseAccessDenied,  # no such database
    "3F": DatabaseAccessDenied,  # no schema that this user may create tables in
    "57": DatabaseUnreachable,  # operator intervention, shutdown
    "40": DatabaseBusy,  # serialization failure, deadlock
    "55": DatabaseBusy,  # lock not available
    "25": DatabaseReadOnly,  # read-only transaction
    "XX": DatabaseDamaged,  # internal error
    "58": DatabaseUnreachable,  # system error
}
"""By the SQLSTATE, or by its class, the first two characters (PostgreSQL manual, appendix A)."""

_MAY_CREATE: Final = (
    "This PostgreSQL user may not use or change the tables, or create them. Nothing was changed. Let the owner run: "
    "GRANT ALL ON SCHEMA public TO the user, or ALTER DATABASE the database OWNER TO the user"
)
_POOLED: Final = (
    "PgBouncer handed this connection to another between two statements. Nothing was changed. Set pool_mode = session "
    "in pgbouncer.ini, or connect to PostgreSQL itself."
)
SENTENCES: Final[dict[str, str]] = {
    "42501": _MAY_CREATE,
    "3F000": _MAY_CREATE,
    "42P05": _POOLED,
    "26000": _POOLED,
    "22021": "The database cannot keep a letter of this in its encoding. Nothing was changed.",
    "22P05": "The database cannot keep a letter of this in its encoding. Nothing was changed.",
    "25006": "This PostgreSQL server takes no changes: it is a standby, or it was made read-only. Nothing was changed; "
    "name the primary server with --database.",
    "53200": "PostgreSQL is out of memory. Nothing was changed; try again.",
    "53300": "PostgreSQL has no connection left. Nothing was changed; try again, or raise max_connections.",
    "57014": "PostgreSQL gave up after its statement_timeout. Nothing was changed; try again.",
    "57P03": "PostgreSQL is starting or stopping. Nothing was changed; try again in a moment.",
}
"""Sentences by SQLSTATE, where the sentence of the error class would be wrong."""

_Refusal = tuple[str, type[StoreUnavailable], str]
"""A pattern, which most starts need not compile, and what it means."""

REFUSALS: Final[tuple[_Refusal, ...]] = (
    (
        r"unsupported startup parameter(?: in options)?: ([\w.]+)",
        DatabaseAccessDenied,
        (
            "PgBouncer does not take the startup parameter {0}. Leave it out of the database address, or set "
            "ignore_startup_parameters = {0} in pgbouncer.ini."
        ),
    ),
    (
        r'database "([^"\n]+)" does not exist|no such database: (\S+)',
        DatabaseAccessDenied,
        (
            "PostgreSQL has no database called {0}. Make it with: createdb -T template0 -E UTF8 {0}, or name another "
            "with --database."
        ),
    ),
    (
        r'role "([^"\n]+)" does not exist|no such user: (\S+)',
        DatabaseAccessDenied,
        "PostgreSQL knows no user called {0}. Make one with: createuser {0}, or name another in the database address.",
    ),
    (
        r'role "([^"\n]+)" is not permitted to log in',
        DatabaseAccessDenied,
        "The PostgreSQL user {0} may not log in. Allow it with: ALTER ROLE {0} LOGIN",
    ),
    (
        r"no password supplied",
        DatabaseAccessDenied,
        "PostgreSQL asks for a password. Give it in the database address or in the file ~/.pgpass.",
    ),
    (
        r"password authentication failed|SASL authentication failed",
        DatabaseAccessDenied,
        "PostgreSQL does not accept this user and password. Check both in the database address.",
    ),
    (
        r"(\w+) authentication failed",
        DatabaseAccessDenied,
        (
            "PostgreSQL does not accept this user by its {0} authentication. Change pg_hba.conf, or name another user "
            "in the database address."
        ),
    ),
    (
        r"no pg_hba\.conf entry.*(?:no encryption|SSL off)",
        DatabaseAccessDenied,
        (
            "pg_hba.conf of PostgreSQL lets this user in from here only with TLS, or not at all. Add sslmode=require "
            "to the database address, or a line to pg_hba.conf."
        ),
    ),
    (
        r"pg_hba\.conf",
        DatabaseAccessDenied,
        "pg_hba.conf of PostgreSQL does not let this user into this database from here. Add a line that does.",
    ),
    (
        r"server does not support SSL",
        DatabaseAccessDenied,
        "The database address asks for TLS, and the server has none. Switch it on there, or change sslmode.",
    ),
    (
        r"certificate verify failed|root certificate file|server certificate for|certificate has expired",
        DatabaseAccessDenied,
        "The certificate of the PostgreSQL server was not accepted. Check sslmode and sslrootcert.",
    ),
    (
        r'permission denied for database "?([^"\n]+)"?',
        DatabaseAccessDenied,
        "This PostgreSQL user may not connect to the database {0}. Allow it with: GRANT CONNECT ON DATABASE {0}",
    ),
    (
        r"not currently accepting connections",
        DatabaseAccessDenied,
        "This database takes no connections. Allow them with: ALTER DATABASE the database ALLOW_CONNECTIONS true",
    ),
    (
        (
            r"too many clients|remaining connection slots|too many connections|no more connections allowed"
            r"|query_wait_timeout"
        ),
        DatabaseBusy,
        (
            "PostgreSQL has no connection left for this user. Nothing was changed; try again, or raise its limit "
            "(max_connections, or CONNECTION LIMIT of the user or the database)."
        ),
    ),
    (
        r"system is (?:starting up|shutting down|in recovery mode|not yet accepting)|recovery state has not been yet",
        DatabaseUnreachable,
        SENTENCES["57P03"],
    ),
    (r"No space left on device", DatabaseFull, DatabaseFull.sentence),
    (
        r"session is (?:not )?read-only|server is (?:not )?in hot standby",
        DatabaseReadOnly,
        "No server of the database address is what its target_session_attrs asks for. Name the primary server.",
    ),
    (
        r"(?:could not translate host name|failed to resolve host) [\"']([^\"'\n]+)[\"']",
        DatabaseUnreachable,
        "The name {0} of the database server cannot be resolved.",
    ),
    (
        r"server login has been failing|cannot connect to server|bouncer config error|pgbouncer",
        DatabaseUnreachable,
        "PgBouncer cannot reach PostgreSQL. Its log says why.",
    ),
    (
        r'invalid (?:connection option|URI query parameter:) "([^"\n]+)"',
        DatabaseForeign,
        "The database address has an option that PostgreSQL does not know: {0}.",
    ),
    (
        r"invalid (\w+) value|invalid (?:integer value .* for connection option|port number)",
        DatabaseForeign,
        "An option of the database address has a value that it cannot have: {0}.",
    ),
    (
        r"FATAL:\s+([^\n]+)",
        DatabaseAccessDenied,
        "PostgreSQL refused the connection, in its own words: {0}",
    ),
)
"""Errors of failed connections, by the English messages of PostgreSQL, libpq and PgBouncer. The last entry quotes the
message of a server in another language."""


class MappedErrors:
    """Translates the drivers' errors in its body into `StoreUnavailable`. It may be entered any number of times.

    A generator of `contextlib` takes three times as long, and each relayed call enters several of these.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, _OF_DRIVERS):
            raise _store_error(error) from error


MAPPED: Final = MappedErrors()
_OF_DRIVERS: Final = (
    exc.DBAPIError,
    exc.TimeoutError,
    sqlite3.Error,
    JSONDecodeError,
    OverflowError,
    UnicodeEncodeError,
)


def _store_error(error: BaseException) -> StoreUnavailable:
    if isinstance(error, exc.DBAPIError):
        return translate(error)
    if isinstance(error, sqlite3.Error):
        return for_sqlite(error)
    if isinstance(error, exc.TimeoutError):
        return DatabaseBusy()
    if isinstance(error, JSONDecodeError):
        return DatabaseDamaged()
    # The drivers raise the others for a number above 64 bits and for a lone surrogate, before they send anything.
    return DatabaseRefused("This value cannot be stored. Nothing was changed.")


def translate(error: exc.DBAPIError) -> StoreUnavailable:
    """The error for a driver's error; `DatabaseRefused` if no table has it."""
    origin: Any = error.orig
    if isinstance(origin, sqlite3.Error):
        return for_sqlite(origin)
    return for_postgresql(origin)


def for_postgresql(error: Any) -> StoreUnavailable:
    """The error for an error of psycopg."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        # By the name of the class, because psycopg is not imported for SQLite.
        is_failure = any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)
        return _for_connection(str(error), is_failure=is_failure)
    kind = POSTGRESQL_ERRORS.get(state, POSTGRESQL_ERRORS.get(state[:2], DatabaseRefused))
    return kind(SENTENCES.get(state))


def for_sqlite(error: sqlite3.Error) -> StoreUnavailable:
    """The error for an error of the sqlite3 module."""
    code = getattr(error, "sqlite_errorcode", None)
    return SQLITE_ERRORS.get((code or 0) & 0xFF, _by_message(str(error)))()


def _by_message(message: str) -> type[StoreUnavailable]:
    # SQLite reports a missing table with the general code 1 and the reason in the message.
    return DatabaseForeign if message.startswith(("no such table", "no such column")) else DatabaseRefused


def _for_connection(message: str, *, is_failure: bool) -> StoreUnavailable:
    for words, kind, sentence in REFUSALS:
        match = re.search(words, message)
        if match is not None:
            found = next((group for group in match.groups() if group), match[0])
            return kind(sentence.format(sanitize(found, 200)))
    return DatabaseUnreachable() if is_failure else DatabaseRefused()
