"""Writing the key file: whole or not at all, and for its owner alone."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store import private_folder
from store.at_rest import KeyRing
from store.errors import KeyMissing


def write_new(path: Path, ring: KeyRing) -> None:
    """Make a key file where there is none. Raises `KeyMissing`."""
    with _draft(path, ring) as draft:
        path.hardlink_to(draft)


def write_over(path: Path, ring: KeyRing) -> None:
    """Put `ring` in the place of the key file in one step. Raises `KeyMissing`."""
    with _draft(path, ring) as draft:
        draft.replace(path)
    _flush(path.parent)


@contextmanager
def _draft(path: Path, ring: KeyRing) -> Iterator[Path]:
    """A file with the ring in it, of mode 0600, in the folder of `path`; gone afterwards unless it was renamed."""
    try:
        private_folder.make(path.parent)
        descriptor, name = tempfile.mkstemp(prefix=".key-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
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
