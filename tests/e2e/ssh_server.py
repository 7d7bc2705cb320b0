"""`gatekey ssh` as an installed command, and OpenSSH's client in a terminal of its own."""

import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from store.store import Store
from store.values.sign_in import SignedIn
from tests import parts
from tests.e2e.installed import GATEKEY, Home, Installed, step_now
from tests.fakes.authenticator_app import code
from tests.harness.stores import PASSWORD
from tests.harness.waiting import wait_until
from tui.store_location import Options, open_account_store

NAME: Final = "alice"
OPEN: Final = "all that is stored, one file"
"""A text of the Security tab: the console is open."""
_ANSWERS: Final = re.compile(r"answers SSH on (\S+) port (\d+)")


class SshServer:
    """A running server on a free port of the loopback, with one account."""

    def __init__(self, home: Home, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self.home = home
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **home.env, **(env or {})}
        self.log = home.folder / "ssh.log"
        self.config = home.folder / "client_config"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(GATEKEY), "ssh", "--port", "0", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_for_answers()
        except BaseException:
            self.__exit__()
            raise

    def _wait_for_answers(self) -> None:
        """Wait for the port, and write a configuration for clients that knows it and the host key."""
        wait_until(lambda: _ANSWERS.search(self.log.read_text()) or self.process.poll() is not None)
        answers = _ANSWERS.search(self.log.read_text())
        assert answers is not None, self.log.read_text()
        self.port = int(answers[2])
        scanned = subprocess.run(
            ["ssh-keyscan", "-t", "ed25519", "-p", str(self.port), "127.0.0.1"],
            capture_output=True,
            text=True,
            check=True,
        )
        (self.home.folder / "known_hosts").write_text(scanned.stdout)
        self.config.write_text(
            f"Host *\n  Port {self.port}\n  UserKnownHostsFile {self.home.folder}/known_hosts\n"
            "  StrictHostKeyChecking yes\n  IdentityFile none\n  IdentityAgent none\n"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def zygote(self) -> int:
        """Its process id."""
        (pid,) = children(self.process.pid)
        return pid

    def consoles(self) -> list[int]:
        """The process ids of the consoles."""
        return children(self.zygote)

    def sessions(self) -> int:
        """The sessions in the list of all accounts."""
        with closing(sqlite3.connect(self.home.database)) as database:
            count: int = database.execute("SELECT count(*) FROM sessions").fetchone()[0]
            return count

    def command(self, name: str = NAME, *options: str) -> list[str]:
        """The command line of a client; `options` stand before the host."""
        return ["ssh", "-F", str(self.config), *options, f"{name}@127.0.0.1"]

    def client(self, name: str = NAME, *options: str, **terminal: Any) -> Installed:
        """A client in a terminal."""
        return Installed(self.command(name, *options), env={"HOME": str(self.home.folder)}, **terminal)

    def signed_in(self, name: str = NAME, *options: str, **terminal: Any) -> Installed:
        """A client that has given the password of `name`, and shows the console."""
        with ExitStack() as stack:
            client = stack.enter_context(self.client(name, *options, **terminal))
            client.until("Password")
            client.type(f"{PASSWORD}\r")
            client.until(OPEN)
            stack.pop_all()
        return client

    def open_store(self) -> Store:
        """The store of the server, opened by another process."""
        return open_account_store(Options(str(self.home.database), self.home.config / "key"), create=False)

    def wait_until_empty(self) -> None:
        """Wait until no console and no session is left."""
        wait_until(lambda: not self.consoles() and not self.sessions())


def children(pid: int) -> list[int]:
    """The process ids of the children of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def ssh_server(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[SshServer]:
    """A server with an account, which is killed at the end."""
    parts.need(parts.OPENSSH)
    home = Home(folder / "home")
    home.add_account(NAME)
    with SshServer(home, *arguments, env=env) as server:
        yield server


def enrol(server: SshServer) -> str:
    """Switch two-factor authentication on; returns its secret."""
    with server.open_store() as store:
        answer = store.sign_in.with_password(NAME, PASSWORD, source="test")
        assert isinstance(answer, SignedIn)
        enrolment = store.two_factor.begin(answer.token)
        store.two_factor.confirm_saved(answer.token, enrolment.codes[0])
        store.two_factor.complete(answer.token, code(enrolment.secret, step_now() - 1))
        store.sessions.end(answer.token)
    return enrolment.secret


def open_dialog(client: Installed) -> None:
    client.press("p")
    client.until("Original password")


def close_dialog(client: Installed) -> None:
    client.press("escape")
    client.until_gone("Original password")


def look_at_dialog(client: Installed) -> None:
    """Open a dialog and close it: the console answers its keys."""
    open_dialog(client)
    close_dialog(client)


def make_key(folder: Path, name: str, *kind: str) -> Path:
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", *(kind or ("-t", "ed25519")), "-N", "", "-C", name, "-f", str(path)], check=True
    )
    return path


def register(server: SshServer, key: Path, name: str = NAME) -> str:
    """Register the key; returns its fingerprint."""
    public = key.with_suffix(".pub").read_text()
    finished = server.home.run("admin", "ssh-key", "add", name, stdin=public)
    assert finished.returncode == 0, finished.stderr
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], capture_output=True, text=True, check=True)
    return shown.stdout.split()[1]
