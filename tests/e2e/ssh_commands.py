"""Command lines over SSH, with a key that is registered to the account."""

import subprocess
from pathlib import Path
from typing import Final

from tests.e2e.installed import PATIENCE, Installed
from tests.e2e.ssh_server import NAME, SshServer

BATCH: Final = ("-o", "BatchMode=yes")


class KeyHolder:
    """A person at another machine whose key opens the account."""

    def __init__(self, server: SshServer, folder: Path, name: str = NAME) -> None:
        self.server = server
        self.key = make_key(folder, f"key of {name}")
        added = server.home.run("admin", "ssh-key", "add", name, stdin=self.key.with_suffix(".pub").read_text())
        assert added.returncode == 0, added.stderr

    def command(self, *words: str, options: tuple[str, ...] = BATCH) -> list[str]:
        return [*self.server.command(NAME, "-i", str(self.key), *options), *words]

    def run(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run one command without a terminal. The words are joined with spaces, as ssh(1) does."""
        return subprocess.run(
            self.command(*words),
            input=stdin,
            capture_output=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.server.home.folder)},
            timeout=PATIENCE,
            check=False,
        )

    def terminal(self, *words: str) -> Installed:
        """Run one command on a terminal (ssh -t)."""
        return Installed(self.command(*words, options=("-tt",)), env={"HOME": str(self.server.home.folder)})


def make_key(folder: Path, name: str) -> Path:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
    return path
