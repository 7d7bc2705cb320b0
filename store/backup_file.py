"""The format of backup files: an SQLite file with every table and a manifest, from either kind of database.

The manifest has a hash of all rows and a MAC under the key. A file that was altered, truncated, or written without the
key is refused.
"""

import hashlib
import hmac
import json
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from store.at_rest import KeyRing
from store.errors import BackupRefused
from store.sqlite_file import HEADER_BYTES, application_id

BACKUP_ID: Final = 0x474B424B
"""`GKBK` in the SQLite header, so that a backup is not opened as a database."""

VERSION_TABLE: Final = "alembic_version"
_MANIFEST_TABLE: Final = "backup_manifest"
_FORMAT: Final = 1
_MAX_VALUE_BYTES: Final = 64 * 1024 * 1024
_NOT_OURS: Final = "This file is not a backup that Gatekey has made."
_DAMAGED: Final = "The backup is damaged or incomplete. Use another one."
_ALTERED: Final = "The backup is not what its manifest says: it was damaged or altered. Use another one."


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of a backup. `made_at` is ISO 8601 in UTC."""

    format: int
    schema: str
    made_at: str
    source: str
    rows: dict[str, int]
    """Rows by table."""
    sequences: dict[str, int]
    """The highest id that each table ever assigned, so that a restore does not assign it again."""
    sha256: str
    """The hash of every row of every table."""
    key_id: int
    """The id of the key of the MAC."""

    def serialise(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest as stored in the file, with its MAC, and with the text of the key ring if it was included."""

    manifest: Manifest
    text: str
    mac: bytes
    key: str | None


def write_manifest(connection: sqlite3.Connection, manifest: Manifest, ring: KeyRing, *, with_key: bool) -> None:
    """Write the manifest into the file as the last step. A file without a manifest is not a backup."""
    text = manifest.serialise()
    values = {"manifest": text, "mac": _mac(ring, manifest.key_id, text).hex()}
    if with_key:
        values["key"] = ring.serialise()
    connection.execute(f"CREATE TABLE {_MANIFEST_TABLE} (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
    connection.executemany(f"INSERT INTO {_MANIFEST_TABLE} VALUES (?, ?)", values.items())  # noqa: S608 - a constant
    connection.execute(f"PRAGMA application_id={BACKUP_ID}")
    connection.commit()


@contextmanager
def open_backup(path: Path) -> Iterator[tuple[sqlite3.Connection, SignedManifest]]:
    """Open the backup at `path` read-only, with its manifest, which is not verified yet.

    Raises `BackupRefused` for another file, and for every SQLite error in the body.
    """
    _check_header(path)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA cell_size_check=ON")
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise BackupRefused(_DAMAGED)
            yield connection, _manifest(connection)
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        raise BackupRefused(_DAMAGED) from error


def verify(connection: sqlite3.Connection, sealed: SignedManifest, ring: KeyRing) -> None:
    """Raise `BackupRefused` unless the MAC is valid under a key of `ring` and the rows match the manifest."""
    key_id = sealed.manifest.key_id
    if key_id not in ring.keys or not hmac.compare_digest(sealed.mac, _mac(ring, key_id, sealed.text)):
        raise BackupRefused(
            "The backup was made under another key, or it was altered. Point --key-file at the key it was made under."
        )
    rows, found = hash_rows(connection, sealed.manifest.rows)
    if rows != sealed.manifest.rows or found != sealed.manifest.sha256:
        raise BackupRefused(_ALTERED)


def hash_rows(connection: sqlite3.Connection, tables: Iterable[str]) -> tuple[dict[str, int], str]:
    """The number of rows of each table, and the hash of all their values in hexadecimal digits."""
    whole, rows = hashlib.sha256(), {}
    for table in sorted(tables):
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        whole.update(ascii((table, columns)).encode())
        count = 0
        for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY rowid'):  # noqa: S608 - a name of ours
            whole.update(ascii(row).encode())
            count += 1
        rows[table] = count
    return rows, whole.hexdigest()


def _check_header(path: Path) -> None:
    try:
        # O_NONBLOCK: opening a pipe without a writer must not block.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise BackupRefused(f"The backup {path} cannot be read: {error.strerror}.") from error
    try:
        header = os.read(descriptor, HEADER_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
    if application_id(header) != BACKUP_ID:
        raise BackupRefused(_NOT_OURS)


def _manifest(connection: sqlite3.Connection) -> SignedManifest:
    values = dict(connection.execute(f"SELECT name, value FROM {_MANIFEST_TABLE}").fetchall())  # noqa: S608 - ours
    try:
        text = str(values["manifest"])
        document = json.loads(text)
        if document["format"] != _FORMAT:
            raise BackupRefused("This backup was made by a newer Gatekey. Restore it with that version.")
        manifest = Manifest(**document)
        sealed = SignedManifest(manifest, text, bytes.fromhex(values["mac"]), values.get("key"))
        expected = {*manifest.rows, _MANIFEST_TABLE, VERSION_TABLE}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BackupRefused(_NOT_OURS) from error
    if _tables(connection) != expected:
        raise BackupRefused(_ALTERED)
    return sealed


def _tables(connection: sqlite3.Connection) -> set[str]:
    """The names of the tables. Raises `BackupRefused` for anything but tables and indexes, such as a trigger."""
    names = set()
    for kind, name, statement in connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall():
        if kind == "index" or name == "sqlite_sequence":
            continue
        if kind != "table" or not str(statement).startswith("CREATE TABLE"):
            raise BackupRefused(_ALTERED)
        names.add(name)
    return names


def new_manifest(
    connection: sqlite3.Connection, tables: Iterable[str], *, schema: str, ring: KeyRing, **said: Any
) -> Manifest:
    """The manifest of the rows in `connection`; `said` are the other fields."""
    rows, sha256 = hash_rows(connection, tables)
    return Manifest(format=_FORMAT, schema=schema, rows=rows, sha256=sha256, key_id=ring.current, **said)


def _mac(ring: KeyRing, key_id: int, text: str) -> bytes:
    return ring.mac("backup", text.encode(), key_id)
