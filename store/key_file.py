"""The key file: atomic writes, mode 0600, and a ring that is read again after the file was replaced."""

import os
import random
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from store import file_systems, private_file, private_folder
from store.at_rest import KeyRing
from store.errors import DatabaseBusy, KeyExposed, KeyMissing, KeyNotMade, StoreUnavailable

DRAFT_PREFIX: Final = ".key-"
"""The start of the name of a key file that is being written."""


def load_key_file(path: Path) -> KeyRing:
    """The ring in the file at `path`. Raises `KeyMissing`, `KeyExposed` (mode beyond 0600) or `KeyWrong`."""
    sentence = f"The key file {path} could not be opened. Point --key-file at it."
    try:
        # O_NONBLOCK: opening a pipe without a writer must not block.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise KeyMissing(
            f"The key file {path} could not be opened: {error.strerror}. Point --key-file at it."
        ) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyMissing(sentence)
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyExposed
        text = os.read(descriptor, 65536)
    finally:
        os.close(descriptor)
    return KeyRing.parse(text.decode("ascii", "replace"))


def create_key_file(path: Path, rng: random.Random) -> KeyRing:
    """A new ring, written to a new file of mode 0600 in a folder of mode 0700. Raises `KeyNotMade`."""
    ring = KeyRing.new(rng)
    write_key_file(path, ring)
    return ring


def key_not_created(path: Path, error: OSError) -> KeyNotMade:
    """The error for a key file that could not be created on a first run."""
    return KeyNotMade(f"The key file {path} could not be created: {error.strerror}.")


def key_not_written(path: Path, error: OSError) -> KeyMissing:
    """The error for a key file of existing data that could not be written."""
    return KeyMissing(f"The key file {path} could not be written: {error.strerror}.")


def write_key_file(
    path: Path, ring: KeyRing, *, refusal: Callable[[Path, OSError], KeyMissing] = key_not_created
) -> None:
    """Write `ring` to a new file. The file appears whole or not at all. Raises the error that `refusal` makes."""
    with _draft(path, ring, refusal) as draft:
        path.hardlink_to(draft)


def replace_key_file(path: Path, ring: KeyRing) -> None:
    """Replace the key file by `ring` in one step, for the same owner. Raises `KeyMissing`."""
    with _draft(path, ring, key_not_written, is_replacing=True) as draft:
        draft.replace(path)
    file_systems.flush(path.parent)


def draft_key_file(path: Path, ring: KeyRing) -> Path:
    """A whole key file of mode 0600 beside `path`, to be linked there. Raises `KeyNotMade`; then none is left."""
    try:
        return private_file.write_draft(path, _content(ring), prefix=DRAFT_PREFIX)
    except OSError as error:
        raise key_not_created(path, error) from error


@contextmanager
def _draft(
    path: Path, ring: KeyRing, refusal: Callable[[Path, OSError], KeyMissing], *, is_replacing: bool = False
) -> Iterator[Path]:
    """A draft in the folder of `path`, which is created if missing. The draft is removed unless it was renamed."""
    try:
        private_folder.make(path.parent)
        with private_file.draft(path, _content(ring), prefix=DRAFT_PREFIX, is_replacing=is_replacing) as draft:
            yield draft
    except OSError as error:
        raise refusal(path, error) from error


def _content(ring: KeyRing) -> bytes:
    return ring.serialise().encode("ascii")


class FileRing(KeyRing):
    """The ring in a key file. It is read again after the file was replaced, so running programs get a new key."""

    __slots__ = ("_path", "_seen")
    _path: Path
    _seen: tuple[tuple[int, ...], KeyRing] | None

    def __init__(self, path: Path) -> None:
        """Load the file. Raises the errors of `load_key_file`."""
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_seen", None)
        self._ring()

    @property
    def current(self) -> int:
        return self._ring().current

    @property
    def keys(self) -> Mapping[int, bytes]:
        return self._ring().keys

    def snapshot(self) -> KeyRing:
        return self._ring()

    def _ring(self) -> KeyRing:
        seen, stamp = self._seen, _stamp(self._path)
        if seen is not None and stamp in (seen[0], ()):
            return seen[1]
        try:
            ring = load_key_file(self._path)
        except StoreUnavailable:
            if seen is None:
                raise
            # The program goes on with the keys it has. The file is read again at the next use.
            return seen[1]
        object.__setattr__(self, "_seen", (stamp, ring))
        return ring


@contextmanager
def lock_key_file(path: Path) -> Iterator[None]:
    """An exclusive lock on the folder of the key file (flock(2)). Raises `DatabaseBusy`, `KeyMissing`.

    Two processes that each add a key would overwrite the other's key, and lose all data encrypted under it.
    """
    import fcntl

    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise KeyMissing(f"The folder of the key file {path.name} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DatabaseBusy("Another gatekey admin rekey is at work. Wait until it has ended.") from error
    finally:
        os.close(descriptor)


def _stamp(path: Path) -> tuple[int, ...]:
    """Device, inode, time and size of the file, which change when it is replaced; empty if it cannot be read."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
