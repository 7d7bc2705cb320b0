"""The console that the zygote has prepared belongs to nobody; each person gets one of their own."""

import os
import re
import signal
import subprocess
import sys
from base64 import b64decode
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.installed import PATIENCE, Installed
from tests.e2e.ssh_commands import KeyHolder
from tests.e2e.ssh_server import NAME, OPEN, SshServer, children, make_key
from tests.harness.waiting import wait_until

MOUSE_ON: Final = b"\x1b[?1003h"
STRANGE_NAME: Final = "zoe-k7xq"
LABEL: Final = b"Account Binding"
ROOT: Final = Path(__file__).parents[2]
FAULTY: Final = """
import sys
from screens.console import Console
from screens.entry import main

def compose(self):
    raise RuntimeError("a fault")
    yield

Console.compose = compose
sys.exit(main())
"""
"""The command, but its console cannot be composed."""
_AREA: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw")


def come(alice: KeyHolder, name: str = NAME, *options: str, **terminal: object) -> Installed:
    """A client with the key, whose console is open."""
    with ExitStack() as stack:
        client = stack.enter_context(alice.server.client(name, "-i", str(alice.key), *options, **terminal))
        client.until(OPEN)
        stack.pop_all()
    return client


def holds(pid: int, text: bytes) -> bool:
    """True if a text is in the memory that a process may write."""
    areas = [match.groups() for match in map(_AREA.match, Path(f"/proc/{pid}/maps").read_text().splitlines()) if match]
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for begin, end in ((int(begin, 16), int(end, 16)) for begin, end in areas):
            memory.seek(begin)
            # Some areas of the kernel cannot be read.
            with suppress(OSError):
                if text in memory.read(end - begin):
                    return True
    return False


def open_files(pid: int) -> set[str]:
    return {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}


def test_the_zygote_holds_nothing_of_anybody(server: SshServer, tmp_path: Path) -> None:
    server.home.add_account(STRANGE_NAME)
    zoe, zygote = KeyHolder(server, tmp_path, STRANGE_NAME), server.zygote
    before = open_files(zygote)
    assert not [name for name in before if name.startswith(str(server.home.folder)) and name != str(server.log)]
    assert list(Path(f"/proc/{zygote}/task").iterdir()) == [Path(f"/proc/{zygote}/task/{zygote}")], "it forks"
    with come(zoe, STRANGE_NAME) as client:
        (console,) = server.consoles()
        key = b64decode((server.home.config / "key").read_text().split()[-1])
        for secret in (STRANGE_NAME.encode(), key):
            assert not holds(zygote, secret)
            assert holds(console, secret), "the search finds what is there"
        client.quit()
    server.wait_until_empty()
    wait_until(lambda: open_files(zygote) == before)


def test_one_after_another_and_five_at_once(server: SshServer, alice: KeyHolder) -> None:
    zygote, before = server.zygote, open_files(server.zygote)
    for _ in range(20):
        with come(alice) as client:
            client.quit()
    server.wait_until_empty()
    with ExitStack() as stack:
        clients = [stack.enter_context(server.client(NAME, "-i", str(alice.key))) for _ in range(5)]
        for client in clients:
            client.until(OPEN)
        assert len(server.consoles()) == server.sessions() == 5
        for client in clients:
            client.quit()
    server.wait_until_empty()
    assert children(server.process.pid) == [zygote]
    wait_until(lambda: open_files(zygote) == before)


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (132, 43), (200, 60)])
def test_the_first_frame_has_the_size_of_the_terminal(alice: KeyHolder, columns: int, lines: int) -> None:
    with come(alice, columns=columns, lines=lines) as client:
        assert "Quit" in client.screen_text().splitlines()[lines - 1]
        assert client.raw.count(LABEL) == 1, "nothing was drawn for another size before"
        client.quit()


def test_a_stranger_sees_nothing_of_the_console_that_was_prepared(server: SshServer, tmp_path: Path) -> None:
    key = make_key(tmp_path, "stranger")
    for columns, lines in ((80, 24), (132, 43), (60, 20)):
        with server.client(NAME, "-i", str(key), columns=columns, lines=lines) as client:
            client.until("Sign in enter")
            assert "Quit" in client.screen_text().splitlines()[lines - 1]
            assert LABEL not in client.raw
            client.quit()


def test_settings_that_were_changed_count_for_whoever_comes_next(server: SshServer, alice: KeyHolder) -> None:
    with come(alice) as client:
        assert MOUSE_ON in client.raw
        (server.home.config / "keys.toml").write_text("[console]\nmouse = false\n")
        with come(alice) as other:
            assert MOUSE_ON not in other.raw
            other.quit()
        client.quit()


def test_colours_and_character_set_are_those_of_each_terminal(alice: KeyHolder) -> None:
    sends = ("-o", "SendEnv=COLORTERM")
    with ExitStack() as stack:
        many = stack.enter_context(come(alice, NAME, *sends, colorterm="truecolor"))
        few = stack.enter_context(come(alice, NAME, *sends, term="xterm", colorterm=""))
        plain = stack.enter_context(come(alice, NAME, "-o", "SetEnv=LANG=C", colorterm=""))
        assert b"38;2;" in many.raw
        assert b"38;2;" not in few.raw
        assert b"38;5;" not in few.raw
        assert plain.raw.isascii()
        assert not many.raw.isascii()
        for client in (many, few, plain):
            client.quit()


def test_a_server_that_stops_before_anybody_came_leaves_no_process(server: SshServer) -> None:
    zygote = server.zygote
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    wait_until(lambda: not Path(f"/proc/{zygote}").exists())


def test_a_console_that_cannot_be_prepared_stops_the_server_with_a_sentence(server: SshServer) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", FAULTY, "ssh", "--port", "0"],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **server.home.env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == 1
    assert "The process that holds the console could not start." in finished.stderr
    assert "Gatekey stopped because of a fault of its own" in finished.stderr
    assert "Traceback" not in finished.stderr
