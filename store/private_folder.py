"""Folders of Gatekey's own: each one that is missing is made for this user alone, whatever the umask."""

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

MODE: Final = 0o700


def make(path: Path) -> tuple[Path, ...]:
    """Make the folder at `path` and its missing parents, of mode 0700; returns those made, outermost first.

    `Path.mkdir(parents=True)` gives its mode to the last one alone: under umask 000 the parents are open to everyone,
    who can then put another folder in the place of ours. Raises OSError; NotADirectoryError for a file of that name.
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
            continue  # another start made it meanwhile
        made.append(folder)
        folder.chmod(MODE)  # a umask such as 0277 takes away what the owner needs
    if not path.is_dir():
        remove(made)
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return tuple(made)


def remove(made: Iterable[Path]) -> None:
    """Remove folders that `make` made, innermost first, as far as they are empty."""
    for folder in reversed(tuple(made)):
        with suppress(OSError):
            folder.rmdir()


def exposed(folder: Path) -> Path | None:
    """The outermost folder, from the root down to `folder`, in which another user could replace what lies there.

    That is one that others may write to, unless its sticky bit keeps each to their own (stat(2), S_ISVTX), and one
    that belongs to somebody else than root, this user and the owner of `folder`. None if there is none, or none that
    exists.
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
    """Whether a group is the user's private one: of the same name, and with nobody else in it."""
    import grp
    import pwd

    try:
        group, user = grp.getgrgid(group_id), pwd.getpwuid(user_id)
    except KeyError:
        return False
    return group_id == user.pw_gid and group.gr_name == user.pw_name and not set(group.gr_mem) - {user.pw_name}
