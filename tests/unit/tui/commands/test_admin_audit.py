"""`gatekey admin verify-audit` and `gatekey admin activity`."""

import json
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.harness.command_line import Shell, me
from tui.commands import admin_audit


def lines(shell: Shell, *more: str) -> list[str]:
    return shell.run("admin", "verify-audit", *more).out.splitlines()


def test_a_chain_set_back_is_named(shell: Shell) -> None:
    shell.add("alice", "--quota", "5")
    shell.run("admin", "quota", "alice", "+1")
    with closing(sqlite3.connect(shell.database)) as connection:
        connection.execute("DELETE FROM audit_events WHERE sequence = 2")
        connection.execute(
            "UPDATE audit_heads SET sequence = 1, mac = (SELECT mac FROM audit_events WHERE sequence = 1)"
        )
        connection.commit()
    ran = shell.run("admin", "verify-audit")
    assert ran.status == 1
    assert ran.out.splitlines()[0] == "alice  fail: event 2 does not fit"
    assert ran.out.splitlines()[1] == "the site  ok"


def test_a_checkpoint_tells_of_a_database_set_back(shell: Shell, tmp_path: Path) -> None:
    shell.add("alice", "--quota", "5")
    checkpoint, copy = tmp_path / "checkpoint", tmp_path / "copy"
    shutil.copyfile(shell.database, copy)
    assert shell.run("admin", "site", "set", "smtp.port", "25").status == 0
    ran = shell.run("admin", "verify-audit", "--checkpoint", str(checkpoint))
    assert ran.status == 0
    assert checkpoint.stat().st_mode & 0o777 == 0o600
    first = checkpoint.read_text()
    assert shell.run("admin", "quota", "alice", "+1").status == 0
    assert lines(shell, "--checkpoint", str(checkpoint))[-1].endswith("  ok")
    second = checkpoint.read_text()
    assert second != first

    shutil.copyfile(copy, shell.database)
    for side in ("-wal", "-shm"):
        Path(f"{shell.database}{side}").unlink(missing_ok=True)
    assert lines(shell) == ["alice  ok", "the site  ok", "all together  ok"]
    back = shell.run("admin", "verify-audit", "--checkpoint", str(checkpoint))
    assert back.status == 1
    assert "the database was set back" in back.out
    assert checkpoint.read_text() == second, "what was found stays to be found"


def test_what_is_no_checkpoint_is_never_written_over(shell: Shell, tmp_path: Path) -> None:
    shell.add()
    diary = tmp_path / "diary"
    diary.write_text("Dear diary")
    ran = shell.run("admin", "verify-audit", "--checkpoint", str(diary))
    assert ran.status == 1
    assert "not a checkpoint" in ran.err
    assert diary.read_text() == "Dear diary"
    refused = shell.run("admin", "verify-audit", "--checkpoint", str(tmp_path / "no" / "folder"))
    assert refused.status == 1
    assert "is not a folder that you can save to" in refused.err
    hidden = shell.run("admin", "verify-audit", "--checkpoint", str(tmp_path / ".profile"))
    assert "begins with a dot" in hidden.err
    assert "--no-files" in shell.run("--no-files", "admin", "verify-audit", "--checkpoint", str(diary)).err
    assert shell.run("admin", "verify-audit", "--checkpoint", str(tmp_path)).status == 1
    assert shell.run("admin", "verify-audit", "alice", "--checkpoint", str(diary)).status == 2


def test_a_checkpoint_goes_to_the_systems_log(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    monkeypatch.setattr(admin_audit, "_SYSLOG_SOCKET", tmp_path / "log")
    refused = shell.run("admin", "verify-audit", "--syslog")
    assert refused.status == 1
    assert "does not take messages" in refused.err
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        log.settimeout(30)
        assert shell.run("admin", "verify-audit", "--syslog").status == 0
        message = log.recv(4096).decode()
    assert message.startswith("<85>gatekey: audit checkpoint at ")
    assert " 1 events, 1 accounts, " in message


def test_activity_lists_acts_on_the_site(shell: Shell) -> None:
    shell.add("alice")
    assert shell.run("admin", "site", "set", "smtp.port", "25").status == 0
    assert shell.run("admin", "price", "set", "some-model", "--input", "1", "--output", "2").status == 0
    assert shell.run("admin", "user", "unlock", "alice").status == 0
    ran = shell.run("admin", "activity")
    assert ran.status == 0
    assert [line.split()[3] for line in ran.out.splitlines()[1:]] == ["account:unlocked", "price:set", "site:changed"]
    assert me() in ran.out
    (newest, *_) = json.loads(shell.run("admin", "activity", "--json").out)
    assert (newest["number"], newest["what"], newest["actor"]) == (3, "account:unlocked", me())
    (older,) = json.loads(shell.run("admin", "activity", "--json", "--before", "3", "--limit", "1").out)
    assert older["detail"]["model"] == "some-model"


def test_a_deletion_is_told_and_takes_its_rows_off_the_disk(shell: Shell) -> None:
    shell.add("alice")
    shell.add("bob")
    ran = shell.run("admin", "user", "delete", "bob", "--yes", "--vacuum")
    assert ran.status == 0, ran.err
    assert "vacuum" not in ran.err
    assert shell.run("admin", "vacuum").status == 0
    (newest,) = json.loads(shell.run("admin", "activity", "--json").out)
    assert (newest["what"], newest["actor"]) == ("account:deleted", me())
    assert "bob" not in json.dumps(newest)
    assert lines(shell) == ["alice  ok", "the site  ok", "all together  ok"]
