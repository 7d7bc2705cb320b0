"""The console behind Debian's sshd, as README tells an administrator to set it up."""

import getpass
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests import parts
from tests.e2e.installed import GATEKEY, PATIENCE, Home, Installed

SEPARATION: Final = Path("/run/sshd")
"""Where sshd's unprivileged half lives (sshd(8), FILES); the service makes it, a test has to."""
PASSWORD: Final = "correct horse battery staple"
CONFIG: Final = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin forced-commands-only
Compression yes
AcceptEnv COLORTERM
"""


@dataclass(frozen=True)
class Door:
    """A running sshd, and the command line that comes in by it."""

    home: Home
    client: tuple[str | Path, ...]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """sshd on loopback with throw-away keys, whose one way in is bound to the console."""
    parts.need(parts.OPENSSH)
    if os.geteuid() == 0:
        SEPARATION.mkdir(mode=0o755, exist_ok=True)
    home = Home(tmp_path / "home")
    for name in ("host", "person"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    variables = " ".join(f"{name}={value}" for name, value in home.env.items())
    key = (tmp_path / "person.pub").read_text()
    (tmp_path / "authorized_keys").write_text(f'restrict,pty,command="env {variables} {GATEKEY}" {key}')
    options = (
        "SendEnv=COLORTERM",
        "Compression=yes",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "IdentitiesOnly=yes",
        "ControlPath=none",
        "LogLevel=ERROR",
    )
    with listening(tmp_path) as port:
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text()}")
        yield Door(
            home,
            (
                *("ssh", "-F", "none", "-i", tmp_path / "person", "-p", str(port)),
                *(word for option in options for word in ("-o", option)),
                *("-o", f"UserKnownHostsFile={tmp_path / 'known_hosts'}", f"{getpass.getuser()}@127.0.0.1"),
            ),
        )


@contextmanager
def listening(folder: Path) -> Iterator[int]:
    """sshd while it listens; gives its port. A port that somebody else took meanwhile is tried anew."""
    said: list[str] = []
    for _ in range(5):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        (folder / "sshd_config").write_text(CONFIG.format(folder=folder, port=port))
        command = [parts.find("sshd") or "sshd", "-D", "-e", "-f", str(folder / "sshd_config")]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as daemon:
            assert daemon.stderr is not None
            for line in daemon.stderr:
                said.append(line)
                if "Server listening on" in line:
                    try:
                        yield port
                    finally:
                        daemon.terminate()
                    return
    raise AssertionError("sshd did not start:\n" + "".join(said))


def test_the_console_opens_over_ssh_and_ends_with_it(door: Door) -> None:
    added = door.home.run("admin", "user", "add", "alice", "--email", "a@b.example", "--password-stdin", stdin=PASSWORD)
    assert added.returncode == 0, added.stderr
    with Installed([*door.client[:-1], "-tt", door.client[-1], "a-command-of-my-own"]) as terminal:
        terminal.enter("Username", "alice")
        terminal.enter("Password", PASSWORD, masked=True)
        terminal.until("only this one")
        terminal.press("s")
        terminal.until("Every place your account is signed in.")
        terminal.until("ssh 127.0.0.1 pts/")
        terminal.press("escape")
        terminal.until_gone("Every place your account is signed in.")
        terminal.resize(100, 30)
        terminal.until("Personal Center")
        terminal.press("ctrl+q")
        assert terminal.exit_code(PATIENCE) == 0
        assert terminal.left_on == ()


def test_over_ssh_without_a_terminal_there_is_a_sentence(door: Door) -> None:
    ran = subprocess.run([*door.client[:-1], "-T", door.client[-1]], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "The console needs a terminal" in ran.stderr
    assert "\x1b" not in ran.stderr
