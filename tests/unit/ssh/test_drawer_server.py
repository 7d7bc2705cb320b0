"""The server of the drawer has no way to a file of the machine."""

import asyncio
import inspect
from datetime import UTC, datetime
from typing import Any, Final

import asyncssh
import pytest

from ssh import drawer_server
from ssh.drawer_server import MAX_WAITING, DrawerServer, OpenItem
from ssh.sealed_server import SealedServer
from store.values.drawer import DrawerFetch, DrawerItem

HARMLESS: Final = {"channel", "connection", "env", "logger", "convert_attrs", "format_longname", "exit"}
"""What asyncssh's server does without a file: its connection, and the text of a listing."""


def operations(server: type) -> set[str]:
    return {name for name, member in vars(server).items() if not name.startswith("_") and not isinstance(member, str)}


def test_every_operation_of_asyncssh_is_replaced() -> None:
    assert len(operations(asyncssh.SFTPServer)) > 25
    assert operations(asyncssh.SFTPServer) - HARMLESS <= operations(SealedServer)
    assert issubclass(DrawerServer, SealedServer)


def test_no_operation_touches_a_path_of_the_machine() -> None:
    source = inspect.getsource(drawer_server)
    assert not [word for word in ("import os", "pathlib", "super().open", "super().stat", "_chroot") if word in source]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"export.json", "export.json"),
        (b"/export.json", "export.json"),
        (b"./export.json", "export.json"),
        (b"//export.json", "export.json"),
        (b"../../export.json", "export.json"),
        (b"", "/"),
        (b".", "/"),
        (b"/", "/"),
        (b"..", "/"),
        (b"//..//.", "/"),
        (b"../../etc/passwd", "etc/passwd"),
        (b"/etc/passwd", "etc/passwd"),
        (b"a\0b", "a\0b"),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
    ],
)
def test_a_path_is_the_name_of_an_item_or_none(path: bytes, name: str) -> None:
    assert drawer_server.name_at(path) == name


class _Connection:
    def __init__(self) -> None:
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


class _Channel:
    def __init__(self) -> None:
        self.connection = _Connection()

    def get_connection(self) -> _Connection:
        return self.connection


async def test_a_client_that_reads_nothing_has_a_bounded_number_of_requests() -> None:
    channel: Any = _Channel()
    drawers: Any = object()
    now = datetime(2026, 11, 23, tzinfo=UTC)
    opened = OpenItem(DrawerFetch("fetch", DrawerItem("item", "export.json", 9, now, now), 1))
    server = DrawerServer(channel, drawers, "token", "alice")
    server.writable.clear()
    waiting = [asyncio.create_task(server.read(opened, 0, 9)) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    assert not channel.connection.is_aborted
    with pytest.raises(asyncssh.SFTPFailure):
        await server.read(opened, 0, 9)
    assert channel.connection.is_aborted
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
