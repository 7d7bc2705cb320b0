"""The schema revision of a database, its check and its upgrade.

A normal start only compares the stored revision with `schema_revision()`. Only an upgrade imports Alembic.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from store.at_rest import KeyRing
from store.database import Database
from store.errors import DatabaseForeign, DatabaseNotUtf8, DatabaseRefused, SchemaTooNew, SchemaTooOld
from store.models import METADATA
from store.revisions import revisions, schema_revision
from store.sqlite_engine import APPLICATION_ID

_REVISIONS_WITHOUT_SEALS: Final = ("0001", "0002")


def revision(connection: Connection) -> str | None:
    """The stored revision; None for an empty database. Raises `DatabaseForeign` for another program's database."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables and "meta" in tables:
        stored: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return stored
    if tables:
        raise DatabaseForeign
    return None


def check(connection: Connection) -> None:
    """Raise `SchemaTooOld` or `SchemaTooNew` unless the database has the current schema."""
    found = revision(connection)
    if found == schema_revision():
        return
    if found is None or found in revisions():
        raise SchemaTooOld
    raise SchemaTooNew


def upgrade(database: Database, ring: Callable[[], KeyRing] | None = None) -> str | None:
    """Upgrade the database to the current schema in one transaction; returns the revision before.

    An upgrade from a revision without seals also seals the audit log, with the key that `ring` returns. The log is
    sealed only then: a later seal would accept an altered log as genuine.

    Raises `SchemaTooNew`, `DatabaseForeign` and the database's errors. A failure leaves the old schema.
    """
    from alembic import command
    from alembic.config import Config

    with database.restructure() as connection:
        if database.is_postgresql:
            # Of two concurrent first starts the second waits here, then finds the schema.
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": APPLICATION_ID})
        found = revision(connection)
        if found == schema_revision():
            return found
        if found is not None and found not in revisions():
            raise SchemaTooNew
        if found is None and database.is_postgresql:
            _check_encoding(connection)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, schema_revision())
        if ring is not None and found in _REVISIONS_WITHOUT_SEALS:
            from store.audit_upgrade import seal_log

            seal_log(connection, ring())
        if not database.is_postgresql:
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        return found


def _check_encoding(connection: Connection) -> None:
    """Raise `DatabaseNotUtf8` for another encoding than UTF-8. It is called for empty databases only."""
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise DatabaseNotUtf8(encoding)


def create_in_memory(database: Database) -> None:
    """Create the current schema in an empty in-memory database, without migrations: it is never upgraded."""
    with database.mapped(), database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # One by one, SQLAlchemy takes longer to run the statements than to write them.
        driver.executescript(f"BEGIN;{''.join(_statements())}COMMIT;")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": schema_revision()})


def _statements() -> Iterator[str]:
    dialect = sqlite.dialect()
    for table in METADATA.sorted_tables:
        yield f"{CreateTable(table).compile(dialect=dialect)};"
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield f"{CreateIndex(index).compile(dialect=dialect)};"


def back_up(
    database: Database, folder: Path, now: datetime, create: Callable[[Path], Path] | None = None
) -> Path | None:
    """Copy the SQLite file into `folder`, mode 0600, by the SQLite online backup API; returns the new path.

    `create` creates the empty file and returns its path; it is given where a person chose the folder. Returns None for
    PostgreSQL and in-memory databases. Raises `DatabaseRefused` if the copy fails.
    """
    if database.path is None:
        return None
    target = folder / f"{database.path.stem}-{now:%Y%m%dT%H%M%S%f}.backup{database.path.suffix}"
    sentence = f"The backup {target.name} could not be made. Nothing was changed."
    try:
        target = (create or _create)(target)
    except OSError as error:
        raise DatabaseRefused(sentence) from error
    try:
        with closing(sqlite3.connect(database.path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        target.unlink()
        raise DatabaseRefused(sentence) from error
    return target


def _create(path: Path) -> Path:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    return path
