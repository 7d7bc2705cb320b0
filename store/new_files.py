"""New files at paths that users enter: the allowed places, and the write.

No other module of Gatekey creates a file at a path from a user. A user of `gatekey ssh` acts with the rights of the
service user, so a new file must never be one that a shell, sshd or Gatekey reads.
"""

import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from store.errors import FilesOff, InvalidInput
from store.file_systems import identity
from store.text import sanitize

_FOLDER_FLAGS: Final = os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY)
_NEW_FILE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW

_OPEN_FILE: Final = "/proc/self/fd/{}"

NAMELESS: Final = "Enter the name of the file."
DOTTED: Final = "Gatekey writes no file whose name, or whose folder's name, begins with a dot. Choose another place."
OURS: Final = "Gatekey keeps its own files there. Choose another folder."
NO_FOLDER: Final = "{} is not a folder that you can save to. Choose another folder."
TAKEN: Final = "There is already a file at {}. Choose another name."
A_FOLDER: Final = "{} is a folder. Add the name of a file."
FAILED: Final = "The file {} could not be created."
FULL: Final = "The file {} could not be written; is the disk full?"


@dataclass(frozen=True)
class NewFiles:
    """Checks the place of a new file, and writes it.

    The file must be new. No part of the path begins with a dot, as typed and with links resolved. The place is not
    below one of Gatekey's own folders. A refusal by these rules, or for a folder without write access, does not reveal
    whether a file exists.
    """

    own: Callable[[], Iterable[Path]] = tuple
    """Returns Gatekey's own folders. Called at each write, in the writing thread."""
    allowed: bool = True
    """False under `--no-files`: no file is written."""

    def suggest(self, name: str) -> str:
        """`name`, with a number if it exists in the working directory."""
        wanted = Path(name)
        path, number = wanted, 2
        while os.path.lexists(path):
            path = wanted.with_stem(f"{wanted.stem}-{number}")
            number += 1
        return str(path)

    def create(self, path: Path) -> Path:
        """Create an empty file of mode 0600; returns its absolute, resolved path. Raises the errors of `write`."""
        with self._new_file(path, is_named=True) as (_, place):
            return place

    def write(self, path: Path, text: str | bytes | Iterable[str]) -> Path:
        """Write a new file of mode 0600 and flush it to disk; returns its absolute, resolved path.

        The file appears when it is complete, where the file system can do that (O_TMPFILE of open(2)): a process that
        is killed leaves none.

        A relative path starts in the working directory, and `~` is the home folder. `text` may be bytes, or an iterable
        whose parts are written as they come.

        Raises `FilesOff`, and `InvalidInput` with field `path` for a refused place or a failed write; then no file is
        left. It blocks: call it in a thread.
        """
        with self._new_file(path) as (handle, place):
            try:
                with os.fdopen(handle, "wb", closefd=False) as file:
                    parts = (text,) if isinstance(text, str | bytes) else text
                    file.writelines(part.encode() if isinstance(part, str) else part for part in parts)
                    file.flush()
                    os.fsync(handle)
            except OSError as error:
                raise _refusal(FULL, place) from error
            return place

    @contextmanager
    def _new_file(self, path: Path, *, is_named: bool = False) -> Iterator[tuple[int, Path]]:
        """The open new file and its absolute path. There is none if the body raises.

        The file gets its name after the body, or with `is_named` before it.
        """
        typed = self._check_typed(path)
        with _open_folder(typed.parent) as (folder, real):
            # The typed path can lead here through a link.
            if _is_dotted(real) or self._is_ours(real) or not os.access(real, os.W_OK | os.X_OK):
                raise _refusal(NO_FOLDER, typed.parent)
            unnamed = None if is_named else _create_unnamed(folder, typed)
            handle = _create(folder, typed) if unnamed is None else unnamed
            try:
                yield handle, real / typed.name
                if unnamed is not None:
                    _give_name(handle, folder, typed)
            except BaseException:
                if unnamed is None:
                    os.unlink(typed.name, dir_fd=folder)
                raise
            finally:
                os.close(handle)

    def _check_typed(self, path: Path) -> Path:
        """The absolute path as typed. Raises for a path that is refused by its text alone."""
        if not self.allowed:
            raise FilesOff
        if path.name in ("", ".."):
            raise InvalidInput(NAMELESS, field="path")
        try:
            typed = Path.cwd() / path.expanduser()
        except (OSError, RuntimeError) as error:  # the working directory is gone; nobody has that name
            raise _refusal(NO_FOLDER, path.parent) from error
        if _is_dotted(typed):
            raise InvalidInput(DOTTED, field="path")
        lexical = Path(os.path.normpath(typed))
        if any(lexical.is_relative_to(own) for own in self._own_folders()):
            raise InvalidInput(OURS, field="path")
        return typed

    def _is_ours(self, real: Path) -> bool:
        # By device and inode: a name can have several spellings, and a folder several mount points.
        ours = {identity(own) for own in self._own_folders()} - {None}
        return any(identity(folder) in ours for folder in (real, *real.parents))

    def _own_folders(self) -> Iterator[Path]:
        for own in self.own():
            yield Path(os.path.normpath(own.absolute()))
        if sys.prefix != sys.base_prefix:
            yield Path(sys.prefix)


