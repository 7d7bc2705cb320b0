"""Atomic replacement of a database by a backup.

A new SQLite database is built beside the old one and renamed in one step. On PostgreSQL all rows are replaced in one
transaction.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, NullPool, create_engine, delete, exc, text

from store import backup_file, key_check, private_folder, row_copy, schema, sqlite_file, usage_months
from store.at_rest import KeyRing
from store.audit_tags import COMMAND_LINE, SiteTag
from store.backup_file import Manifest
from store.clock import Clock
from store.database import Database
from store.errors import BackupRefused, DatabaseBusy, DatabaseDamaged, DatabaseForeign, DatabaseInUse, DatabaseRefused
from store.models import PasskeyCeremony, PendingSignIn, Session
from store.restore_folder import working_folder
from store.revisions import revisions, schema_revision
from store.sqlite_file import create as create_file
from store.store import Store, open_store

_NOT_RESTORED: Final = {Session.name, PendingSignIn.name, PasskeyCeremony.name}
"""Tables that are not restored: a restore must not revive sessions that ended since the backup."""

_SIDE_FILES: Final = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore. `replaced` is the new path of the old SQLite file."""

    manifest: Manifest
    replaced: Path | None
    is_audit_intact: bool


def restore(
    path: Path, url: str, ring: KeyRing, *, replace: bool, actor: str, clock: Clock, ready: Callable[[], None]
) -> Restored:
    """Replace the database at `url` by the backup at `path`.

    `ready` is called once the backup is verified, before anything is changed. Raises `BackupRefused`, `DatabaseInUse`
    for a database with data unless `replace`, `DatabaseBusy` while another program has the SQLite file open, and the
    database's errors. After an error the database is unchanged.
    """
    target = Database(url)
    try:
        if not replace and _has_data(target):
            raise DatabaseInUse
        with working_folder(_working_place(target)) as folder:
            # A copy is verified and read, so that the file cannot change between the two.
            copy = folder / "backup"
            manifest = _verified_copy(path, copy, ring)
            ready()
            if target.path is None:
                with open_store(url, ring, clock=clock) as store:
                    is_intact = _load(store, copy, manifest, actor)
                return Restored(manifest, None, is_intact)
            new = folder / "new.sqlite3"
            with open_store(_url_of(new), ring, clock=clock) as store:
                is_intact = _load(store, copy, manifest, actor)
                store.database.checkpoint()
            return Restored(manifest, _replace_file(new, target.path, clock), is_intact)
    except OSError as error:
        raise DatabaseRefused(
            f"The backup could not be put in place: {error.strerror}. Nothing was changed."
        ) from error
    finally:
        target.close()


def _working_place(target: Database) -> Path | None:
    """The place for the working folder: beside the SQLite file, because a rename cannot cross file systems."""
    if target.path is None:
        return None
    try:
        private_folder.make(target.path.parent)
    except OSError as error:
        raise sqlite_file.refusal(target.path, error) from error
    return target.path.parent


def _has_data(target: Database) -> bool:
    if target.path is not None and (not target.path.exists() or target.path.stat().st_size == 0):
        return False
    try:
        with target.read() as tx:
            return schema.revision(tx) is not None and key_check.is_used(tx)
    except (DatabaseForeign, DatabaseDamaged):
        return True


def _verified_copy(path: Path, copy: Path, ring: KeyRing) -> Manifest:
    """Copy the backup, verify the copy, and upgrade it to the current schema; returns its manifest."""
    with backup_file.open_backup(path):
        pass
    try:
        shutil.copyfile(path, copy)
        copy.chmod(0o600)
    except OSError as error:
        raise BackupRefused(f"The backup {path} cannot be read: {error.strerror}.") from error
    with backup_file.open_backup(copy) as (connection, sealed):
        if sealed.manifest.schema not in revisions():
            raise BackupRefused("This backup was made by a newer Gatekey. Restore it with that version.")
        backup_file.verify(connection, sealed, ring)
    if sealed.manifest.schema != schema_revision():
        with closing(Database(_url_of(copy))) as old:
            schema.upgrade(old, lambda: ring)
    return sealed.manifest


def _load(store: Store, copy: Path, manifest: Manifest, actor: str) -> bool:
    """Load the backup into the store in one transaction. True if the audit log is valid."""
    with _refuse_invalid_values(), _open_copy(copy) as source, store.database.write() as tx:
        _delete_all_rows(tx)
        if tx.dialect.name == "postgresql":
            usage_months.make_months_of(tx, source)
        for table in row_copy.TABLES:
            if table.name not in _NOT_RESTORED:
                row_copy.copy_rows(source, tx, table)
        key_check.require_key(tx, store.context.ring)
        row_copy.advance_sequences(tx, manifest.sequences)
        store.audit.record_site(
            tx, SiteTag.RESTORED, actor=actor, source=COMMAND_LINE, made_at=manifest.made_at, schema=manifest.schema
        )
    with store.database.read() as tx:
        return store.audit.verify_all(tx).is_intact


def _delete_all_rows(tx: Connection) -> None:
    if tx.dialect.name == "postgresql":
        tx.execute(text(f"TRUNCATE {', '.join(table.name for table in row_copy.TABLES)}"))
        return
    for table in reversed(row_copy.TABLES):
        tx.execute(delete(table))


@contextmanager
def _open_copy(copy: Path) -> Iterator[Connection]:
    engine = create_engine(URL.create("sqlite", database=str(copy)), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _refuse_invalid_values() -> Iterator[None]:
    """Raise `BackupRefused` for a value that no column can hold."""
    try:
        yield
    except (exc.StatementError, ValueError, TypeError) as error:
        if isinstance(error, exc.DBAPIError):
            raise
        raise BackupRefused("The backup holds values that no Gatekey writes.") from error


def _replace_file(new: Path, target: Path, clock: Clock) -> Path | None:
    """Rename `new` to `target`; returns the new path of the old file, or None without one."""
    create_file(target)
    had_content = target.stat().st_size > 0
    aside = target.with_name(f"{target.stem}-{clock.now():%Y%m%dT%H%M%S%f}.replaced{target.suffix}")
    with _locked_file(target) as is_readable:
        if had_content:
            aside.hardlink_to(target)
        for suffix in _SIDE_FILES:
            # SQLite would apply the old file's log and journal to the new file.
            side = target.with_name(target.name + suffix)
            if side.exists():
                side.rename(aside.with_name(aside.name + suffix))
        new.replace(target)
    if is_readable:
        # SQLite cannot remove these files of its lock on the old file, which has another name now. They hold no data.
        for suffix in ("-shm", "-journal"):
            with suppress(OSError):
                aside.with_name(aside.name + suffix).unlink()
    return aside if had_content else None


@contextmanager
def _locked_file(target: Path) -> Iterator[bool]:
    """Checkpoint the old file and lock it exclusively. Raises `DatabaseBusy` while another program has it open.

    Yields True if SQLite can read the file. An unreadable file keeps its log, and both are renamed together.
    """
    with closing(sqlite3.connect(target, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise DatabaseBusy(
                    "Another program has the database open. End it (the console, gatekey serve), then restore again. "
                    "Nothing was changed."
                ) from error
            yield False
        else:
            yield True


def _url_of(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)
