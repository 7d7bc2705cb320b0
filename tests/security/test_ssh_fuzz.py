"""Thousands of malformed sessions: the server stays as it was, and a person at a console notices nothing."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncssh
import pytest

from tests.e2e.ssh_commands import KeyHolder
from tests.e2e.ssh_server import NAME, SshServer, look_at_dialog, ssh_server
from tests.harness.waiting import wait_until
from tests.security.ssh_abuse import Abuser

AT_ONCE: Final = 8
WARM_UP: Final = 100
"""Sessions after which the server has loaded whatever it loads late."""
GROWTH_KIB: Final = 8192
"""The growth that an allocator may show without a leak."""
KEPT_KIB: Final = 2
"""The growth that a session may add: garbage that is not collected yet, and gaps between what is in use. A connection
that is kept takes twenty times as much."""
BIG: Final = 40_000
"""Calls in a log whose export is many times as large as every buffer on the way."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path) as running:
        yield running


@pytest.fixture
def alice(server: SshServer, tmp_path: Path) -> KeyHolder:
    return KeyHolder(server, tmp_path)


def kib(pid: int, name: str = "RssAnon") -> int:
    """A figure of /proc/PID/status in kibibytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise AssertionError(f"there is no {name}")


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - a count


@pytest.mark.parametrize("sessions", [200, pytest.param(10_000, marks=pytest.mark.long)])
def test_malformed_sessions_leave_the_server_as_it_was(server: SshServer, alice: KeyHolder, sessions: int) -> None:
    abuser = Abuser(server.port, alice.key)
    with server.signed_in() as console:
        asyncio.run(abuser.run(range(WARM_UP), AT_ONCE))
        wait_until(lambda: len(server.consoles()) == 1 and server.sessions() == 1)
        front, zygote = server.process.pid, server.zygote
        before = (descriptors(front), descriptors(zygote), kib(front), kib(zygote))
        faults: list[BaseException] = []

        def abuse() -> None:
            try:
                asyncio.run(abuser.run(range(WARM_UP, WARM_UP + sessions), AT_ONCE))
            except BaseException as error:  # noqa: BLE001 - it is raised in the test's own thread
                faults.append(error)

        attack = threading.Thread(target=abuse)
        attack.start()
        answered = 0
        while attack.is_alive():
            look_at_dialog(console)
            answered += 1
        attack.join()
        assert not faults, faults
        assert answered
        wait_until(lambda: len(server.consoles()) == 1 and server.sessions() == 1)
        wait_until(lambda: (descriptors(front), descriptors(zygote)) == before[:2])
        after = (descriptors(front), descriptors(zygote), kib(front), kib(zygote))
        console.quit()
    print(f"{sessions} sessions {abuser.counts}; a console answered {answered} times; {before} -> {after}")
    assert after[2] - before[2] < GROWTH_KIB + KEPT_KIB * sessions
    assert after[3] - before[3] < GROWTH_KIB
    assert "Traceback" not in server.log.read_text()
    assert "ERROR" not in server.log.read_text()
    server.wait_until_empty()


def test_output_waits_for_a_client_that_reads_nothing(server: SshServer, alice: KeyHolder) -> None:
    """Also if the client has promised to take gigabytes: the window of a channel is its own word (RFC 4254, 5.2)."""
    alice.fill_log(BIG)
    front = server.process.pid
    before = kib(front)

    async def attack() -> tuple[int, int]:
        connection = await asyncssh.connect(
            "127.0.0.1", server.port, username=NAME, known_hosts=None, client_keys=[str(alice.key)], config=None
        )
        async with connection:
            process = await connection.create_process(
                "usage export --format json --output -", encoding=None, window=2**31, max_pktsize=2**15
            )
            transport = connection._transport
            assert transport is not None
            transport.pause_reading()
            await asyncio.to_thread(wait_until, server.consoles)
            (command,) = server.consoles()
            await asyncio.to_thread(wait_until, Waiting(command))
            held = kib(front) - before
            transport.resume_reading()
            size = 0
            while piece := await process.stdout.read(2**20):
                size += len(piece)
            assert (await process.wait()).returncode == 0
        return held, size

    held, size = asyncio.run(attack())
    print(f"{size / 2**20:.1f} MiB of output, {held / 1024:.1f} MiB held")
    assert size > 20 * 2**20
    assert held < GROWTH_KIB
    server.wait_until_empty()


class Waiting:
    """Whether a process has stopped working: it used no processor between many looks, or it has ended."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._used: list[str] = []
        self._looks = 0

    def __call__(self) -> bool:
        try:
            used = self._stat.read_text().rpartition(")")[2].split()[11:13]
        except FileNotFoundError:
            return True
        self._looks = self._looks + 1 if used == self._used and used != ["0", "0"] else 0
        self._used = used
        return self._looks > 100
