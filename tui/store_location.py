"""From what was said on the command line to an open store: which database, which key, and what a first run makes."""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from store.errors import InvalidSetting, StoreUnavailable
from store.new_files import NewFiles

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from store.at_rest import KeyRing
    from store.database import Database
    from store.store import Store

DATABASE_VARIABLE: Final = "GATEKEY_DATABASE"
KEY_FILE_VARIABLE: Final = "GATEKEY_KEY_FILE"
KEY_VARIABLE: Final = "GATEKEY_KEY"
"""The text of the key itself, for places without files: lines of `gatekey-key ID BASE64`."""
FILES_VARIABLE: Final = "GATEKEY_FILES"
NO_FILES: Final = "none"
"""The one value of `GATEKEY_FILES`: the same as `--no-files`."""
DEBUG_LOG_VARIABLE: Final = "GATEKEY_DEBUG_LOG"
_NAMES_OF_FILES: Final = (
    *(DEBUG_LOG_VARIABLE, "SSLKEYLOGFILE", "TEXTUAL", "TEXTUAL_LOG", "TEXTUAL_DRIVER", "TEXTUAL_DEBUG"),
    *("TEXTUAL_PRESS", "TEXTUAL_SCREENSHOT", "TEXTUAL_SCREENSHOT_LOCATION", "TEXTUAL_SCREENSHOT_FILENAME"),
)
"""Variables that make this program, or a library of it, write to a file or run another program (textual.constants)."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which data to open. What is None is asked of the environment, then of the platform."""

    database: str | None = None
    """An SQLAlchemy URL, or the path of an SQLite file."""
    key_file: Path | None = None
    demo: bool = False
    """Show the account of `tui.local_account.demo` instead; nothing here is then opened."""
    no_files: bool = False
    """Write no file at a person's word, and ask for no path."""


def files_are_off(asked: bool, environ: Mapping[str, str]) -> bool:
    """Whether a person may have no file written: `--no-files` was given, or `GATEKEY_FILES` is `none`.

    Raises `InvalidSetting` for another value: a slip of the pen must not leave a door open.
    """
    said = environ.get(FILES_VARIABLE, "")
    if said not in ("", NO_FILES):
        raise InvalidSetting(f"{FILES_VARIABLE} must be {NO_FILES} or not set.")
    return asked or said == NO_FILES


def forget_files(environ: MutableMapping[str, str]) -> None:
    """Take out of the environment whatever would have this program write to a file. Call it before Textual is there."""
    for name in _NAMES_OF_FILES:
        environ.pop(name, None)


def open_account_store(options: Options, *, create: bool, environ: Mapping[str, str] | None = None) -> "Store":
    """Open the store the options name. Slow: it imports SQLAlchemy, and may set up a database.

    With `create`, a database that does not exist yet is made, and a key for it if there is none; or neither. Raises
    `StoreUnavailable`; `KeyMissing` for a database in use whose key is not there: a new key would not open it.
    """
    from store.errors import FirstRunOvertaken
    from store.store import open_store

    environ = os.environ if environ is None else environ
    url = database_url(options, environ)
    while create and (first := _first_run(options, environ, url)) is not None:
        with suppress(FirstRunOvertaken), first:
            pass
    key = key_path(options, environ)
    was_there = key is None or os.path.lexists(key)
    ring = key_ring(options, environ, url, create=create)
    try:
        store = open_store(url, ring, create=create)
    except BaseException:
        with suppress(StoreUnavailable):
            if key is not None and not was_there and is_fresh(url):
                key.unlink(missing_ok=True)
        raise
    _keep_key(key, ring, store)
    return store


def _keep_key(path: Path | None, ring: "KeyRing", store: "Store") -> None:
    """Make the key file again that another first run, which was refused, took away from under this one."""
    if path is not None and not store.database.is_in_memory and not os.path.lexists(path):
        from store.key_file import write_key_file

        write_key_file(path, ring)


@contextmanager
def first_store(options: Options) -> Iterator["Store"]:
    """The store for a command that may be the first: what a first run makes stays only if the block ends well.

    Raises as `open_account_store`, and `FirstRunOvertaken`.
    """
    first = _first_run(options, os.environ, database_url(options, os.environ))
    if first is None:
        with open_account_store(options, create=True) as store:
            yield store
    else:
        with first as store:
            yield store


def _first_run(options: Options, environ: Mapping[str, str], url: str) -> "AbstractContextManager[Store] | None":
    """A new SQLite database in the making, or None where there is one already, or none of SQLite's."""
    from tui.first_run import drafted, is_ahead

    return drafted(url, key_path(options, environ), environ.get(KEY_VARIABLE, "")) if is_ahead(url) else None


def open_unchecked(options: Options, environ: Mapping[str, str] | None = None) -> "Database":
    """The database of the options, whatever its schema, and without a key: for an upgrade and for `doctor`.

    Raises `StoreUnavailable` if it is not there, not private, or not ours.
    """
    from store.database import Database
    from store.sqlite_engine import prepare_file

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


def new_files(options: Options) -> NewFiles:
    """What judges every path that a person gives, and writes there."""
    return NewFiles(partial(own_folders, options, os.environ), allowed=not options.no_files)


def own_folders(options: Options, environ: Mapping[str, str]) -> Iterator[Path]:
    """The folders that are Gatekey's own: of the database, the key, and the person's settings of the console."""
    from store.database import Database
    from store.store import default_key_path, default_path
    from tui.keymap import config_path

    yield default_path().parent
    yield default_key_path().parent
    yield config_path().parent
    key = key_path(options, environ)
    if key is not None:
        yield key.parent
    with closing(Database(database_url(options, environ))) as database:
        if database.path is not None:
            yield database.path.parent


def key_ring(options: Options, environ: Mapping[str, str], url: str, *, create: bool) -> "KeyRing":
    """The keys for the database at `url`, made on a first run if `create`.

    Raises `KeyMissing`, `KeyWrong`, `KeyExposed`, or `DatabaseMissing` if there is no database to need one.
    """
    import secrets

    from store.at_rest import KeyRing
    from store.errors import DatabaseMissing, KeyMissing
    from store.key_file import FileRing, create_key_file

    if _is_in_memory(url):
        return KeyRing.new(secrets.SystemRandom())
    fresh = is_fresh(url)
    if fresh and not create:
        raise DatabaseMissing
    path = key_path(options, environ)
    if path is None:
        return KeyRing.parse(environ[KEY_VARIABLE])
    if not fresh or os.path.lexists(path):
        return FileRing(path)
    try:
        create_key_file(path, secrets.SystemRandom())
    except KeyMissing:
        # Two first starts at once: the other one's key is as good.
        if not os.path.lexists(path):
            raise
    return FileRing(path)


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
