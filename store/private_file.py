"""Files of mode 0600 that appear whole or not at all: written beside their place, and put there in one step."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def draft(path: Path, content: bytes, *, prefix: str = ".draft-", is_replacing: bool = False) -> Iterator[Path]:
    """A file with `content` beside `path`, flushed to disk, for the caller to link or rename.

    It is removed at the end unless it was renamed. A draft that replaces the file at `path` gets that file's owner: a
    rekey by root must not lock the service user out. Raises OSError.
    """
    written = write_draft(path, content, prefix=prefix, is_replacing=is_replacing)
    try:
        yield written
    finally:
        written.unlink(missing_ok=True)


def write_draft(path: Path, content: bytes, *, prefix: str, is_replacing: bool = False) -> Path:
    """As `draft`, for a caller who removes the file. Raises OSError; then no draft is left."""
    import tempfile  # the console's first picture needs no file

    descriptor, name = tempfile.mkstemp(prefix=prefix, dir=path.parent)
    is_whole = False
    try:
        with os.fdopen(descriptor, "wb") as file:
            if is_replacing and (replaced := path.stat()).st_uid != os.geteuid():
                os.fchown(file.fileno(), replaced.st_uid, replaced.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        is_whole = True
    finally:
        if not is_whole:
            Path(name).unlink()
    return Path(name)


def replace(path: Path, content: bytes, *, prefix: str = ".draft-") -> None:
    """Put a file with `content` in the place of that at `path`. Raises OSError."""
    with draft(path, content, prefix=prefix) as written:
        written.replace(path)
