"""The private working folder of a restore, beside the database or in the temporary folder.

A killed restore leaves its folder with a copy of the data. Each running restore holds a lock on its folder (flock(2),
which ends with the process), so the next restore in the same place recognizes such folders and removes them.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PREFIX: Final = ".gatekey-restore-"


@contextmanager
def working_folder(place: Path | None) -> Iterator[Path]:
    """A new private folder in `place`, or in the temporary folder; it is removed afterwards. Raises OSError.

    Folders of killed restores in the same place are removed first, as far as possible.
    """
    place = place or Path(tempfile.gettempdir())
    for folder, lock in _left_over(place):
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
    folder, lock = _claimed(place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def left_over(place: Path) -> list[Path]:
    """The folders in `place` of this user's killed restores."""
    found = []
    for folder, lock in _left_over(place):
        found.append(folder)
        os.close(lock)
    return sorted(found)


def _left_over(place: Path) -> Iterator[tuple[Path, int]]:
    """The folders of killed restores, each with its lock, which the caller closes."""
    try:
        folders = [folder for folder in place.iterdir() if folder.name.startswith(PREFIX)]
    except OSError:
        return
    for folder in folders:
        lock = _locked(folder, waits=False)
        if lock is not None:
            yield folder, lock


def _claimed(place: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        # Before it is locked, another restore can mistake it for one of a killed restore and remove it.
        try:
            lock = _locked(folder, waits=True)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if lock is not None:
            return folder, lock


def _locked(folder: Path, *, waits: bool) -> int | None:
    """A locked descriptor of `folder`; None if it is gone, another user's, or locked while `waits` is False.

    Raises OSError if `waits` and the file system has no locks.
    """
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError:
        if waits:
            raise
        return None  # a link, a file, or another user's
    is_kept = False
    try:
        with suppress(*() if waits else (OSError,)):
            fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_kept = _is_own(folder, descriptor)
    finally:
        if not is_kept:
            os.close(descriptor)
    return descriptor if is_kept else None


def _is_own(folder: Path, descriptor: int) -> bool:
    """True if the locked folder is this user's and still has its name."""
    status = os.fstat(descriptor)
    try:
        named = folder.lstat()
    except OSError:
        return False
    is_same = (named.st_dev, named.st_ino) == (status.st_dev, status.st_ino)
    return is_same and status.st_uid == os.geteuid() and stat.S_ISDIR(status.st_mode)
