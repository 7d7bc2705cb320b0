"""`gatekey server`, and the commands that act on an account there."""

import json
from pathlib import Path

import pytest

from tests.harness.command_line import Shell
from tests.new_api.running import PASSWORD, StandIn


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config-home"))
    return Shell(tmp_path, monkeypatch)


def added(shell: Shell, standin: StandIn, *more: str) -> None:
    ran = shell.run("server", "add", standin.address, "--name", "alice", *more, stdin=f"{PASSWORD}\n")
    assert ran.status == 0, ran.err


def written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_server_is_added_listed_used_and_removed(shell: Shell, standin: StandIn, tmp_path: Path) -> None:
    added(shell, standin)
    listed = json.loads(shell.run("server", "list", "--json").out)
    entry = {
        "url": standin.address,
        "name": "alice",
        "default": True,
        "session": "kept",
        "session_kept": True,
    }
    assert listed == {"servers": [entry]}
    assert shell.run("server", "use", standin.address).status == 0
    kept = written(tmp_path / "config-home")
    assert kept
    assert PASSWORD.encode() not in kept
    assert b"refresh_cookie" not in kept, "the session is sealed"
    ran = shell.run("server", "remove", standin.address)
    assert (ran.status, json.loads(shell.run("server", "list", "--json").out)) == (0, {"servers": []})
    assert not list((tmp_path / "config-home").rglob("*.session"))


def test_a_session_that_has_ended_is_listed_as_that(shell: Shell, standin: StandIn, tmp_path: Path) -> None:
    """Its file stays, because the fields of a channel that the server forgot are in it."""
    added(shell, standin)
    ran = shell.run("settings", "show", "--server", standin.address)
    assert ran.status == 0, ran.err
    standin.world.cookies.clear()
    for session in standin.world.sessions.values():
        session.is_ended = True
    ran = shell.run("settings", "show", "--server", standin.address)
    assert ran.status != 0
    assert list((tmp_path / "config-home").rglob("*.session"))
    (listed,) = json.loads(shell.run("server", "list", "--json").out)["servers"]
    assert (listed["session"], listed["session_kept"]) == ("session ended", False)
    assert "session ended" in shell.run("server", "list").out
    added(shell, standin)
    (listed,) = json.loads(shell.run("server", "list", "--json").out)["servers"]
    assert (listed["session"], listed["session_kept"]) == ("kept", True)
    assert shell.run("settings", "show", "--server", standin.address).status == 0


def test_an_ended_session_is_forgotten_with_its_server(shell: Shell, standin: StandIn, tmp_path: Path) -> None:
    added(shell, standin)
    assert shell.run("settings", "show", "--server", standin.address).status == 0
    standin.world.cookies.clear()
    for session in standin.world.sessions.values():
        session.is_ended = True
    shell.run("settings", "show", "--server", standin.address)
    ran = shell.run("server", "remove", standin.address)
    assert ran.status == 0, ran.err
    assert not list((tmp_path / "config-home").rglob("*.session"))


def test_a_session_without_its_key_cannot_be_opened(shell: Shell, standin: StandIn) -> None:
    added(shell, standin)
    shell.key_file.unlink()
    (listed,) = json.loads(shell.run("server", "list", "--json").out)["servers"]
    assert (listed["session"], listed["session_kept"]) == ("cannot be opened", False)


def test_a_wrong_password_adds_nothing(shell: Shell, standin: StandIn, tmp_path: Path) -> None:
    ran = shell.run("server", "add", standin.address, "--name", "alice", stdin="Wr0ng-word\n")
    assert ran.status == 1
    assert "Traceback" not in ran.err
    assert not list((tmp_path / "config-home").rglob("*.session"))
    assert json.loads(shell.run("server", "list", "--json").out) == {"servers": []}


def test_with_memory_only_no_session_is_kept(shell: Shell, standin: StandIn, tmp_path: Path) -> None:
    added(shell, standin, "--memory-only")
    assert not list((tmp_path / "config-home").rglob("*.session"))
    ran = shell.run("settings", "show", "--server", standin.address)
    assert ran.status == 1
    assert "gatekey server add" in ran.err


def test_plain_http_to_another_machine_is_refused_unless_one_insists(shell: Shell) -> None:
    ran = shell.run("server", "add", "http://api.example.com", "--name", "alice", stdin="x\n")
    assert ran.status == 1
    assert "--insecure-http" in ran.err
    ran = shell.run("settings", "show", "--server", "http://api.example.com")
    assert ran.status == 1
    assert "--insecure-http" in ran.err


def test_the_settings_are_shown_and_changed_with_the_same_words(shell: Shell, standin: StandIn) -> None:
    added(shell, standin)
    ran = shell.run("settings", "show", "--json", "--server", "default")
    assert ran.status == 0, ran.err
    shown = json.loads(ran.out)
    assert shown["user"] == "alice"
    assert shown["price"] == {"accept_unpriced_models": False}
    ran = shell.run("settings", "--server", standin.address, "set", "price.accept_unpriced_models", "on")
    assert ran.status == 0, ran.err
    assert (standin.alice.setting or {})["accept_unset_model_ratio_model"] is True
    ran = shell.run("settings", "show", "--server", standin.address)
    assert "price.accept_unpriced_models = true" in ran.out
    assert "bark_encryption_key" not in ran.out


def test_a_command_that_knows_no_server_says_so(shell: Shell) -> None:
    ran = shell.run("backup", "here", "--server", "https://api.example.com")
    assert ran.status == 2
    assert "--server opens the console" in ran.err


def test_the_balance_is_shown_in_dollars(shell: Shell, standin: StandIn) -> None:
    added(shell, standin)
    ran = shell.run("wallet", "--server", standin.address, "show", "--json")
    assert ran.status == 0, ran.err
    assert json.loads(ran.out) == {"user": "alice", "remaining_usd": "5.00", "held_usd": "0.00", "used_usd": "0.00"}
    ran = shell.run("wallet", "--server", standin.address, "show", "--user", "alice")
    assert ran.status == 2
    assert "leave out --user" in ran.err


def test_what_only_a_database_has_is_refused_before_anything_is_sent(shell: Shell, standin: StandIn) -> None:
    ran = shell.run("settings", "confirm-email", "--server", standin.address)
    assert ran.status == 2
    assert "or goes with: settings show" in ran.err