@contextmanager
def _open_folder(folder: Path) -> Iterator[tuple[int, Path]]:
    """A descriptor of `folder`, and the absolute path of what is open. Raises `InvalidInput`."""
    try:
        real = folder.resolve(strict=True)
        handle = os.open(real, _FOLDER_FLAGS | os.O_NOFOLLOW)
    except (OSError, RuntimeError, ValueError) as error:
        raise _refusal(NO_FOLDER, folder) from error
    try:
        yield handle, _path_of(handle, real)
    finally:
        os.close(handle)


def _path_of(handle: int, expected: Path) -> Path:
    """The path of the open folder. Raises `InvalidInput` if it cannot be read and is not surely `expected`.

    A folder can be replaced by a link between its check and its opening.
    """
    try:
        return Path(_OPEN_FILE.format(handle)).readlink()
    except OSError:
        status = os.fstat(handle)
        # Without /proc the folder must be the expected one, and its path must still have no link.
        if identity(expected) != (status.st_dev, status.st_ino) or Path(os.path.realpath(expected)) != expected:
            raise _refusal(NO_FOLDER, expected) from None
        return expected


def _create(folder: int, path: Path) -> int:
    try:
        return os.open(path.name, _NEW_FILE_FLAGS, 0o600, dir_fd=folder)
    except FileExistsError as error:
        raise _refusal(A_FOLDER if path.is_dir() else TAKEN, path) from error
    except (OSError, ValueError) as error:
        raise _refusal(FAILED, path) from error


def _create_unnamed(folder: int, path: Path) -> int | None:
    """A file without a name in `folder`; None if the system cannot make one, or give it the name of `path` later.

    Raises `InvalidInput` if the name is taken.
    """
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None:
        return None
    try:
        os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        return None
    else:
        raise _refusal(A_FOLDER if path.is_dir() else TAKEN, path)
    try:
        handle = os.open(".", os.O_WRONLY | flag, 0o600, dir_fd=folder)
    except OSError:
        return None
    if not Path(_OPEN_FILE.format(handle)).exists():
        os.close(handle)
        return None
    return handle


def _give_name(handle: int, folder: int, path: Path) -> None:
    """Give a file without a name the name of `path`, unless that was taken meanwhile. Raises `InvalidInput`."""
    try:
        os.link(_OPEN_FILE.format(handle), path.name, dst_dir_fd=folder, follow_symlinks=True)
    except FileExistsError as error:
        raise _refusal(TAKEN, path) from error
    except OSError as error:
        raise _refusal(FAILED, path) from error


def _is_dotted(path: Path) -> bool:
    """True if a part of the path begins with a dot, also after invisible characters that some file systems ignore."""
    return any(
        "".join(letter for letter in part if unicodedata.category(letter) != "Cf").startswith(".")
        for part in path.parts
        if part != ".."
    )


def _refusal(sentence: str, path: Path) -> InvalidInput:
    return InvalidInput(sentence.format(sanitize(path, 200)), field="path")
