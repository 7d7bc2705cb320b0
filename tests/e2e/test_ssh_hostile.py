"""Hostile and broken clients: the server goes on answering, and nothing of theirs stays."""

import asyncio
import contextlib
import os
import random
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import asyncssh
import pytest

from tests.e2e.installed import PATIENCE
from tests.e2e.ssh_server import NAME, SshServer, look_at_dialog
from tests.harness.stores import PASSWORD
from tests.harness.waiting import wait_until

CHANNELS: Final = 1000
VARIABLES: Final = 1000
SENTENCE: Final = b"all that is stored, one file"


def connect(server: SshServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)


def open_files(server: SshServer) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))  # noqa: PTH208 - a count


class Person(asyncssh.SSHClient):
    """A client of asyncssh that knows a password."""

    def __init__(self, password: str = PASSWORD) -> None:
        self._password = password

    def kbdint_auth_requested(self) -> str:
        return ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str]:
        return [self._password] * len(prompts)


async def enter(server: SshServer, person: Callable[[], asyncssh.SSHClient] = Person) -> asyncssh.SSHClientConnection:
    connection, _ = await asyncssh.create_connection(
        person,
        "127.0.0.1",
        server.port,
        username=NAME,
        known_hosts=None,
        client_keys=None,
        agent_path=None,
        config=None,
    )
    return connection


async def until_open(process: "asyncssh.SSHClientProcess[bytes]") -> None:
    """Read until the console is open."""
    output = b""
    while SENTENCE not in output:
        output += await process.stdout.read(65_536)


def payloads(rng: random.Random) -> Iterator[bytes]:
    """First bytes that no client should send."""
    yield b""
    yield b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield b"SSH-1.0-old\r\n"
    yield b"SSH-2.0-" + b"x" * 100_000
    yield b"SSH-2.0-\xff\xfe\x00\r\n"
    yield b"\0" * 65_536
    for length in (0, 1, 5, 35_000, 0x7FFFFFFF, 0xFFFFFFFF):
        yield b"SSH-2.0-x\r\n" + struct.pack("!IB", length, 4) + rng.randbytes(4096)
    for kind in range(256):
        body = bytes([kind]) + rng.randbytes(rng.randrange(64))
        padding = 16 - (len(body) + 5) % 8
        yield b"SSH-2.0-x\r\n" + struct.pack("!IB", len(body) + padding + 1, padding) + body + bytes(padding)


def test_garbage_is_refused_and_leaves_nothing(server: SshServer) -> None:
    before = open_files(server)
    for payload in payloads(random.Random(13)):
        with connect(server) as client, contextlib.suppress(OSError):
            client.sendall(payload)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65_536):
                pass
    wait_until(lambda: open_files(server) <= before)
    with server.signed_in() as client:
        client.quit()
    server.wait_until_empty()
    assert "Traceback" not in server.log.read_text()
    assert "ERROR" not in server.log.read_text()


def test_silent_clients_make_room_for_others(server: SshServer) -> None:
    """As many as one address may have, and more: the one that is silent longest goes first."""
    finished = server.home.run("admin", "site", "set", "ssh.connections", "8")
    assert finished.returncode == 0
    server.__exit__()
    with SshServer(server.home) as server, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(server)) for _ in range(20)]
        with server.signed_in() as client:
            client.quit()
        assert silent[0].recv(64).startswith(b"SSH-2.0-")
        with contextlib.suppress(ConnectionResetError):
            while silent[0].recv(65_536):
                pass


def test_sessions_are_not_evicted(server: SshServer) -> None:
    finished = server.home.run("admin", "site", "set", "ssh.connections", "2")
    assert finished.returncode == 0
    server.__exit__()
    with SshServer(server.home) as server, server.signed_in() as first, server.signed_in() as second:
        with connect(server) as third:
            assert third.recv(64) == b"", "there is no room for a third"
        for client in (first, second):
            look_at_dialog(client)
            client.quit()


def test_a_connection_has_one_session(server: SshServer) -> None:
    refused = 0

    async def attack() -> None:
        nonlocal refused
        async with await enter(server) as connection:
            process = await connection.create_process(term_type="xterm", encoding=None)
            for _ in range(CHANNELS):
                try:
                    await connection.create_process(term_type="xterm", encoding=None)
                except asyncssh.ChannelOpenError:
                    refused += 1
            await until_open(process)
            assert len(server.consoles()) == 1

    asyncio.run(attack())
    assert refused == CHANNELS


async def test_no_variable_but_three_is_kept(server: SshServer) -> None:
    async with await enter(server) as connection:
        flood = {f"LC_{number}": "x" * 1000 for number in range(VARIABLES)}
        process = await connection.create_process(
            env=flood | {"GATEKEY_FILES": "", "TEXTUAL_LOG": "/tmp/planted", "LANG": "C.UTF-8"},
            term_type="xterm",
            encoding=None,
        )
        await until_open(process)
        process.stdin.write(b"\x11")
        assert (await process.wait()).returncode == 0


async def test_a_client_that_does_not_read_holds_nobody_up(server: SshServer) -> None:
    async with await enter(server) as connection:
        process = await connection.create_process(term_type="xterm", encoding=None)
        await process.stdout.read(1)
        process.channel.pause_reading()
        for _ in range(2000):
            process.stdin.write(b"\x1b[6;5~")  # the next tab, drawn each time
        with server.signed_in() as other:
            look_at_dialog(other)
            other.quit()


async def test_windows_of_any_size_are_survived(server: SshServer) -> None:
    async with await enter(server) as connection:
        process = await connection.create_process(term_type="xterm", term_size=(0, 0), encoding=None)
        await until_open(process)
        for size in ((2**32 - 1, 2**32 - 1), (1, 1), (0, 7), (1000, 500), (80, 24)):
            process.channel.change_terminal_size(*size)
        process.stdin.write(b"\x11")
        assert (await process.wait()).returncode == 0


def test_a_flood_of_passwords_is_cut_off(server: SshServer) -> None:
    async def attack() -> int:
        tried = 0

        class Guesser(Person):
            def kbdint_auth_requested(self) -> str | None:  # type: ignore[override]
                nonlocal tried
                tried += 1
                return "" if tried < 100 else None

        with contextlib.suppress(asyncssh.DisconnectError):
            await enter(server, lambda: Guesser("wrong horse"))
        return tried

    assert asyncio.run(attack()) < 20
    assert server.consoles() == []


def test_a_key_that_asks_for_weak_algorithms_finds_none(server: SshServer) -> None:
    weak = {
        "kex_algs": ["diffie-hellman-group14-sha1"],
        "encryption_algs": ["aes128-cbc"],
        "mac_algs": ["hmac-sha1"],
    }
    counter_mode = {"encryption_algs": ["aes256-ctr"]}  # the other ciphers have a MAC of their own

    async def attack(**chosen: list[str]) -> None:
        await asyncssh.connect("127.0.0.1", server.port, username=NAME, known_hosts=None, config=None, **chosen)

    with pytest.raises(asyncssh.PermissionDenied):  # the key exchange succeeds, and no key fits
        asyncio.run(attack(**counter_mode))
    for name, algorithms in weak.items():
        # The reset of the connection may overtake the message that tells why.
        with pytest.raises((asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost)):
            asyncio.run(attack(**(counter_mode | {name: algorithms})))
