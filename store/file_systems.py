"""Files and file systems: the identity of a file, its flush to disk, and the type of the file system under it."""

import os
from pathlib import Path


def identity(path: Path | str) -> tuple[int, int] | None:
    """Device and inode of the file that `path` names now, links followed; None if there is none to be read."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a text takes half the time
    except OSError:
        return None
    return status.st_dev, status.st_ino


def flush(path: Path) -> None:
    """Wait until the file or folder at `path` is on the disk (fsync(2)). Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def type_at(path: Path, mounts: str) -> str:
    """The type of the file system under `path`, by the longest mount point in `mounts` (proc(5), /proc/mounts)."""
    resolved = path.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if resolved.is_relative_to(point) and len(point.parts) > best:
            best, kind = len(point.parts), fields[2]
    return kind
