"""The key file: written whole or not at all, for its owner alone, and read anew once it was replaced."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from store import private_folder
from store.at_rest import DRAFT, KeyRing, load_key_file
from store.errors import DatabaseBusy, KeyMissing, StoreUnavailable


def write_new(path: Path, ring: KeyRing) -> None:
    """Make a key file where there is none. Raises `KeyMissing`."""
    with _draft(path, ring) as draft:
        path.hardlink_to(draft)


def write_over(path: Path, ring: KeyRing) -> None:
    """Put `ring` in the place of the key file in one step, for the same owner. Raises `KeyMissing`."""
    with _draft(path, ring, is_replacing=True) as draft:
        draft.replace(path)
    _flush(path.parent)


@contextmanager
def _draft(path: Path, ring: KeyRing, *, is_replacing: bool = False) -> Iterator[Path]:
    """A file with the ring in it, of mode 0600, in the folder of `path`; gone afterwards unless it was renamed.

    One that replaces the file at `path` belongs to that one's owner: an administrator who is root must not lock the
    service user out.
    """
    try:
        private_folder.make(path.parent)
        descriptor, name = tempfile.mkstemp(prefix=DRAFT, dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                if is_replacing and (replaced := path.stat()).st_uid != os.geteuid():
                    os.fchown(descriptor, replaced.st_uid, replaced.st_gid)
                file.write(ring.serialise())
                file.flush()
                os.fsync(file.fileno())
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise KeyMissing(f"The key file {path} could not be written: {error.strerror}.") from error


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileRing(KeyRing):
    """The ring in a key file, read anew once the file was replaced: a new key reaches every program that runs."""

    __slots__ = ("_path", "_seen")
    _path: Path
    _seen: tuple[tuple[int, ...], KeyRing] | None

    def __init__(self, path: Path) -> None:
        """Raises what `load_key_file` raises."""
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
            # What was opened with these keys stays open with them. The file is read again at the next use.
            return seen[1]
        object.__setattr__(self, "_seen", (stamp, ring))
        return ring


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep another program from replacing the same key file meanwhile. Raises `DatabaseBusy`, `KeyMissing`.

    Two that add a key at once would each lose the other's, and everything sealed under it.
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
    """What changes when the file is replaced; empty if it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
