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

from store.values.sign_in import SignedIn
from tests import parts
from tests.e2e.installed import GATEKEY, PATIENCE, Home, Installed
from tests.harness.stores import PASSWORD
from tui.store_location import Options, open_account_store

SEPARATION: Final = Path("/run/sshd")
"""The folder of sshd's unprivileged process (sshd(8), FILES); the service creates it, a test has to."""
README: Final = (Path(__file__).parents[2] / "README.md").read_text()
README_PATH: Final = "/opt/gatekey/.venv/bin/gatekey"
BAIT: Final = "$(touch ~/ran)"
CONFIG: Final = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp /usr/lib/openssh/sftp-server
"""


@dataclass(frozen=True)
class SshServer:
    """A running sshd, and the command line that comes in by it."""

    home: Home
    client: tuple[str | Path, ...]


def of_readme(line: str, home: Home) -> str:
    """The line of README with the installed command in the place of its own, on the data of `home`."""
    (told,) = (each for each in README.splitlines() if line in each)
    variables = " ".join(f"{name}={value}" for name, value in home.env.items())
    return told.replace(README_PATH, f"env {variables} {GATEKEY}")


@pytest.fixture(params=["authorized_keys", "ForceCommand"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SshServer]:
    """sshd on loopback with throw-away keys, whose one way in is bound to the console as README says."""
    parts.need(parts.OPENSSH)
    if os.geteuid() == 0:
        SEPARATION.mkdir(mode=0o755, exist_ok=True)
    home = Home(tmp_path / "home")
    for name in ("host", "person"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    key = (tmp_path / "person.pub").read_text()
    if request.param == "authorized_keys":
        forced = "Compression yes\nAcceptEnv COLORTERM\n"
        key = of_readme('command="', home).replace("ssh-ed25519 AAAA... alice@laptop", key)
    else:
        start = README.index("Compression yes\n\nMatch User gatekey")
        block = README[start : README.index("```", start)].replace("User gatekey", f"User {getpass.getuser()}")
        line = of_readme("ForceCommand /", home)
        forced = "\n".join(line if "ForceCommand" in each else each for each in block.splitlines())
    (tmp_path / "authorized_keys").write_text(key)
    options = (
        "SendEnv=COLORTERM",
        "Compression=yes",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "IdentitiesOnly=yes",
        "ControlPath=none",
        "LogLevel=ERROR",
    )
    with listening(tmp_path, forced) as port:
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text()}")
        yield SshServer(
            home,
            (
                *("ssh", "-F", "none", "-i", tmp_path / "person", "-p", str(port)),
                *(word for option in options for word in ("-o", option)),
                *("-o", f"UserKnownHostsFile={tmp_path / 'known_hosts'}", f"{getpass.getuser()}@127.0.0.1"),
            ),
        )


@contextmanager
def listening(folder: Path, forced: str) -> Iterator[int]:
    """sshd while it listens; gives its port. A port that somebody else took meanwhile is tried anew."""
    said: list[str] = []
    for _ in range(5):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        (folder / "sshd_config").write_text(CONFIG.format(folder=folder, port=port) + forced)
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


def test_the_console_opens_over_ssh_and_ends_with_it(server: SshServer) -> None:
    server.home.add_account("alice")
    with Installed([*server.client[:-1], "-tt", server.client[-1], "a-command-of-my-own"]) as terminal:
        terminal.enter("Username", "alice")
        terminal.enter("Password", PASSWORD, masked=True)
        terminal.until("only this one")
        terminal.press("s")
        terminal.until("Every place where you are signed in.")
        terminal.until("ssh 127.0.0.1 pts/")
        terminal.press("escape")
        terminal.until_gone("Every place where you are signed in.")
        terminal.resize(100, 30)
        terminal.until("PERSONAL CENTER")
        terminal.press("ctrl+q")
        assert terminal.exit_code(PATIENCE) == 0
        assert terminal.left_on == ()


def files_below(folder: Path) -> set[Path]:
    """Every file but those of the database and sshd's own."""
    return {path for path in folder.rglob("*") if path.is_file() and path.parent.name != "data"}


def test_a_person_who_comes_in_over_ssh_writes_nothing_that_the_next_login_runs(
    server: SshServer, tmp_path: Path
) -> None:
    """The attack: a key named as a command, everything exported to `~/.bashrc`, and another login."""
    server.home.add_account("alice")
    with open_account_store(Options(), create=False, environ=server.home.env) as store:
        answer = store.sign_in.with_password("alice", PASSWORD, source="a test")
        assert isinstance(answer, SignedIn)
        store.api_keys.create(answer.token, BAIT)
    before = files_below(tmp_path)
    asked = ["gatekey", "--database", str(tmp_path / "another.sqlite3"), "--demo"]
    with Installed([*server.client[:-1], "-tt", server.client[-1], *asked], env={"COLORTERM": "truecolor"}) as terminal:
        terminal.enter("Username", "alice")
        terminal.enter("Password", PASSWORD, masked=True)
        terminal.until("Delete Account")
        terminal.press("x")
        terminal.until("Ensure all necessary data has been exported")
        terminal.until("Saving to a file is off here. Ask the administrator for your data.")
        assert "Export everything first" not in terminal.screen_text()
        terminal.press("escape")
        terminal.until_gone("Ensure all necessary data has been exported")
        terminal.press("ctrl+p")
        terminal.until("Change password Your other sessions are signed out")
        terminal.type("screenshot")
        terminal.until("No matches found")
        terminal.press("escape")
        terminal.until_gone("No matches found")
        terminal.quit()
    for words in (["-s", server.client[-1], "sftp"], [server.client[-1], "touch", str(tmp_path / "touched")]):
        ran = subprocess.run([*server.client[:-1], *words], capture_output=True, text=True, check=False, input="")
        assert (ran.returncode, ran.stdout) == (2, "")
    assert files_below(tmp_path) == before
    subprocess.run(["bash", "-i", "-c", "true"], env={"HOME": str(server.home.folder)}, check=True, capture_output=True)
    assert not (server.home.folder / "ran").exists()


def test_doctor_is_content_with_readme_and_with_nothing_less(server: SshServer, tmp_path: Path) -> None:
    config = tmp_path / "sshd_config"
    ran = server.home.run("doctor", "--sshd-config", str(config))
    assert "Every forced command that runs Gatekey has --no-files." in ran.stdout
    for file in (config, tmp_path / "authorized_keys"):
        file.write_text(file.read_text().replace(" --no-files", ""))
    ran = server.home.run("doctor", "--sshd-config", str(config))
    assert ran.returncode == 1
    assert "lacks --no-files" in ran.stdout


def test_over_ssh_without_a_terminal_there_is_a_sentence(server: SshServer) -> None:
    ran = subprocess.run([*server.client[:-1], "-T", server.client[-1]], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "The console needs a terminal" in ran.stderr
    assert "\x1b" not in ran.stderr
