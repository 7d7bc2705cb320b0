"""First run: creates the database and its key, or neither.

Both are created under temporary names in their folders, and linked to their final names at the end. A first command
that is refused, or fails on a full disk, leaves no empty database, no key and no folder behind.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from store import private_folder, sqlite_file
from store.at_rest import KeyRing
from store.database import Database
from store.errors import FirstRunOvertaken
from store.key_file import draft_key_file, key_not_created, load_key_file
from store.store import open_store

if TYPE_CHECKING:
    from store.store import Store

_SQLITE_SUFFIXES: Final = ("", "-wal", "-shm", "-journal")


def is_ahead(url: str) -> bool:
    """True if `url` names an SQLite file that does not exist yet."""
    with closing(Database(url)) as database:
        return database.path is not None and not os.path.lexists(database.path)


@contextmanager
def drafted(url: str, key: Path | None, key_text: str) -> Iterator["Store"]:
    """A new store, which is linked to `url` if the block raises nothing.

    `key` is the key file, which is created if it does not exist; None means that `key_text` is the key. Raises
    `FirstRunOvertaken` if another first run was faster, and the errors of `open_store`.
    """
    with closing(Database(url)) as named:
        path, address = named.path or Path(), named.url
    # At the end drafts are removed, and folders that are empty then.
    with ExitStack() as leftovers:
        ring, key_draft = _ring(key, key_text, leftovers)
        try:
            leftovers.callback(private_folder.remove, private_folder.make(path.parent))
        except OSError as error:
            raise sqlite_file.refusal(path, error) from error
        leftovers.enter_context(_exclusive(path))
        if os.path.lexists(path):
            raise FirstRunOvertaken
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        leftovers.callback(_remove, draft)
        sqlite_file.create(draft, called=path)
        with open_store(address.set(database=str(draft)).render_as_string(hide_password=False), ring) as store:
            yield store
            store.database.checkpoint()
        if key is not None and key_draft is not None:
            _publish_key(key_draft, key)
        try:
            path.hardlink_to(draft)
        except FileExistsError as error:
            raise FirstRunOvertaken from error
        except OSError as error:
            if key is not None and key_draft is not None:
                key.unlink()
            raise sqlite_file.refusal(path, error) from error


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Allow one first run at a time in the folder of `path`. Without locks in the file system the faster one wins."""
    try:
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise sqlite_file.refusal(path, error) from error
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _ring(key: Path | None, key_text: str, leftovers: ExitStack) -> tuple[KeyRing, Path | None]:
    """The key ring, and the draft of its file if the file has to be created."""
    if key is None:
        return KeyRing.parse(key_text), None
    if os.path.lexists(key):
        return load_key_file(key), None
    try:
        leftovers.callback(private_folder.remove, private_folder.make(key.parent))
    except OSError as error:
        raise key_not_created(key, error) from error
    ring = KeyRing.new(secrets.SystemRandom())
    draft = draft_key_file(key, ring)
    leftovers.callback(draft.unlink)
    return ring, draft


def _publish_key(draft: Path, key: Path) -> None:
    try:
        key.hardlink_to(draft)
    except FileExistsError as error:
        raise FirstRunOvertaken from error
    except OSError as error:
        raise key_not_created(key, error) from error


def _remove(draft: Path) -> None:
    for suffix in _SQLITE_SUFFIXES:
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)
