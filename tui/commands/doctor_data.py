"""Doctor: the database, its files and folder, and its key."""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from store import private_folder, restore_folder, schema, sqlite_file
from store.database import Database
from store.errors import GatekeyError, StoreUnavailable
from store.health import check_writable
from store.key_check import check_ring
from store.key_file import DRAFT_PREFIX, load_key_file
from tui.commands.findings import Finding, Level, attempt, fail, ok, warn
from tui.store_location import Options, database_url, is_fresh, key_path, key_ring, open_unchecked, own_folders


def examine(options: Options, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Findings from the URL to the content. A failure ends the checks that depend on it."""
    try:
        url = database_url(options, environ)
        with closing(Database(url)) as database:
            shown, path = database.url.render_as_string(hide_password=True), database.path
        if path is not None:
            yield from left_by_restores(path.parent)
        if is_fresh(url):
            yield warn("database", f"There is no database yet ({shown}).", "Run gatekey once to create it.")
            yield parents(own_folders(options, environ))
            return
    except StoreUnavailable as error:
        yield fail("database", f"{error.title}.", str(error))
        return
    yield ok("database", f"It is {shown}.")
    if path is not None:
        yield from _files(path)
    yield from _key(key_path(options, environ), path)
    yield parents(own_folders(options, environ))
    yield from _contents(options, environ, url)


def _files(path: Path) -> Iterator[Finding]:
    yield attempt(
        "files", lambda: sqlite_file.check_files(path), "The database, -wal and -shm are readable by their owner alone."
    )
    yield attempt("folder", lambda: sqlite_file.check_folder(path), "The folder is closed to other users.")
    yield attempt("access", lambda: sqlite_file.check_access(path), "This user may read and write the database.")
    owner, user = path.lstat().st_uid, os.geteuid()
    if owner != user:
        yield warn(
            "owner",
            f"The database belongs to user {owner}, and this is user {user}: files made now may lock the owner out.",
            "Run gatekey as the owner.",
        )
    try:
        yield ok("file system", f"It is {sqlite_file.check_place(path) or 'of an unknown kind'}, on this machine.")
    except StoreUnavailable as error:
        yield fail("file system", f"{error.title}.", str(error))


def _key(key: Path | None, database: Path | None) -> Iterator[Finding]:
    if key is None:
        yield ok("key file", "The key comes from GATEKEY_KEY.")
        return
    finding = attempt("key file", lambda: load_key_file(key), f"{key} is readable by its owner alone.")
    yield finding
    if finding.level is Level.OK and len(load_key_file(key).keys) > 1:
        yield warn(
            "key change",
            "The key file holds an old key beside the new one: a change of keys was stopped before its end.",
            "Run: gatekey admin rekey",
        )
    if database is not None and key.resolve().parent == database.resolve().parent:
        yield warn(
            "key place",
            "The key lies in the folder of the database: whoever copies one copies the other.",
            "Move it and point --key-file at it.",
        )


def left_by_restores(place: Path) -> Iterator[Finding]:
    """The folders that restores left in `place` when they were stopped before their end."""
    for folder in restore_folder.left_over(place):
        yield warn(
            "restore",
            f"A restore that was stopped before its end left {folder}, and copies of the data may be in it.",
            f"Run: rm -r {shlex.quote(str(folder))}. The next gatekey restore removes it too.",
        )


def parents(folders: Iterable[Path]) -> Finding:
    """True if another user can replace one of Gatekey's folders."""
    for folder in folders:
        place = private_folder.exposed(folder)
        if place is not None:
            return fail(
                "parents",
                f"Other users may write to {place}, above or at {folder}: they can replace what Gatekey keeps there.",
                f"Run chmod go-w {place}, or move Gatekey's files elsewhere.",
            )
    return ok("parents", "No other user can replace Gatekey's folders.")


def _contents(options: Options, environ: Mapping[str, str], url: str) -> Iterator[Finding]:
    try:
        database = open_unchecked(options, environ)
    except StoreUnavailable as error:
        yield fail("contents", f"{error.title}.", str(error))
        return
    with closing(database):
        faults = _faults(database)
        if isinstance(faults, Finding):
            yield faults
            return
        if faults:
            yield fail("integrity", f"SQLite found: {faults[0]}.", "Restore the database from a backup.")
        else:
            yield ok("integrity", "The database's own check found nothing wrong.")
        yield attempt("schema", lambda: _check_schema(database), "It is the one of this version.")
        try:
            ring = key_ring(options, environ, url, create=False)
        except GatekeyError:
            return  # the finding of the key file says why
        yield attempt(
            "writes",
            lambda: check_writable(database, is_kept=False),
            "The database takes writes, and its disk has room.",
        )
        fits = attempt("key fits", lambda: check_ring(database, ring), "The key belongs to this database.")
        yield fits
        key = key_path(options, environ)
        # A draft may be the only copy of a key that the key file does not hold.
        if fits.level is Level.OK and key is not None:
            yield from left_drafts(key.parent)


def left_drafts(place: Path) -> Iterator[Finding]:
    """The drafts of key files that programs left in `place` when they were killed while they wrote one."""
    for draft in sorted(place.glob(f"{DRAFT_PREFIX}*")):
        yield warn(
            "key draft",
            f"A program that was stopped while it wrote the key file left {draft}, with a key in it.",
            f"Run: rm {shlex.quote(str(draft))}",
        )


def _faults(database: Database) -> list[str] | Finding:
    try:
        return database.faults()
    except StoreUnavailable as error:
        return fail("integrity", f"{error.title}.", str(error))


def _check_schema(database: Database) -> None:
    with database.read() as tx:
        schema.check(tx)
