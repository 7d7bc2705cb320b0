"""Putting a backup in the place of a database: all of it, or nothing is changed.

An SQLite database is built beside the one to be replaced and takes its name in one step; on PostgreSQL everything
happens in one transaction.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, NullPool, create_engine, delete, exc, text

from store import backup_file, key_check, private_folder, row_copy, schema, sqlite_file
from store.at_rest import KeyRing
from store.audit import COMMAND_LINE, SiteTag
from store.backup_file import Manifest
from store.clock import Clock
from store.database import Database
from store.errors import BackupRefused, DatabaseBusy, DatabaseDamaged, DatabaseForeign, DatabaseInUse, DatabaseRefused
from store.models import REVISIONS, SCHEMA_REVISION, PasskeyCeremony, PendingSignIn, Session
from store.restore_folder import working_folder
from store.sqlite_file import create as create_file
from store.store import Store, open_store

_LEFT_OUT: Final = {Session.__tablename__, PendingSignIn.__tablename__, PasskeyCeremony.__tablename__}
"""Whoever was signed out since the backup must not be signed in again by it: everybody signs in anew."""

_SIDE_FILES: Final = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. `replaced` is where the SQLite file that was there lies now."""

    manifest: Manifest
    replaced: Path | None
    is_audit_whole: bool


def restore(
    path: Path, url: str, ring: KeyRing, *, replace: bool, actor: str, clock: Clock, ready: Callable[[], None]
) -> Restored:
    """Put the backup at `path` in the place of the database at `url`.

    `ready` is called once the backup is known to be good, before anything is changed. Raises `BackupRefused`;
    `DatabaseInUse` where there is data and `replace` is not said; `DatabaseBusy` while another program has the
    SQLite file open; and what the database raises. Whatever is raised, the database is as it was.
    """
    target = Database(url)
    try:
        if not replace and _has_data(target):
            raise DatabaseInUse
        with working_folder(_workshop(target)) as folder:
            # Verified and read from a copy: nobody changes it between the two.
            copy = folder / "backup"
            manifest = _verified_copy(path, copy, ring)
            ready()
            if target.path is None:
                with open_store(url, ring, clock=clock) as store:
                    is_whole = _load(store, copy, manifest, actor)
                return Restored(manifest, None, is_whole)
            new = folder / "new.sqlite3"
            with open_store(_url_of(new), ring, clock=clock) as store:
                is_whole = _load(store, copy, manifest, actor)
                store.database.checkpoint()
            return Restored(manifest, _take_place(new, target.path, clock), is_whole)
    except OSError as error:
        raise DatabaseRefused(
            f"The backup could not be put in place: {error.strerror}. Nothing was changed."
        ) from error
    finally:
        target.close()


def _workshop(target: Database) -> Path | None:
    """The folder to work in: that of the SQLite file, which a new one can take the place of only from there."""
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
    """Copy the backup, verify the copy, and bring it to the current schema; returns its manifest."""
    with backup_file.opened(path):
        pass
    try:
        shutil.copyfile(path, copy)
        copy.chmod(0o600)
    except OSError as error:
        raise BackupRefused(f"The backup {path} cannot be read: {error.strerror}.") from error
    with backup_file.opened(copy) as (connection, sealed):
        if sealed.manifest.schema not in REVISIONS:
            raise BackupRefused("This backup was made by a newer Gatekey. Restore it with that version.")
        backup_file.verify(connection, sealed, ring)
    if sealed.manifest.schema != SCHEMA_REVISION:
        with closing(Database(_url_of(copy))) as old:
            schema.upgrade(old, lambda: ring)
    return sealed.manifest


def _load(store: Store, copy: Path, manifest: Manifest, actor: str) -> bool:
    """Give the store what the backup holds, in one transaction; returns whether its audit log is whole."""
    with _unexpected_refused(), _reading(copy) as source, store.database.write() as tx:
        _empty(tx)
        for table in row_copy.TABLES:
            if table.name not in _LEFT_OUT:
                row_copy.copy(source, tx, table)
        key_check.require(tx, store.context.ring)
        row_copy.advance(tx, manifest.sequences)
        store.audit.record_site(
            tx, SiteTag.RESTORED, actor=actor, source=COMMAND_LINE, made_at=manifest.made_at, schema=manifest.schema
        )
    with store.database.read() as tx:
        return store.audit.verify_all(tx).is_whole


def _empty(tx: Connection) -> None:
    if tx.dialect.name == "postgresql":
        tx.execute(text(f"TRUNCATE {', '.join(table.name for table in row_copy.TABLES)}"))
        return
    for table in reversed(row_copy.TABLES):
        tx.execute(delete(table))


@contextmanager
def _reading(copy: Path) -> Iterator[Connection]:
    engine = create_engine(URL.create("sqlite", database=str(copy)), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _unexpected_refused() -> Iterator[None]:
    """A value in the backup that no column of ours can have, in spite of its manifest."""
    try:
        yield
    except (exc.StatementError, ValueError, TypeError) as error:
        if isinstance(error, exc.DBAPIError):
            raise
        raise BackupRefused("The backup holds values that no Gatekey writes.") from error


def _take_place(new: Path, target: Path, clock: Clock) -> Path | None:
    """Give `new` the name `target`; returns where the file that had it lies now, if there was one."""
    create_file(target)
    had_content = target.stat().st_size > 0
    aside = target.with_name(f"{target.stem}-{clock.now():%Y%m%dT%H%M%S%f}.replaced{target.suffix}")
    with _held(target) as is_readable:
        if had_content:
            aside.hardlink_to(target)
        for suffix in _SIDE_FILES:
            # What belongs to the old file must not be taken for the new one's.
            side = target.with_name(target.name + suffix)
            if side.exists():
                side.rename(aside.with_name(aside.name + suffix))
        new.replace(target)
    if is_readable:
        # Of SQLite's hold on the old file, under whose name it no longer finds them; nothing of the data is in them.
        for suffix in ("-shm", "-journal"):
            with suppress(OSError):
                aside.with_name(aside.name + suffix).unlink()
    return aside if had_content else None


@contextmanager
def _held(target: Path) -> Iterator[bool]:
    """Put the write-ahead log into the old file, and let nobody open it. Raises `DatabaseBusy` if somebody has it open.

    Yields whether SQLite can read it: a file that it cannot keeps its log, and they are put aside together.
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
