"""Command lines over SSH, with a key that is registered to the account."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from store.values.usage import Kind, UsageEntry
from tests.e2e.installed import PATIENCE, Installed
from tests.e2e.ssh_server import NAME, SshServer, make_key, register

BATCH: Final = ("-o", "BatchMode=yes")


class KeyHolder:
    """A person at another machine whose key opens the account."""

    def __init__(self, server: SshServer, folder: Path, name: str = NAME) -> None:
        self.server = server
        self.key = make_key(folder, f"key of {name}")
        register(server, self.key, name)

    def fill_log(self, rows: int) -> None:
        """Log calls of the account, one a second, with text that is no ASCII."""
        now = datetime.now(UTC)
        calls = [
            (
                now - timedelta(seconds=rows - number),
                UsageEntry(Kind.CONSUMPTION, "größe", detail=f"{number} ✓ " * 20),
            )
            for number in range(rows)
        ]
        with self.server.open_store() as store, store.database.write() as tx:
            store.usage.append_past(tx, store.accounts.find(NAME).id, calls)

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
