"""Fifty people at once: each of them is drawn a console, and each of their keys is answered."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import asyncssh
import pytest

from tests.e2e.ssh_commands import KeyHolder
from tests.e2e.ssh_server import NAME, SshServer, ssh_server
from tests.harness.waiting import PATIENCE

PEOPLE: Final = 50
TURNS: Final = 4
_CONTROL: Final = re.compile(rb"\x1b\[[0-9;:?<>=]*[ -/]*[@-~]")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path) as first:
        roomy = first.home.run("admin", "site", "set", "ssh.connections_per_client", str(PEOPLE))
        assert roomy.returncode == 0, roomy.stderr
        first.__exit__()
        with SshServer(first.home) as running:
            yield running


class Person:
    """A client that reads its screen as plain text."""

    def __init__(self, process: "asyncssh.SSHClientProcess[bytes]") -> None:
        self._process = process
        self.slowest_ms = 0.0

    async def see(self, text: bytes) -> None:
        """Wait until `text` is drawn."""
        drawn = b""
        async with asyncio.timeout(PATIENCE):
            while text not in _CONTROL.sub(b"", drawn):
                piece = await self._process.stdout.read(65_536)
                assert piece, drawn
                drawn += piece

    async def press(self, key: bytes, answer: bytes) -> None:
        begun = perf_counter()
        self._process.stdin.write(key)
        await self.see(answer)
        self.slowest_ms = max(self.slowest_ms, (perf_counter() - begun) * 1e3)


@pytest.mark.long
def test_every_key_of_fifty_people_is_answered(server: SshServer, tmp_path: Path) -> None:
    alice = KeyHolder(server, tmp_path)

    async def come(stack: AsyncExitStack) -> Person:
        connection = await stack.enter_async_context(
            asyncssh.connect(
                "127.0.0.1",
                server.port,
                username=NAME,
                known_hosts=None,
                client_keys=[str(alice.key)],
                config=None,
                login_timeout=PATIENCE,
            )
        )
        process: Any = await connection.create_process(term_type="xterm-256color", term_size=(80, 24), encoding=None)
        person = Person(process)
        await person.see(b"all that is stored, one file")
        return person

    async def use(person: Person) -> None:
        for _ in range(TURNS):
            await person.press(b"p", b"Original password")
            await person.press(b"\x1b", b"Danger zone")

    async def crowd() -> list[Person]:
        async with AsyncExitStack() as stack:
            people = await asyncio.gather(*(come(stack) for _ in range(PEOPLE)))
            assert len(server.consoles()) == PEOPLE
            assert server.sessions() == PEOPLE
            await asyncio.gather(*(use(person) for person in people))
        return people

    begun = perf_counter()
    people = asyncio.run(crowd())
    slowest = sorted(person.slowest_ms for person in people)
    print(
        f"{PEOPLE} people, {perf_counter() - begun:.1f} s; slowest key {slowest[-1]:.0f} ms, half {slowest[25]:.0f} ms"
    )
    server.wait_until_empty()
