"""The SQLite file and its folder: created private, and refused if other users could read them."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

from store import file_systems, private_folder
from store.errors import (
    DatabaseExposed,
    DatabaseFull,
    DatabaseMissing,
    DatabaseOnNetwork,
    DatabaseReadOnly,
    DatabaseUnreachable,
    StoreUnavailable,
)

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_NETWORK_FILE_SYSTEMS: Final = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "fuse.sshfs",
    "afs",
    "ceph",
    "glusterfs",
}
_MOUNTS: Final = Path("/proc/self/mounts")
_SIDE_FILES: Final = ("", "-wal", "-shm")
_ERRORS: Final[dict[int, type[StoreUnavailable]]] = {
    errno.EACCES: DatabaseReadOnly,
    errno.EPERM: DatabaseReadOnly,
    errno.EROFS: DatabaseReadOnly,
    errno.ENOSPC: DatabaseFull,
    errno.EDQUOT: DatabaseFull,
}


_MAGIC: Final = b"SQLite format 3\x00"
HEADER_BYTES: Final = 100
"""The length of the header of an SQLite file (sqlite.org/fileformat.html, 1.3)."""


def application_id(header: bytes) -> int | None:
    """The application id in the first `HEADER_BYTES` of a file; None unless they are the header of an SQLite file."""
    if not header.startswith(_MAGIC) or len(header) != HEADER_BYTES:
        return None
    return int.from_bytes(header[68:72], "big")


def create(path: Path, *, called: Path | None = None) -> None:
    """Create an empty file of mode 0600 at `path` unless it exists, and its missing folders with mode 0700.

    SQLite gives the -wal and -shm files the same mode. Raises `DatabaseReadOnly`, `DatabaseFull` or
    `DatabaseUnreachable`; the sentence names `called` instead of `path` if it is given.
    """
    try:
        private_folder.make(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise refusal(called or path, error) from error


def refusal(path: Path, error: OSError) -> StoreUnavailable:
    """The error for a file that could not be created, with its path and the system's reason."""
    kind = _ERRORS.get(error.errno or 0, DatabaseUnreachable)
    return kind(f"The file {path} could not be created: {error.strerror}.")


def check(path: Path) -> None:
    """Check that no other user can read or replace the file, and that it can be locked.

    Raises `DatabaseMissing`, `DatabaseExposed`, `DatabaseOnNetwork`, `DatabaseReadOnly` or `DatabaseUnreachable`.
    """
    check_files(path)
    check_folder(path)
    check_place(path)
    check_access(path)


def check_files(path: Path) -> None:
    """Check the file, -wal and -shm. Raises `DatabaseMissing`, `DatabaseExposed` or `DatabaseUnreachable`."""
    for suffix in _SIDE_FILES:
        _check_mode(path.with_name(path.name + suffix), optional=bool(suffix))


def check_folder(path: Path) -> None:
    """Raise `DatabaseExposed` if other users have any right on the folder."""
    if path.parent.stat().st_mode & _OTHERS:
        raise DatabaseExposed(f"The folder {path.parent} is open to other users. Run chmod 700 on it.")


def check_place(path: Path) -> str:
    """The type of the file system under the file. Raises `DatabaseOnNetwork` for a network file system."""
    kind = file_systems.type_at(path, _MOUNTS.read_text() if _MOUNTS.exists() else "")
    if kind in _NETWORK_FILE_SYSTEMS:
        raise DatabaseOnNetwork
    return kind


def check_access(path: Path) -> None:
    """Raise `DatabaseUnreachable` or `DatabaseReadOnly` unless this user can read and write the file."""
    if not os.access(path, os.R_OK):
        raise DatabaseUnreachable(f"The file {path} cannot be read by this user.")
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise DatabaseReadOnly


def _check_mode(path: Path, *, optional: bool) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        if optional:
            return
        raise DatabaseMissing from None
    except OSError as error:
        raise DatabaseUnreachable(f"The file {path} cannot be read by this user.") from error
    if not stat.S_ISREG(status.st_mode):
        raise DatabaseExposed(f"{path} is not a regular file. A database is never opened through a link.")
    if status.st_mode & _OTHERS:
        raise DatabaseExposed(f"The file {path} is open to other users. Run chmod 600 on it.")
