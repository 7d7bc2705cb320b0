"""Online backup: one snapshot of every table, copied into a backup file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, NullPool, create_engine, exc, text

from store import file_systems, row_copy
from store.backup_file import VERSION_TABLE, Manifest, new_manifest, write_manifest
from store.context import Context
from store.errors import DatabaseRefused
from store.models import METADATA
from store.revisions import schema_revision


def write(context: Context, path: Path, *, with_key: bool) -> Manifest:
    """Write a backup into the empty file at `path`; the key is included if `with_key`.

    Raises `DatabaseRefused` and the database's errors. The caller then removes the file.
    """
    database = context.database
    copy = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    try:
        with database.read() as source, _refuse_write_errors(path), copy.connect() as target:
            # An incomplete backup is discarded, so it needs no journal.
            target.exec_driver_sql("PRAGMA journal_mode=OFF")
            target.exec_driver_sql("PRAGMA synchronous=OFF")
            target.rollback()
            with target.begin():
                METADATA.create_all(target)
                target.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
                target.execute(
                    text(f"INSERT INTO {VERSION_TABLE} VALUES (:revision)"),  # noqa: S608 - a constant
                    {"revision": schema_revision()},
                )
                for table in row_copy.TABLES:
                    row_copy.copy_rows(source, target, table)
                given = row_copy.read_sequences(source)
        with _refuse_write_errors(path), closing(sqlite3.connect(path)) as connection:
            manifest = new_manifest(
                connection,
                [table.name for table in row_copy.TABLES],
                schema=schema_revision(),
                ring=context.ring,
                made_at=context.now().isoformat(),
                source="postgresql" if database.is_postgresql else "sqlite",
                sequences=given,
            )
            write_manifest(connection, manifest, context.ring, with_key=with_key)
            file_systems.flush(path)
    finally:
        copy.dispose()
    return manifest


@contextmanager
def _refuse_write_errors(path: Path) -> Iterator[None]:
    """Raise `DatabaseRefused` for a failure to write the backup; an error of the source database passes."""
    try:
        yield
    except (sqlite3.Error, exc.DBAPIError, OSError) as error:
        if isinstance(error, exc.DBAPIError) and not isinstance(error.orig, sqlite3.Error):
            raise
        raise DatabaseRefused(f"The backup {path} could not be written; is the disk full?") from error
