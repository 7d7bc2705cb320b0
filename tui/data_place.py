"""The place of the data, told before it is opened. Imports no SQLAlchemy, because the first screen asks."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from store.default_paths import default_path
from store.text import sanitize
from tui.store_location import DATABASE_VARIABLE

if TYPE_CHECKING:
    from tui.store_location import Options

MAX_PLACE_CHARS: Final = 44
"""Characters of a place on the screen."""


def place(options: "Options", environ: Mapping[str, str]) -> str:
    """The folder of the default database, the path of another file, or the URL without user, password and query."""
    if options.demo:
        return "demo, in memory"
    said = options.database or environ.get(DATABASE_VARIABLE) or ""
    path = _sqlite_path(said)
    if path is None:
        return _ending(_address(said))
    shown = path if said else path.parent
    home = Path.home()
    return _ending(f"~/{shown.relative_to(home)}" if shown.is_relative_to(home) else str(shown))


def is_absent(options: "Options", environ: Mapping[str, str]) -> bool:
    """True if the data is an SQLite file that does not exist: nobody has an account in it. False if it is not known."""
    path = None if options.demo else _sqlite_path(options.database or environ.get(DATABASE_VARIABLE) or "")
    return path is not None and not os.path.lexists(path)


def _sqlite_path(said: str) -> Path | None:
    """The file that `said` names, as `database_url` reads it; None for a server and for a database in memory."""
    if not said:
        return default_path()
    if said.startswith("sqlite"):
        scheme, _, path = said.partition(":///")
        path = path.partition("?")[0]
        return Path(path).absolute() if scheme and path and ":" not in path else None
    return None if ":/" in said else Path(said).expanduser().absolute()


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a database server"
    scheme = parts.scheme.partition("+")[0]
    if scheme == "sqlite":
        return "in memory"
    return f"{scheme}://{parts.hostname or ''}{port}{parts.path}"


def _ending(text: str) -> str:
    """`text`, shortened at its beginning, because paths differ at their end."""
    text = sanitize(text)
    return text if len(text) <= MAX_PLACE_CHARS else f"…{text[-MAX_PLACE_CHARS + 1 :]}"
