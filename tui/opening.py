"""From what was said on the command line to an open store: which database, which key, and what a first run makes."""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from store.at_rest import KeyRing
    from store.database import Database
    from store.store import Store

DATABASE_VARIABLE: Final = "GATEKEY_DATABASE"
KEY_FILE_VARIABLE: Final = "GATEKEY_KEY_FILE"
KEY_VARIABLE: Final = "GATEKEY_KEY"
"""The text of the key itself, for places without files: lines of `gatekey-key ID BASE64`."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which data to open. What is None is asked of the environment, then of the platform."""

    database: str | None = None
    """An SQLAlchemy URL, or the path of an SQLite file."""
    key_file: Path | None = None
    demo: bool = False
    """Show the account of `tui.demo` instead; nothing here is then opened."""


def open_account_store(options: Options, *, create: bool, environ: Mapping[str, str] | None = None) -> "Store":
    """Open the store the options name. Slow: it imports SQLAlchemy, and may set up a database.

    With `create`, a database that does not exist yet is made, and a key for it if there is none. Raises
    `StoreUnavailable`; `KeyMissing` for a database in use whose key is not there: a new key would not open it.
    """
    from store.store import open_store

    environ = os.environ if environ is None else environ
    url = database_url(options, environ)
    ring = key_ring(options, environ, url, create=create)
    return open_store(url, ring, create=create)


def open_unchecked(options: Options, environ: Mapping[str, str] | None = None) -> "Database":
    """The database of the options, whatever its schema, and without a key: for an upgrade and for `doctor`.

    Raises `StoreUnavailable` if it is not there, not private, or not ours.
    """
    from store.database import Database, prepare_file

    database = Database(database_url(options, os.environ if environ is None else environ))
    if database.path is not None:
        prepare_file(database.path, create=False)
    return database


def database_url(options: Options, environ: Mapping[str, str]) -> str:
    """The SQLAlchemy URL to open: the option, else `GATEKEY_DATABASE`, else the platform's data folder."""
    from sqlalchemy.engine import URL

    from store.store import default_path

    said = options.database or environ.get(DATABASE_VARIABLE) or ""
    if ":/" in said or said.startswith("sqlite:"):
        return said
    path = Path(said).expanduser().absolute() if said else default_path()
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def key_path(options: Options, environ: Mapping[str, str]) -> Path | None:
    """The key file: the option, else `GATEKEY_KEY_FILE`, else the platform's folder; None if `GATEKEY_KEY` is it."""
    from store.store import default_key_path

    if options.key_file is not None:
        return options.key_file.expanduser()
    if environ.get(KEY_FILE_VARIABLE):
        return Path(environ[KEY_FILE_VARIABLE]).expanduser()
    return None if environ.get(KEY_VARIABLE) else default_key_path()


def key_ring(options: Options, environ: Mapping[str, str], url: str, *, create: bool) -> "KeyRing":
    """The keys for the database at `url`, made on a first run if `create`.

    Raises `KeyMissing`, `KeyWrong`, `KeyExposed`, or `DatabaseMissing` if there is no database to need one.
    """
    import secrets

    from store.at_rest import KeyRing, create_key_file, load_key_file
    from store.errors import DatabaseMissing, KeyMissing

    if _is_in_memory(url):
        return KeyRing.new(secrets.SystemRandom())
    fresh = is_fresh(url)
    if fresh and not create:
        raise DatabaseMissing
    path = key_path(options, environ)
    if path is None:
        return KeyRing.parse(environ[KEY_VARIABLE])
    if not fresh or os.path.lexists(path):
        return load_key_file(path)
    try:
        return create_key_file(path, secrets.SystemRandom())
    except KeyMissing:
        # Two first starts at once: the other one's key is as good.
        if os.path.lexists(path):
            return load_key_file(path)
        raise


def is_fresh(url: str) -> bool:
    """Whether nothing was ever stored at `url`. Raises `StoreUnavailable` if it cannot be told."""
    from store import schema
    from store.database import Database

    with closing(Database(url)) as database:
        if not database.is_postgresql:
            return database.path is None or not _has_content(database.path)
        with database.read() as tx:
            return schema.revision(tx) is None


def _is_in_memory(url: str) -> bool:
    from store.database import Database

    with closing(Database(url)) as database:
        return not database.is_postgresql and database.path is None


def _has_content(path: Path) -> bool:
    from store.errors import DatabaseUnreachable

    try:
        return path.lstat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DatabaseUnreachable(f"The file {path} cannot be read by this user.") from error
