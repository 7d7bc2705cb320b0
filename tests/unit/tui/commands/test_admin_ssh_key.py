"""`gatekey admin ssh-key`: keys are added from a file or a pipe, listed by their fingerprints, and removed."""

import json
import os
from pathlib import Path

import pytest

from tests.harness.command_line import Shell, me
from tests.harness.ssh_keys import fingerprint, public_key
from tui.store_location import Options, open_account_store

PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n-----END OPENSSH PRIVATE KEY-----\n"


def events(name: str) -> list[tuple[str, str, str]]:
    with open_account_store(Options(), create=False) as store, store.database.read() as tx:
        page = store.audit.page(tx, store.accounts.find(name).id)
    return [(event.tag, event.actor, event.source) for event in page]


def test_a_key_is_added_listed_and_removed(shell: Shell, tmp_path: Path) -> None:
    shell.add()
    file = tmp_path / "id_ed25519.pub"
    file.write_text(public_key(1, "alice@laptop") + "\n")
    ran = shell.run("admin", "ssh-key", "add", "ALICE", str(file))
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == f"Added the SSH key alice@laptop (ssh-ed25519, {fingerprint(1)}) to alice.\n"
    assert shell.run("admin", "ssh-key", "add", "alice", "--label", "phone", stdin=public_key(2) + "\r\n").status == 0
    assert shell.run("admin", "ssh-key", "add", "alice", "-", stdin=public_key(3, "desk")).status == 0
    rows = [line.split() for line in shell.run("admin", "ssh-key", "list", "alice").out.splitlines()]
    assert rows[0] == ["NO", "NAME", "ALGORITHM", "FINGERPRINT", "ADDED", "LAST", "USED", "FROM"]
    assert [(row[0], row[1], row[3], row[5]) for row in rows[1:]] == [
        (str(number), name, fingerprint(number), "never")
        for number, name in ((1, "alice@laptop"), (2, "phone"), (3, "desk"))
    ]
    ran = shell.run("admin", "ssh-key", "remove", "alice", "2", "--yes")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "Removed the SSH key phone of alice. Every session of the account has ended.\n"
    shown = json.loads(shell.run("admin", "ssh-key", "list", "alice", "--json").out)
    assert [(one["number"], one["fingerprint"], one["last_used_at"], one["last_used_from"]) for one in shown] == [
        (1, fingerprint(1), None, None),
        (3, fingerprint(3), None, None),
    ]
    assert events("alice")[0] == ("ssh-key:removed", me(), "command line")
    assert [tag for tag, _, _ in events("alice")][1:4] == ["ssh-key:added"] * 3


def test_the_removal_asks(shell: Shell) -> None:
    shell.add()
    shell.run("admin", "ssh-key", "add", "alice", stdin=public_key(1, "laptop"))
    before = shell.fingerprint()
    ran = shell.run("admin", "ssh-key", "remove", "alice", "1", stdin="no\n", terminal=True)
    assert ran.status == 1
    assert f"Remove the SSH key laptop ({fingerprint(1)}) of alice?" in ran.err
    assert "Nothing was changed." in ran.err
    assert shell.run("admin", "ssh-key", "remove", "alice", "1").status == 2, "nobody can be asked in a pipe"
    ran = shell.run("admin", "ssh-key", "remove", "alice", "7", "--yes")
    assert ran.status == 1
    assert "alice has no SSH key 7" in ran.err
    assert shell.fingerprint() == before


def test_a_person_at_a_terminal_pastes_the_key(shell: Shell) -> None:
    shell.add()
    ran = shell.run("admin", "ssh-key", "add", "alice", stdin=public_key(1, "laptop") + "\n", terminal=True)
    assert ran.status == 0
    assert ran.err.startswith("Public key: ")


@pytest.mark.parametrize("content", [b"", b"hello", PRIVATE.encode(), b"\xff\xfe\0", b"ssh-dss AAAA", b"A" * 20_000])
def test_what_is_no_public_key_is_refused_and_not_repeated(shell: Shell, tmp_path: Path, content: bytes) -> None:
    shell.add()
    before = shell.fingerprint()
    file = tmp_path / "key"
    file.write_bytes(content)
    for ran in (
        shell.run("admin", "ssh-key", "add", "alice", "--label", "x", stdin=content),
        shell.run("admin", "ssh-key", "add", "alice", str(file), "--label", "x"),
    ):
        assert (ran.status, ran.out) == (1, "")
        assert "b3Blbn" not in ran.err
        assert "Traceback" not in ran.err
    assert shell.fingerprint() == before


def test_a_file_that_cannot_be_read_is_a_sentence(shell: Shell, tmp_path: Path) -> None:
    shell.add()
    before = shell.fingerprint()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in ("missing.pub", "pipe", "loop", ".", "a\x1b[2J", "x" * 5000):
        ran = shell.run("admin", "ssh-key", "add", "alice", str(tmp_path / path), "--label", "x")
        assert (ran.status, ran.out) == (1, ""), path
        assert "\x1b" not in ran.err
    ran = shell.run("admin", "ssh-key", "add", "alice", "~nobody-at-all/key.pub")
    assert ran.status == 1
    assert "could not be read" in ran.err
    assert shell.fingerprint() == before


def test_without_files_only_the_pipe_is_read(shell: Shell, tmp_path: Path) -> None:
    shell.add()
    file = tmp_path / "id_ed25519.pub"
    file.write_text(public_key(1, "laptop"))
    for path in (file, tmp_path / "missing"):
        ran = shell.run("--no-files", "admin", "ssh-key", "add", "alice", str(path))
        assert ran.status == 1
        assert "Send the key on standard input." in ran.err
    ran = shell.run("--no-files", "admin", "ssh-key", "add", "alice", stdin=file.read_text())
    assert ran.status == 0


def test_an_account_that_does_not_exist_is_told(shell: Shell) -> None:
    shell.add()
    for wrong in (("list", "bob"), ("remove", "bob", "1", "--yes"), ("add", "bob")):
        ran = shell.run("admin", "ssh-key", *wrong, stdin=public_key(1, "laptop"))
        assert ran.status == 1
        assert "There is no account of that name." in ran.err
