"""The SQLite file and its folder: made private, and refused when others could read them."""

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
    """Make an empty file of mode 0600 at `path`, in a folder of mode 0700 if there is none yet.

    Raises `DatabaseReadOnly`, `DatabaseFull` or `DatabaseUnreachable` if it cannot be made, with the name it is
    `called` by, if that is another. SQLite gives -wal and -shm the same mode.
    """
    try:
        private_folder.make(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise refusal(called or path, error) from error


def refusal(path: Path, error: OSError) -> StoreUnavailable:
    """The error for a file that the system did not let us make: it names the path and the reason."""
    kind = _ERRORS.get(error.errno or 0, DatabaseUnreachable)
    return kind(f"The file {path} could not be created: {error.strerror}.")


def check(path: Path) -> None:
    """Refuse a file that other users could read or replace, or that cannot be locked.

    Raises `DatabaseMissing`, `DatabaseExposed`, `DatabaseOnNetwork`, `DatabaseReadOnly` or `DatabaseUnreachable`.
    """
    check_files(path)
    check_folder(path)
    check_place(path)
    check_access(path)


def check_files(path: Path) -> None:
    """The file and its -wal and -shm. Raises `DatabaseMissing`, `DatabaseExposed` or `DatabaseUnreachable`."""
    for suffix in _SIDE_FILES:
        _check_mode(path.with_name(path.name + suffix), optional=bool(suffix))


def check_folder(path: Path) -> None:
    """Raises `DatabaseExposed` if others can look into the folder, and so replace what lies in it."""
    if path.parent.stat().st_mode & _OTHERS:
        raise DatabaseExposed(f"The folder {path.parent} is open to other users. Run chmod 700 on it.")


def check_place(path: Path) -> str:
    """The kind of file system under the file. Raises `DatabaseOnNetwork` for one that cannot lock."""
    kind = file_systems.type_at(path, _MOUNTS.read_text() if _MOUNTS.exists() else "")
    if kind in _NETWORK_FILE_SYSTEMS:
        raise DatabaseOnNetwork
    return kind


def check_access(path: Path) -> None:
    """Raises `DatabaseUnreachable` or `DatabaseReadOnly` unless this user may read and write here."""
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
