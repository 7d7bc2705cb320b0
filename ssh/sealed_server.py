"""A server of SFTP that refuses everything: asyncssh's own works on the files of the machine.

A server derived from it allows what it knows. A test compares the two lists of methods, so that an operation of a later
asyncssh is not let through.
"""

from collections.abc import AsyncIterator, Awaitable
from typing import Final, NoReturn, TypeAlias, TypeVar

import asyncssh

T = TypeVar("T")
MaybeAwait: TypeAlias = T | Awaitable[T]
READ_ONLY: Final = "The drawer is read-only: save in the console, and fetch from here."


def refuse() -> NoReturn:
    """Raises `asyncssh.SFTPPermissionDenied` (SSH_FX_PERMISSION_DENIED, draft-ietf-secsh-filexfer-02, 7)."""
    raise asyncssh.SFTPPermissionDenied(READ_ONLY)


class SealedServer(asyncssh.SFTPServer):
    """Refuses every operation."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> MaybeAwait[object]:  # noqa: ARG002
        refuse()

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs) -> NoReturn:  # noqa: ARG002
        refuse()

    def read(self, file_obj: object, offset: int, size: int) -> MaybeAwait[bytes]:  # noqa: ARG002
        refuse()

    def close(self, file_obj: object) -> None:  # noqa: ARG002
        refuse()

    def stat(self, path: bytes) -> MaybeAwait[asyncssh.SFTPAttrs]:  # noqa: ARG002
        refuse()

    def lstat(self, path: bytes) -> MaybeAwait[asyncssh.SFTPAttrs]:  # noqa: ARG002
        refuse()

    def fstat(self, file_obj: object) -> MaybeAwait[asyncssh.SFTPAttrs]:  # noqa: ARG002
        refuse()

    def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:  # noqa: ARG002
        refuse()

    def realpath(self, path: bytes) -> MaybeAwait[bytes]:  # noqa: ARG002
        refuse()

    def format_user(self, uid: int | None) -> str:  # noqa: ARG002 - no user of the machine
        return ""

    def format_group(self, gid: int | None) -> str:  # noqa: ARG002 - no group of the machine
        return ""

    def map_path(self, path: bytes) -> NoReturn:  # noqa: ARG002 - there is no path to map to
        refuse()

    def reverse_map_path(self, path: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def write(self, file_obj: object, offset: int, data: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> NoReturn:  # noqa: ARG002
        refuse()

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> NoReturn:  # noqa: ARG002
        refuse()

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> NoReturn:  # noqa: ARG002
        refuse()

    def remove(self, path: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> NoReturn:  # noqa: ARG002
        refuse()

    def rmdir(self, path: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def rename(self, oldpath: bytes, newpath: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def readlink(self, path: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def symlink(self, oldpath: bytes, newpath: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def link(self, oldpath: bytes, newpath: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def lock(self, file_obj: object, offset: int, length: int, flags: int) -> NoReturn:  # noqa: ARG002
        refuse()

    def unlock(self, file_obj: object, offset: int, length: int) -> NoReturn:  # noqa: ARG002
        refuse()

    def statvfs(self, path: bytes) -> NoReturn:  # noqa: ARG002
        refuse()

    def fstatvfs(self, file_obj: object) -> NoReturn:  # noqa: ARG002
        refuse()

    def fsync(self, file_obj: object) -> NoReturn:  # noqa: ARG002
        refuse()
