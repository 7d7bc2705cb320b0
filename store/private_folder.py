"""Gatekey's own folders, created with mode 0700 whatever the umask is."""

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

MODE: Final = 0o700


def make(path: Path) -> tuple[Path, ...]:
    """Create the folder at `path` and its missing parents with mode 0700; returns the new ones, outermost first.

    `Path.mkdir(parents=True)` applies its mode to the last folder only. Under umask 000 the parents would be writable
    by everyone, who could then replace the folder. Raises OSError, and NotADirectoryError if `path` is a file.
    """
    missing = []
    folder = path.absolute()
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    made = []
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=MODE)
        except FileExistsError:
            continue  # created by a concurrent start
        made.append(folder)
        folder.chmod(MODE)  # a umask such as 0277 removes the owner's own rights
    if not path.is_dir():
        remove(made)
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return tuple(made)


def remove(made: Iterable[Path]) -> None:
    """Remove folders that `make` created, innermost first. Folders that are not empty stay."""
    for folder in reversed(tuple(made)):
        with suppress(OSError):
            folder.rmdir()


def exposed(folder: Path) -> Path | None:
    """The outermost folder, from the root to `folder`, in which another user could replace entries. None without one.

    Such a folder is writable by others and has no sticky bit (stat(2), S_ISVTX), or it belongs to another user than
    root, this user and the owner of `folder`.
    """
    real = folder.resolve()
    trusted = {0, os.geteuid()} | ({real.stat().st_uid} if real.exists() else set())
    for place in reversed((real, *real.parents)):
        try:
            status = place.stat()
        except OSError:
            return None
        writable = status.st_mode & stat.S_IWOTH or (
            status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid, status.st_uid)
        )
        if (writable and not status.st_mode & stat.S_ISVTX) or status.st_uid not in trusted:
            return place
    return None


def _is_own_group(group_id: int, user_id: int) -> bool:
    """True if a group is the user's private group: it has the user's name and no other member."""
    import grp
    import pwd

    try:
        group, user = grp.getgrgid(group_id), pwd.getpwuid(user_id)
    except KeyError:
        return False
    return group_id == user.pw_gid and group.gr_name == user.pw_name and not set(group.gr_mem) - {user.pw_name}
