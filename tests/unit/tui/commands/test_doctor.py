"""Doctor: what is wrong is found, said in one line with what to do, and nothing is changed."""

import json
import os
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import sqlite_file
from store.key_file import DRAFT_PREFIX
from store.restore_folder import PREFIX, working_folder
from tests.harness.command_line import Shell
from tests.harness.stores import make_ring
from tui.commands import doctor_site, doctor_terminal
from tui.commands.findings import Level
from tui.keymap import ConsoleConfig


def doctor(shell: Shell, *more: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The status, and what was found by subject."""
    ran = shell.run("doctor", "--json", *more)
    found = json.loads(ran.out)
    assert ran.err == ""
    return ran.status, {finding["subject"]: finding for finding in found}


def test_all_is_well(shell: Shell) -> None:
    shell.add()
    before = shell.fingerprint()
    status, found = doctor(shell)
    assert status == 0
    assert [subject for subject, finding in found.items() if finding["level"] == "fail"] == []
    for subject in (
        "database",
        "files",
        "folder",
        "access",
        "key file",
        "integrity",
        "schema",
        "writes",
        "key fits",
        "clock",
    ):
        assert found[subject]["level"] == "ok"
    assert shell.fingerprint() == before


def test_a_full_disk_and_another_programs_lock_are_found(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    monkeypatch.setattr("store.health.PROBE_TIMEOUT_S", 0.0)
    with closing(sqlite3.connect(shell.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, found = doctor(shell)
        assert (status, found["writes"]["level"]) == (1, "fail")
        assert "busy" in found["writes"]["sentence"]
    monkeypatch.setattr("store.health.MIN_FREE_BYTES", 2**62)
    status, found = doctor(shell)
    assert (status, found["writes"]["level"]) == (1, "fail")
    assert "disk is full" in found["writes"]["sentence"]


def test_a_line_each_with_a_word_a_sentence_and_a_fix(shell: Shell) -> None:
    shell.add()
    shell.database.chmod(0o644)
    ran = shell.run("doctor")
    assert ran.status == 1
    for line in ran.out.splitlines():
        assert line.split()[0] in ("ok", "warn", "fail")
        assert line.rstrip().endswith((".", "--help"))
    (broken,) = (line for line in ran.out.splitlines() if line.split()[1] == "files")
    assert broken.startswith("fail")
    assert "chmod 600" in broken


def test_before_the_first_run_nothing_is_made_and_nothing_fails(shell: Shell) -> None:
    status, found = doctor(shell)
    assert status == 0
    assert found["database"]["level"] == "warn"
    assert "Run gatekey once" in found["database"]["fix"]
    assert not shell.database.exists()
    assert not shell.key_file.exists()


def _open_log(shell: Shell) -> None:
    log = Path(f"{shell.database}-wal")
    log.touch()
    log.chmod(0o644)


@pytest.mark.parametrize(
    ("subject", "spoil"),
    [
        ("files", lambda shell: shell.database.chmod(0o604)),
        ("files", _open_log),
        ("folder", lambda shell: shell.folder.chmod(0o750)),
        ("key file", lambda shell: shell.key_file.chmod(0o640)),
        ("key file", lambda shell: shell.key_file.unlink()),
        ("key file", lambda shell: shell.key_file.write_text("nonsense")),
        ("key fits", lambda shell: shell.key_file.write_text("gatekey-key 1 " + "A" * 43 + "=\n")),
        ("contents", lambda shell: shell.database.write_bytes(b"something else" * 100)),
    ],
)
def test_what_is_wrong_fails(shell: Shell, subject: str, spoil: Callable[[Shell], object]) -> None:
    shell.add()
    spoil(shell)
    status, found = doctor(shell)
    assert status == 1
    assert found[subject]["level"] == "fail"
    assert found[subject]["fix"]


def test_an_unreadable_address_fails(shell: Shell) -> None:
    status, found = doctor(shell, "--database", "mysql://db/x")
    assert status == 1
    assert found["database"]["level"] == "fail"


def test_a_password_in_the_address_is_not_shown(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEKEY_DATABASE", "postgresql://alice:hunter2@127.0.0.1:1/gatekey")
    ran = shell.run("doctor")
    assert ran.status == 1
    assert "hunter2" not in ran.out + ran.err


def test_an_old_schema_fails_and_names_the_way(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    monkeypatch.setattr("store.schema.schema_revision", lambda: "9999")
    status, found = doctor(shell)
    assert status == 1
    assert "gatekey admin upgrade" in found["schema"]["fix"]


def test_a_network_file_system_fails(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell.add()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/export {shell.folder} nfs4 rw 0 0\n")
    monkeypatch.setattr(sqlite_file, "_MOUNTS", mounts)
    status, found = doctor(shell)
    assert status == 1
    assert found["file system"]["level"] == "fail"


def test_a_foreign_owner_is_a_warning(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert doctor(shell)[1]["owner"]["level"] == "warn"


def test_a_key_beside_the_database_is_a_warning(shell: Shell) -> None:
    shell.add()
    beside = shell.folder / "key"
    shutil.move(shell.key_file, beside)
    status, found = doctor(shell, "--key-file", str(beside))
    assert status == 0
    assert found["key place"]["level"] == "warn"


def test_a_key_from_the_environment_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    monkeypatch.delenv("GATEKEY_KEY_FILE")
    monkeypatch.setenv("GATEKEY_KEY", shell.key_file.read_text())
    status, found = doctor(shell)
    assert status == 0
    assert "GATEKEY_KEY" in found["key file"]["sentence"]
    assert found["key fits"]["level"] == "ok"


NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_clock_that_jumped_back_fails() -> None:
    assert doctor_site.clock(None, NOW).level is Level.OK
    assert doctor_site.clock(NOW, NOW).level is Level.OK
    assert doctor_site.clock(NOW + timedelta(minutes=1), NOW).level is Level.OK
    behind = doctor_site.clock(NOW + timedelta(hours=3), NOW)
    assert behind.level is Level.FAIL
    assert "3:00:00" in behind.sentence


def test_the_clock_is_compared_with_the_newest_act(shell: Shell) -> None:
    import sqlite3
    from contextlib import closing

    shell.add()
    with closing(sqlite3.connect(shell.database)) as connection:
        connection.execute("UPDATE audit_events SET at = replace(at, substr(at, 1, 4), '2199')")
        connection.commit()
    status, found = doctor(shell)
    assert status == 1
    assert found["clock"]["level"] == "fail"


@pytest.mark.parametrize(
    ("answer", "level"), [("yes\n", Level.OK), ("no\n", Level.WARN), ("", Level.WARN), (None, Level.WARN)]
)
def test_the_time_service(monkeypatch: pytest.MonkeyPatch, answer: str | None, level: Level) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/timedatectl")

    def run(*_: object, **__: object) -> "subprocess.CompletedProcess[str]":
        if answer is None:
            raise subprocess.TimeoutExpired("timedatectl", 5)
        return subprocess.CompletedProcess((), 0, answer, "")

    monkeypatch.setattr(subprocess, "run", run)
    assert doctor_site.synchronised().level is level
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert doctor_site.synchronised().level is Level.WARN


def test_passkeys_without_a_place_fail_only_when_enabled(shell: Shell) -> None:
    shell.add()
    assert doctor(shell)[1]["passkeys"]["level"] == "ok"
    shell.run("admin", "site", "set", "passkeys.enabled", "true")
    status, found = doctor(shell)
    assert status == 1
    assert found["passkeys"]["level"] == "fail"
    shell.run("admin", "site", "set", "passkeys.rp_id", "localhost")
    shell.run("admin", "site", "set", "passkeys.origin", "http://localhost:8787")
    status, found = doctor(shell)
    assert status == 0
    assert "localhost" in found["passkeys"]["sentence"]
    shell.run("admin", "site", "set", "public_url", "https://gateway.example.com")
    status, found = doctor(shell)
    assert status == 1
    assert "public_url" in found["passkeys"]["sentence"]


def test_mail(shell: Shell) -> None:
    shell.add()
    assert doctor(shell)[1]["e-mail"]["level"] == "warn"
    shell.run("settings", "--user", "alice", "set", "notifications.email_on", "off")
    assert doctor(shell)[1]["e-mail"]["level"] == "ok"
    shell.run("admin", "site", "set", "smtp.host", "mail.example.com")
    status, found = doctor(shell)
    assert (status, found["e-mail"]["level"]) == (1, "fail")
    shell.run("admin", "site", "set", "smtp.sender", "gatekey@example.com")
    status, found = doctor(shell)
    assert (status, found["e-mail"]["level"]) == (0, "ok")


def test_an_allowed_address_that_cannot_be_read_is_named(shell: Shell) -> None:
    shell.add()
    shell.run("admin", "site", "set", "channels.private_network_allow", "10.1.0.5:8443,10.1.0.6:8443")
    assert "messages" not in doctor(shell)[1]
    # No value that was checked when it was set: from an older release, or from another hand.
    with closing(sqlite3.connect(shell.database)) as connection, connection:
        connection.execute("UPDATE site_settings SET value = replace(value, '10.1.0.6:', '10.1.0.6/')")
    found = doctor(shell)[1]["messages"]
    assert found["level"] == "warn"
    assert "10.1.0.6/8443 is not host:port" in found["sentence"]
    assert "10.1.0.5" not in found["sentence"]


def test_a_terminal_that_cannot_show_the_console_fails(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    monkeypatch.setenv("TERM", "dumb")
    ran = shell.run("doctor", terminal=True)
    assert ran.status == 1
    assert "TERM=dumb" in ran.out
    monkeypatch.setenv("TERM", "xterm-256color")
    assert shell.run("doctor", terminal=True).status == 0
    assert doctor(shell)[1]["terminal"]["level"] == "warn"


def test_colours() -> None:
    colours = doctor_terminal.colours
    assert colours({"TERM": "xterm"}).level is Level.WARN
    assert "256" in colours({"TERM": "screen-256color"}).sentence
    assert "True" in colours({"TERM": "xterm", "COLORTERM": "truecolor"}).sentence
    assert "NO_COLOR" in colours({"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}).sentence


def test_other_viewers_of_a_shared_terminal_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_terminal, "shared_session_banner", lambda _: "Others see what you see.")
    found = {
        finding.subject: finding for finding in doctor_terminal.examine({"TERM": "xterm", "TMUX": "x"}, ConsoleConfig())
    }
    assert found["tmux"].level is Level.WARN
    assert "tmux buffer" in found["clipboard"].sentence


def test_a_folder_above_that_others_may_write_to_fails(shell: Shell, tmp_path: Path) -> None:
    shell.add()
    for folder in (shell.key_file.parent, tmp_path):
        folder.chmod(0o777)
        status, found = doctor(shell)
        assert status == 1
        assert found["parents"]["level"] == "fail"
        assert f"chmod go-w {folder}" in found["parents"]["fix"]
        folder.chmod(0o700)
    assert doctor(shell)[1]["parents"]["level"] == "ok"


def test_what_a_killed_restore_left_beside_the_database_is_named(shell: Shell) -> None:
    shell.add()
    left = shell.database.parent / f"{PREFIX}killed"
    left.mkdir(mode=0o700)
    found = doctor(shell)[1]["restore"]
    assert (found["level"], str(left) in found["sentence"], f"rm -r {left}." in found["fix"]) == ("warn", True, True)
    shell.database.unlink()
    assert doctor(shell)[1]["restore"]["level"] == "warn"
    left.rmdir()
    with working_folder(left.parent):
        assert "restore" not in doctor(shell)[1]


def test_a_draft_of_the_key_file_is_named_where_the_key_fits(shell: Shell) -> None:
    shell.add()
    assert "key draft" not in doctor(shell)[1]
    draft, key = shell.key_file.with_name(f"{DRAFT_PREFIX}x1"), shell.key_file.read_bytes()
    draft.touch(0o600)
    found = doctor(shell)[1]["key draft"]
    assert (found["level"], found["fix"]) == ("warn", f"Run: rm {draft}")
    shell.key_file.write_bytes(make_ring(99).serialise().encode())
    assert "key draft" not in doctor(shell)[1], "it may be the only copy"
    shell.key_file.write_bytes(key)


def test_a_price_whose_cached_input_is_dearer_is_named_with_the_command_that_mends_it(shell: Shell) -> None:
    shell.add()
    shell.run("admin", "price", "set", "gpt 5", "--input", "1", "--cached-input", "0.5", "--output", "2")
    assert doctor(shell)[1]["prices"]["level"] == "ok"
    # No price that can be set today: from an older release.
    with closing(sqlite3.connect(shell.database)) as connection, connection:
        connection.execute("UPDATE prices SET cached_input_micro_usd_per_million = 3000000, max_output_tokens = 9")
    found = doctor(shell)[1]["prices"]
    assert found["level"] == "warn"
    assert "gpt 5 costs $3.00" in found["sentence"]
    command = found["fix"].partition(": gatekey ")[2]
    assert shell.run(*shlex.split(command)).status == 0
    assert doctor(shell)[1]["prices"]["level"] == "ok"
    (price,) = json.loads(shell.run("admin", "price", "list", "--json").out)
    assert (price["cached_input_usd_per_million_tokens"], price["output_usd_per_million_tokens"]) == ("1.00", "2.00")
    assert price["max_output_tokens"] == 9


def test_what_is_wrong_in_the_persons_own_file_is_told(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    shell.add()
    status, found = doctor(shell)
    assert (status, found["keys.toml"]["level"]) == (0, "ok")
    path = tmp_path / "gatekey" / "keys.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text('[keys]\n"tab.save" = "f9"\n')
    status, found = doctor(shell)
    assert (status, found["keys.toml"]["level"]) == (0, "ok")
    path.write_text('[keys]\n"tab.sve" = "f9"\n')
    status, found = doctor(shell)
    assert (status, found["keys.toml"]["level"]) == (1, "fail")
    assert found["keys.toml"]["sentence"] == f"{path}: line 2: 'tab.sve' is not a key id; did you mean 'tab.save'?"


@pytest.mark.parametrize(
    ("environ", "config", "sentence"),
    [
        ({}, ConsoleConfig(), "Times are in UTC."),
        ({"TZ": "Asia/Tokyo"}, ConsoleConfig(), "Times are in Asia/Tokyo."),
        ({"TZ": ":Asia/Tokyo"}, ConsoleConfig(timezone="Europe/Berlin"), "Times are in Europe/Berlin."),
        ({"TZ": "Asia/Tokio"}, ConsoleConfig(), "TZ: 'Asia/Tokio' is not a time zone; did you mean 'Asia/Tokyo'?"),
        ({"TZ": "CET-1CEST"}, ConsoleConfig(), "TZ: 'CET-1CEST' is not a time zone"),
    ],
)
def test_the_time_zone_is_told(environ: dict[str, str], config: ConsoleConfig, sentence: str) -> None:
    assert sentence in doctor_terminal.zone(environ, config).sentence


def test_a_terminal_without_box_characters_and_a_mouse_that_is_off_are_told() -> None:
    assert "UTF-8" in doctor_terminal.characters({"LANG": "C.UTF-8"}, "utf-8").sentence
    plain = doctor_terminal.characters({"LC_ALL": "C"}, "utf-8")
    assert (plain.level, plain.sentence.partition(":")[0]) == (Level.WARN, "The terminal is set to ASCII")
    assert doctor_terminal.mouse(ConsoleConfig(mouse=False)).sentence.startswith("Off, as keys.toml says")
