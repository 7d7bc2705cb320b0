"""However a session over SSH ends, no process and no session is left, and no other one is disturbed."""

import os
import re
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.installed import PATIENCE, Installed
from tests.e2e.ssh_server import OPEN, SshServer, children, look_at_dialog, open_dialog
from tests.harness.stores import PASSWORD
from tests.harness.waiting import wait_until

PHASES: Final = ("connection", "question", "check", "sign-in screen", "opening", "dialog")
"""The acts during which a client goes."""
WARM_UP_TURNS: Final = 20
MOST_GROWTH_KIB: Final = 6 * 1024
"""Of the server's own memory in the turns after those. A session that is not freed has 1 MiB and more."""


def is_alive(pid: int) -> bool:
    """True if a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def memory_kib(server: SshServer) -> int:
    """The memory of the server's own two processes, without what they share, in KiB (proc(5), RssAnon)."""
    server.wait_until_empty()
    pids = (server.process.pid, *children(server.process.pid))
    states = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return sum(int(re.findall(r"RssAnon:\s+(\d+)", state)[0]) for state in states)


def kill(client: Installed) -> None:
    client.send_signal(signal.SIGKILL)
    client.exit_code(PATIENCE)


def go_at(server: SshServer, phase: str) -> None:
    """Connect, and be killed at that phase."""
    if phase == "connection":
        socket.create_connection(("127.0.0.1", server.port)).close()
        return
    with server.client() as client:
        client.until("Password")
        match phase:
            case "check":
                client.type(f"{PASSWORD}\r")
            case "sign-in screen":
                client.press("enter")
                client.until("Sign in enter")
            case "opening":
                client.type(f"{PASSWORD}\r")
                client.wait_for(lambda terminal: b"\x1b[?1049h" in terminal.raw)
            case "dialog":
                client.type(f"{PASSWORD}\r")
                client.until(OPEN)
                open_dialog(client)
        kill(client)


@pytest.mark.parametrize("turns", [2, pytest.param(100, marks=pytest.mark.long)])
@pytest.mark.parametrize("phase", PHASES)
def test_a_client_that_goes_leaves_nothing(server: SshServer, phase: str, turns: int) -> None:
    settled = 0
    for turn in range(turns):
        go_at(server, phase)
        if turn == WARM_UP_TURNS:
            settled = memory_kib(server)
    server.wait_until_empty()
    assert len(children(server.process.pid)) == 1, "the zygote alone is left"
    if turns > WARM_UP_TURNS:
        # The hash of a password that was under way takes its memory with it when it ends.
        wait_until(lambda: memory_kib(server) - settled < MOST_GROWTH_KIB)
        grown = memory_kib(server) - settled
        print(f"{phase}: {turns} turns, 0 orphans, 0 ghosts, {grown:+,} KiB of {settled:,} since turn {WARM_UP_TURNS}")
    with server.signed_in() as client:
        client.quit()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_server_that_stops_gives_every_terminal_back(server: SshServer, number: signal.Signals) -> None:
    zygote = server.zygote
    with server.signed_in() as first, server.client() as second, server.client() as third:
        second.until("Password")
        second.press("enter")
        second.until("Sign in enter")
        third.until("Password")
        consoles = server.consoles()
        assert len(consoles) == 2
        server.process.send_signal(number)
        for client in (first, second):
            assert client.exit_code(PATIENCE) == 128 + signal.SIGHUP
            assert client.left_on == ()
            assert b"The server has ended this session." in client.after()
        assert server.process.wait(PATIENCE) == 0, "nor does a person who still types a password hold it up"
    assert not any(map(is_alive, [zygote, *consoles]))
    assert server.sessions() == 0


def test_a_killed_console_disturbs_no_other(server: SshServer) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(server.signed_in()) for _ in range(3)]
        assert server.sessions() == 3
        os.kill(server.consoles()[0], signal.SIGKILL)
        assert clients[0].exit_code(PATIENCE) == 255
        assert clients[0].left_on == ()
        assert "This console ended unexpectedly" in clients[0].words()
        wait_until(lambda: server.sessions() == 2)
        for client in clients[1:]:
            look_at_dialog(client)
            client.quit()
    server.wait_until_empty()


def test_a_console_that_hangs_is_killed(server: SshServer) -> None:
    with server.signed_in() as client:
        (console,) = server.consoles()
        os.kill(console, signal.SIGSTOP)
        kill(client)
        wait_until(lambda: not is_alive(console))
    server.wait_until_empty()


def test_without_its_zygote_the_server_ends_and_says_so(server: SshServer) -> None:
    with server.signed_in() as client:
        consoles = server.consoles()
        os.kill(server.zygote, signal.SIGKILL)
        client.exit_code(PATIENCE)
        assert client.left_on == ()
    assert server.process.wait(PATIENCE) == 1
    wait_until(lambda: not any(map(is_alive, consoles)))
    assert server.sessions() == 0
    assert "no session can be opened" in server.log.read_text()


def test_a_killed_server_leaves_nothing(server: SshServer) -> None:
    with server.signed_in() as client:
        pids = [server.zygote, *server.consoles()]
        server.process.kill()
        server.process.wait()
        client.exit_code(PATIENCE)
        wait_until(lambda: not any(map(is_alive, pids)))
    assert server.sessions() == 0


def test_the_consoles_share_no_memory_that_one_can_write(server: SshServer) -> None:
    """Nor a descriptor: what one console has open is no other's."""
    with server.signed_in(), server.signed_in():
        first, second = server.consoles()
        for pid in (first, second):
            shared = [line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if " rw-s " in line]
            assert all("db-shm" in line or "sqlite3-shm" in line for line in shared), shared
        files = [
            {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
            for pid in (first, second)
        ]
        common = {name for name in files[0] & files[1] if name.startswith(("socket:", "pipe:", "/dev/pts"))}
        assert common == set()


def test_a_stranger_name_is_no_argument(server: SshServer) -> None:
    """A value from a client is never a word of a command line, nor a variable at the start of a process."""
    with server.client("zz-planted-name") as client:
        client.until("Password")
        client.press("enter")
        client.until("Sign in enter")
        for pid in [server.process.pid, server.zygote, *server.consoles()]:
            for kind in ("cmdline", "environ"):
                assert b"zz-planted-name" not in Path(f"/proc/{pid}/{kind}").read_bytes()
        client.quit()
