"""The drawer as SFTP and SCP show it: one folder with the items of the account, which can be read and nothing else.

There is no file system behind it (`ssh.sealed_server`).
"""

import asyncio
import posixpath
import stat
from collections.abc import AsyncIterator
from typing import Final, cast

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.constants import FILEXFER_TYPE_DIRECTORY, FILEXFER_TYPE_REGULAR, FXF_READ

from ssh.drawers import Drawers
from ssh.sealed_server import SealedServer, refuse
from store.drawer_parts import PART_BYTES
from store.errors import GatekeyError, NoSuchItem
from store.text import sanitize
from store.values.drawer import DrawerFetch, DrawerItem

MAX_OPEN: Final = 20
"""Items that one connection may have open at once."""
MAX_WAITING: Final = 256
"""Requests for content that may wait on one connection. OpenSSH's client sends at most 64 (sftp(1), -R)."""
MAX_READ_BYTES: Final = PART_BYTES
"""Bytes of one answer. A client asks again for what is missing."""
_CACHED_PARTS: Final = 2
"""A client asks for several pieces at once, which may lie in two parts."""
_FOLDER: Final = "/"
_FOLDER_MODE: Final = stat.S_IFDIR | 0o500
_FILE_MODE: Final = stat.S_IFREG | 0o400
_TOO_MANY: Final = f"At most {MAX_OPEN} items are fetched at once."


class OpenItem:
    """An item that this connection has claimed."""

    def __init__(self, fetch: DrawerFetch) -> None:
        self.fetch = fetch
        self.missing = set(range(fetch.parts))
        """The parts that were not read yet."""
        self.parts: dict[int, bytes] = {}
        """The parts that were read last."""
        self.turn = asyncio.Lock()
        """One request is answered after the other, in the order in which they came."""


class DrawerServer(SealedServer):
    """The drawer of a session. It ends with its connection."""

    def __init__(self, channel: "SSHChannel[bytes]", drawers: Drawers, token: str, name: str) -> None:
        """`name` is that of the account."""
        super().__init__(cast("asyncssh.SSHServerChannel[bytes]", channel))
        self.writable = asyncio.Event()
        """Clear while the client does not read what it was sent."""
        self.writable.set()
        self._drawers = drawers
        self._token = token
        self._name = name
        self._open: set[OpenItem] = set()
        self._waiting = 0
        self._is_over = False

    def end(self) -> None:
        """Give back what was not fetched whole. Later requests get nothing."""
        self._is_over = True
        for item in self._open:
            self._give_back(item)
        self._open.clear()

    # -- the folder -------------------------------------------------------------------------------------------

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        name = name_at(path)
        return _folder_attributes() if name == _FOLDER else _attributes(await self._find(name))

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return await self.stat(path)

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        return _attributes(_opened(file_obj).fetch.item)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        if name_at(path) != _FOLDER:
            raise asyncssh.SFTPNoSuchFile("There are no folders in the drawer.")
        for name in (b".", b".."):
            yield asyncssh.SFTPName(name, attrs=_folder_attributes())
        for item in await self._items():
            yield asyncssh.SFTPName(item.name.encode(), attrs=_attributes(item))

    def realpath(self, path: bytes) -> bytes:
        return _lexical(path)

    def format_user(self, uid: int | None) -> str:  # noqa: ARG002 - no user of the machine
        return sanitize(self._name, 8)

    def format_group(self, gid: int | None) -> str:  # noqa: ARG002 - likewise
        return "drawer"

    # -- content ----------------------------------------------------------------------------------------------

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> OpenItem:  # noqa: ARG002 - read only
        if pflags != FXF_READ:
            refuse()
        if len(self._open) >= MAX_OPEN:
            raise asyncssh.SFTPFailure(_TOO_MANY)
        name = name_at(path)
        if name == _FOLDER:
            raise asyncssh.SFTPFailure("The drawer is a folder.")
        try:
            opened = OpenItem(await self._drawers.claim(self._token, name))
        except GatekeyError as error:
            raise _told(error) from error
        if self._is_over:
            self._give_back(opened)
            raise asyncssh.SFTPConnectionLost("The connection is over.")
        self._open.add(opened)
        return opened

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if self._waiting >= MAX_WAITING:
            self.connection.abort()
            raise asyncssh.SFTPFailure("Too many requests at once.")
        self._waiting += 1
        opened = _opened(file_obj)
        try:
            async with opened.turn:
                await self.writable.wait()
                return await self._read(opened, offset, min(size, MAX_READ_BYTES))
        except GatekeyError as error:
            raise _told(error) from error
        finally:
            self._waiting -= 1

    def close(self, file_obj: object) -> None:
        opened = _opened(file_obj)
        if opened in self._open:
            self._open.discard(opened)
            self._give_back(opened)

    async def _read(self, opened: OpenItem, offset: int, size: int) -> bytes:
        last = opened.fetch.parts - 1
        first = min(offset // PART_BYTES, last)
        data = (await self._part(opened, first))[offset - first * PART_BYTES :][:size]
        if len(data) < size and first < last:
            data += (await self._part(opened, first + 1))[: size - len(data)]
        return data

    async def _part(self, opened: OpenItem, number: int) -> bytes:
        if self._is_over:
            raise asyncssh.SFTPConnectionLost("The connection is over.")
        if number not in opened.parts:
            is_last_missing = opened.missing == {number}
            part = await self._drawers.read(self._token, opened.fetch, number, is_last_missing=is_last_missing)
            opened.missing.discard(number)
            while len(opened.parts) >= _CACHED_PARTS:
                del opened.parts[next(iter(opened.parts))]
            opened.parts[number] = part
        return opened.parts[number]

    def _give_back(self, opened: OpenItem) -> None:
        opened.parts.clear()
        if opened.missing:
            self._drawers.release(opened.fetch)

    async def _find(self, name: str) -> DrawerItem:
        for item in await self._items():
            if item.name == name:
                return item
        raise asyncssh.SFTPNoSuchFile("It is not in your drawer.")

    async def _items(self) -> tuple[DrawerItem, ...]:
        try:
            return await self._drawers.items(self._token)
        except GatekeyError as error:
            raise _told(error) from error


def _told(error: GatekeyError) -> asyncssh.SFTPError:
    kind = asyncssh.SFTPNoSuchFile if isinstance(error, NoSuchItem) else asyncssh.SFTPFailure
    return kind(sanitize(f"{error.title}. {error}"))


def _opened(file_obj: object) -> OpenItem:
    if not isinstance(file_obj, OpenItem):
        raise asyncssh.SFTPFailure("This is not open.")
    return file_obj


def _lexical(path: bytes) -> bytes:
    """`path` from the root, with `.` and `..` resolved as text: above the root is the root."""
    return b"/" + posixpath.normpath(b"/" + path).lstrip(b"/")


def name_at(path: bytes) -> str:
    """The name of an item at `path`, or `/` for the folder. A name that no item can have is no item's."""
    return _lexical(path)[1:].decode("utf-8", "replace") or _FOLDER


def _folder_attributes() -> asyncssh.SFTPAttrs:
    return asyncssh.SFTPAttrs(type=FILEXFER_TYPE_DIRECTORY, permissions=_FOLDER_MODE, nlink=1)


def _attributes(item: DrawerItem) -> asyncssh.SFTPAttrs:
    at = int(item.put_at.timestamp())
    return asyncssh.SFTPAttrs(
        type=FILEXFER_TYPE_REGULAR, size=item.size_bytes, permissions=_FILE_MODE, atime=at, mtime=at, nlink=1
    )
