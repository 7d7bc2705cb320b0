"""From the options of the command line to an open store: its database, its key, and the first run."""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

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
"""The text of the key, for systems without a key file: lines of `gatekey-key ID BASE64`."""
CONNECTIONS_VARIABLE: Final = "GATEKEY_DATABASE_CONNECTIONS"
"""The most connections of one process to PostgreSQL."""
MIN_CONNECTIONS: Final = 4
MAX_CONNECTIONS: Final = 1000
FILES_VARIABLE: Final = "GATEKEY_FILES"
NO_FILES: Final = "none"
"""The only value of `GATEKEY_FILES`, with the effect of `--no-files`."""
DEBUG_LOG_VARIABLE: Final = "GATEKEY_DEBUG_LOG"
_FILE_WRITING_VARIABLES: Final = (
    *(DEBUG_LOG_VARIABLE, "SSLKEYLOGFILE", "TEXTUAL", "TEXTUAL_LOG", "TEXTUAL_DRIVER", "TEXTUAL_DEBUG"),
    *("TEXTUAL_PRESS", "TEXTUAL_SCREENSHOT", "TEXTUAL_SCREENSHOT_LOCATION", "TEXTUAL_SCREENSHOT_FILENAME"),
)
"""Variables that make this program or a library write a file or run a program (see textual.constants)."""


class Options(NamedTuple):
    """The data to open. None means the value of the environment, else the default of the platform."""

    database: str | None = None
    """An SQLAlchemy URL, or the path of an SQLite file."""
    key_file: Path | None = None
    demo: bool = False
    """Show the account of `tui.local_account.demo`, and open nothing of the above."""
    no_files: bool = False
    """Write no file for a person, and ask for no path."""
    server: str | None = None
    """The address of the New API server that the account is on; None for a store. Nothing of the above is opened then,
    but for the key file, under which sessions are kept."""
    connections: int | None = None
    """The most connections of this process to PostgreSQL."""
    insecure_http: bool = False
    """Accept a server that is reached by plain HTTP on another machine."""


def files_are_off(asked: bool, environ: Mapping[str, str]) -> bool:
    """True if files are off: `--no-files` was given, or `GATEKEY_FILES` is `none`.

    Raises `InvalidSetting` for any other value, because a misspelt one must not leave files on.
    """
    said = environ.get(FILES_VARIABLE, "")
    if said not in ("", NO_FILES):
        raise InvalidSetting(f"{FILES_VARIABLE} must be {NO_FILES} or not set.")
    return asked or said == NO_FILES


def connections(options: Options, environ: Mapping[str, str]) -> int | None:
    """The option, else `GATEKEY_DATABASE_CONNECTIONS`, else None. Raises `InvalidSetting`."""
    said = environ.get(CONNECTIONS_VARIABLE, "")
    if options.connections is not None or not said:
        return options.connections
    if (number := connections_from(said)) is None:
        raise InvalidSetting(f"{CONNECTIONS_VARIABLE} must be {MIN_CONNECTIONS} to {MAX_CONNECTIONS}, or not set.")
    return number


def connections_from(text: str) -> int | None:
    """The number of connections that `text` says, or None if it is not one, or too few or too many."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return number if MIN_CONNECTIONS <= number <= MAX_CONNECTIONS else None


def forget_files(environ: MutableMapping[str, str]) -> None:
    """Remove every variable that makes this program write a file. Call it before Textual is imported."""
    for name in _FILE_WRITING_VARIABLES:
        environ.pop(name, None)


def open_account_store(options: Options, *, create: bool, environ: Mapping[str, str] | None = None) -> "Store":
    """Open the store that the options name. Slow: it imports SQLAlchemy, and may create a database.

    With `create`, a database that does not exist is created, together with a key if there is none. Raises
    `StoreUnavailable`, and `KeyMissing` if a database with content has no key: a new key would not open it.
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
        store = open_store(url, ring, create=create, connections=connections(options, environ))
    except BaseException:
        with suppress(StoreUnavailable):
            if key is not None and not was_there and is_fresh(url):
                key.unlink(missing_ok=True)
        raise
    _restore_key_file(key, ring, store)
    return store


def _restore_key_file(path: Path | None, ring: "KeyRing", store: "Store") -> None:
    """Write the key file again if another first run, which was refused, has removed it meanwhile."""
    if path is not None and not store.database.is_in_memory and not os.path.lexists(path):
        from store.key_file import write_key_file

        write_key_file(path, ring)


@contextmanager
def first_store(options: Options) -> Iterator["Store"]:
    """The store for a command that may be the first. The files of a first run stay only if the block raises nothing.

    Raises the errors of `open_account_store`, and `FirstRunOvertaken`.
    """
    first = _first_run(options, os.environ, database_url(options, os.environ))
    if first is None:
        with open_account_store(options, create=True) as store:
            yield store
    else:
        with first as store:
            yield store


def _first_run(options: Options, environ: Mapping[str, str], url: str) -> "AbstractContextManager[Store] | None":
    """The draft of a new SQLite database; None if the database exists or is not an SQLite file."""
    from tui.first_run import drafted, is_ahead

    return drafted(url, key_path(options, environ), environ.get(KEY_VARIABLE, "")) if is_ahead(url) else None


def open_unchecked(options: Options, environ: Mapping[str, str] | None = None) -> "Database":
    """The database of the options, with any schema and without a key, for an upgrade and for `doctor`.

    Raises `StoreUnavailable` if it does not exist, is not private, or is not Gatekey's.
    """
    from store.database import Database
    from store.sqlite_engine import prepare_file

    database = Database(database_url(options, os.environ if environ is None else environ))
    if database.path is not None:
        prepare_file(database.path, create=False)
    return database


def database_url(options: Options, environ: Mapping[str, str]) -> str:
    """The SQLAlchemy URL: the option, else `GATEKEY_DATABASE`, else a file in the platform's data folder."""
    from sqlalchemy.engine import URL

    from store.default_paths import default_path

    said = options.database or environ.get(DATABASE_VARIABLE) or ""
    if ":/" in said or said.startswith("sqlite:"):
        return said
    path = Path(said).expanduser().absolute() if said else default_path()
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def key_path(options: Options, environ: Mapping[str, str]) -> Path | None:
    """The key file: the option, else `GATEKEY_KEY_FILE`, else the default; None if the key is in `GATEKEY_KEY`."""
    from store.default_paths import default_key_path

    if options.key_file is not None:
        return options.key_file.expanduser()
    if environ.get(KEY_FILE_VARIABLE):
        return Path(environ[KEY_FILE_VARIABLE]).expanduser()
    return None if environ.get(KEY_VARIABLE) else default_key_path()


def new_files(options: Options) -> NewFiles:
    """The object that checks every path that a person gives, and writes the file."""
    return NewFiles(partial(own_folders, options, os.environ), allowed=not options.no_files)


def own_folders(options: Options, environ: Mapping[str, str]) -> Iterator[Path]:
    """Gatekey's own folders: of the database, the key, and keys.toml."""
    from store.database import Database
    from store.default_paths import default_key_path, default_path
    from tui.config_location import config_path

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
    """The keys for the database at `url`; created for a new database if `create`.

    Raises `KeyMissing`, `KeyWrong`, `KeyExposed`, or `DatabaseMissing` if there is no database.
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
        # Another first start has just created the key file: use that one.
        if not os.path.lexists(path):
            raise
    return FileRing(path)


def is_fresh(url: str) -> bool:
    """True if nothing was stored at `url` yet. Raises `StoreUnavailable` if that is not known."""
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
