"""`gatekey admin rekey`."""

import pytest

from store import rekey
from tests.harness.command_line import Shell


def test_the_key_file_has_a_new_key_and_everything_opens(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rekey, "WRITER_GRACE_S", 0)
    shell.add("alice")
    assert shell.run("admin", "site", "set", "upstream.api_key", "--value-stdin", stdin="sk-planted").status == 0
    before = shell.key_file.read_text()
    ran = shell.run("admin", "rekey")
    assert ran.status == 0, ran.err
    assert "Key 1 stays in" in ran.err
    assert "Sealed 1 secret and 2 chains of the audit log under key 2." in ran.err
    after = shell.key_file.read_text()
    assert after.startswith("gatekey-key 2 ")
    assert len(after.splitlines()) == 1
    assert shell.key_file.stat().st_mode & 0o777 == 0o600
    assert not [path for path in shell.key_file.parent.iterdir() if path != shell.key_file]
    assert shell.run("admin", "verify-audit").status == 0
    assert "planted" not in before + after + ran.err + ran.out
    assert shell.run("doctor").out.count("The key belongs to this database.") == 1


def test_a_key_of_the_environment_is_not_replaced(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add("alice")
    monkeypatch.setenv("GATEKEY_KEY", shell.key_file.read_text())
    monkeypatch.delenv("GATEKEY_KEY_FILE")
    ran = shell.run("admin", "rekey")
    assert ran.status == 1
    assert "GATEKEY_KEY" in ran.err


def test_one_that_was_stopped_is_told_and_goes_on(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rekey, "WRITER_GRACE_S", 0)
    shell.add("alice")
    with monkeypatch.context() as patch:
        patch.setattr(rekey, "_finish", lambda *_: False)
        stopped = shell.run("admin", "rekey")
    assert stopped.status == 1
    assert "Run this again" in stopped.err
    assert len(shell.key_file.read_text().splitlines()) == 2
    told = shell.run("doctor").out
    assert "a change of keys was stopped before its end. Run: gatekey admin rekey" in told
    assert shell.run("admin", "user", "list").status == 0
    assert shell.run("admin", "rekey").status == 0
    assert "change of keys" not in shell.run("doctor").out
