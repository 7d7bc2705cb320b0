"""`gatekey backup` and `gatekey restore`."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from store import backup
from store.errors import DatabaseFull
from tests.harness.command_line import Shell, Standard
from tui.commands import streams


def names(shell: Shell) -> list[str]:
    return [account["name"] for account in json.loads(shell.run("admin", "user", "list", "--json").out)]


def test_a_backup_is_private_and_restored_only_when_said(shell: Shell, tmp_path: Path) -> None:
    shell.add("alice")
    file = tmp_path / "backup"
    ran = shell.run("backup", str(file))
    assert (ran.status, ran.out) == (0, f"{file}\n")
    assert "Copied 1 account," in ran.err
    assert file.stat().st_mode & 0o777 == 0o600
    assert shell.run("backup", str(file)).status == 1, "there is a file already"
    shell.add("bob")
    before = shell.fingerprint()
    refused = shell.run("restore", str(file))
    assert refused.status == 1
    assert "--replace" in refused.err
    assert shell.fingerprint() == before
    done = shell.run("restore", str(file), "--replace")
    assert done.status == 0, done.err
    assert names(shell) == ["alice"]
    kept = Path(done.out.strip())
    assert kept.parent == shell.folder
    assert kept.stat().st_mode & 0o777 == 0o600
    assert shell.run("--database", str(kept), "admin", "user", "list").out.count("@example.com") == 2
    (newest, *_) = json.loads(shell.run("admin", "activity", "--json").out)
    assert newest["what"] == "database:restored"
    assert shell.run("admin", "verify-audit").status == 0


def test_a_new_machine_takes_the_key_from_the_backup(shell: Shell, tmp_path: Path) -> None:
    shell.add("alice")
    without, with_key = tmp_path / "without", tmp_path / "with"
    assert shell.run("backup", str(without)).status == 0
    ran = shell.run("backup", str(with_key), "--with-key")
    assert "whoever has this file has everything" in ran.err
    key = shell.key_file.read_text()
    new = ("--database", str(tmp_path / "new" / "db"), "--key-file", str(tmp_path / "keys" / "key"))
    refused = shell.run(*new, "restore", str(without))
    assert refused.status == 1
    assert "has no key in it" in refused.err
    assert not (tmp_path / "new").exists()
    done = shell.run(*new, "restore", str(with_key))
    assert done.status == 0, done.err
    assert (tmp_path / "keys" / "key").read_text() == key
    assert (tmp_path / "keys" / "key").stat().st_mode & 0o777 == 0o600
    assert "alice@example.com" in shell.run(*new, "admin", "user", "list").out


def test_a_refused_backup_leaves_no_file(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add("alice")

    def full(*_: object, **__: object) -> None:
        raise DatabaseFull

    monkeypatch.setattr(backup, "write", full)
    assert shell.run("backup", str(tmp_path / "backup")).status == 1
    assert "--no-files" in shell.run("--no-files", "backup", str(tmp_path / "backup")).err
    assert shell.run("backup", str(tmp_path / ".profile")).status == 1
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_a_file_that_is_no_backup_is_refused_with_a_sentence(shell: Shell, tmp_path: Path) -> None:
    shell.add("alice")
    before = shell.fingerprint()
    (tmp_path / "diary").write_text("Dear diary, this is longer than the header of a database. " * 4)
    for file in ("diary", "nowhere"):
        ran = shell.run("restore", str(tmp_path / file), "--replace")
        assert ran.status == 1
        assert ran.err.startswith("gatekey: This backup cannot be restored. ")
    assert shell.fingerprint() == before


def test_a_path_is_its_bytes_for_a_program_and_harmless_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / os.fsdecode(b"red \x1b[31m\xff")
    for terminal, line in ((False, os.fsencode(path)), (True, f"{tmp_path}/red \ufffd[31m\ufffd".encode())):
        out = Standard(terminal=terminal)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            streams.print_data("before")
            streams.print_path(path)
        assert isinstance(out.buffer, io.BytesIO)
        assert out.buffer.getvalue() == b"before\n" + line + b"\n"
