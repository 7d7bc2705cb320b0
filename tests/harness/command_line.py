"""The command line, run in this process: what it said, where, and with which status."""

import hashlib
import io
import os
import pwd
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from screens.entry import main
from store import store as store_module
from store.values.sign_in import SignedIn
from tests.harness.drawers import PLACE
from tests.harness.stores import PASSWORD, cheap_hasher
from tui.ssh_command import run_command
from tui.store_location import Options, open_account_store


@dataclass(frozen=True)
class Ran:
    """A command's exit status and output."""

    status: int
    out: str
    err: str


class Standard(io.TextIOWrapper):
    """A standard stream over bytes that may call itself a terminal."""

    def __init__(self, content: bytes = b"", *, terminal: bool = False) -> None:
        self._terminal = terminal
        super().__init__(io.BytesIO(content), encoding="utf-8", newline="", write_through=True)

    def isatty(self) -> bool:
        return self._terminal

    def written(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


@cache
def _made_once() -> tuple[bytes, bytes]:
    """An empty database and its key, as a first run makes them: migrations take longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        options = Options(f"{folder}/data/db", Path(folder, "key"))
        with open_account_store(options, create=True) as store:
            store.database.checkpoint()
        return Path(folder, "data", "db").read_bytes(), Path(folder, "key").read_bytes()


class Shell:
    """Runs `gatekey` on a database of its own below `folder`, with hashing at the lowest cost."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.folder = folder / "data"
        self.database = self.folder / "gatekey.sqlite3"
        self.key_file = folder / "config" / "key"
        patch.setenv("GATEKEY_DATABASE", str(self.database))
        patch.setenv("GATEKEY_KEY_FILE", str(self.key_file))
        patch.setattr(store_module, "Hasher", cheap_hasher)

    def run(self, *arguments: str, stdin: str | bytes = b"", terminal: bool = False) -> Ran:
        """Run one command; `terminal` makes all three streams claim to be one."""
        return self._ran(
            lambda: main(arguments), stdin.encode() if isinstance(stdin, str) else stdin, terminal=terminal
        )

    def over_ssh(self, answer: SignedIn | None, line: str, stdin: bytes = b"") -> Ran:
        """Run one command line of a person who has signed in over SSH."""
        options = Options(str(self.database), self.key_file)
        return self._ran(lambda: run_command(options, answer, line, lambda _: None, PLACE), stdin)

    def _ran(self, run: Callable[[], int], content: bytes, *, terminal: bool = False) -> Ran:
        out, err = Standard(terminal=terminal), Standard(terminal=terminal)
        with self._patch.context() as patch:
            patch.setattr(sys, "stdin", Standard(content, terminal=terminal))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            try:
                status = run()
            except SystemExit as ended:
                status = ended.code if isinstance(ended.code, int) else 1
        return Ran(status, out.written(), err.written())

    def add(self, name: str = "alice", *more: str) -> None:
        """An account; on the first call with a database and a key, copied from ones made before."""
        if not self.database.exists():
            for path, content in zip((self.database, self.key_file), _made_once(), strict=True):
                path.parent.mkdir(mode=0o700)
                path.touch(0o600)
                path.write_bytes(content)
        added = self.run(
            "admin", "user", "add", name, "--email", f"{name}@example.com", "--password-stdin", *more, stdin=PASSWORD
        )
        assert added.status == 0, added.err

    def fingerprint(self) -> str:
        """A hash of every row of every table."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def me() -> str:
    return f"unix:{pwd.getpwuid(os.getuid()).pw_name}"
