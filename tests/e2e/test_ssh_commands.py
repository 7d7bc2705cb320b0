"""`ssh host COMMAND`: the command line of the account itself, through OpenSSH's client."""

import json
import os
import shlex
import signal
import subprocess
from pathlib import Path
from typing import Final

import pytest

from store.audit_tags import Tag
from tests.e2e.installed import PATIENCE, Installed, step_now
from tests.e2e.ssh_commands import KeyHolder
from tests.e2e.ssh_server import NAME, SshServer, enrol, make_key
from tests.fakes.authenticator_app import code
from tests.harness.stores import PASSWORD
from tests.harness.waiting import wait_until

ROWS: Final = 5000
NEW_PASSWORD: Final = "another horse battery staple"
BAIT: Final = "sk-planted"
USAGE: Final = 2
"""The exit status of a wrong command line."""


def test_the_settings_are_shown_as_they_are_locally(server: SshServer, alice: KeyHolder) -> None:
    ran = alice.run("settings", "show", "--json")
    local = server.home.run("settings", "--user", NAME, "show", "--json")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == b""
    assert ran.stdout.decode() == local.stdout
    assert json.loads(ran.stdout)["user"] == NAME


def test_an_export_arrives_whole(server: SshServer, alice: KeyHolder, tmp_path: Path) -> None:
    alice.fill_log(ROWS)
    for form in ("csv", "json"):
        ran = alice.run("usage", "export", "--format", form, "--output", "-")
        path = tmp_path / f"local.{form}"
        local = server.home.run("usage", "--user", NAME, "export", "--output", str(path))
        assert (ran.returncode, local.returncode) == (0, 0), ran.stderr
        is_same = ran.stdout == path.read_bytes()
        assert is_same, "too long to be compared by pytest"
        assert ran.stdout.count(b"\n") > ROWS
    with server.open_store() as store, store.database.read() as tx:
        events = store.audit.page(tx, store.accounts.find(NAME).id, limit=100)
    exports = [event for event in events if event.tag == Tag.USAGE_EXPORTED]
    assert {(event.actor == NAME, event.source) for event in exports} == {
        (True, "ssh 127.0.0.1"),
        (False, "command line"),
    }


def test_a_password_is_changed_by_the_lines_of_standard_input(alice: KeyHolder) -> None:
    lines = f"{PASSWORD}\n{NEW_PASSWORD}\n{NEW_PASSWORD}\n".encode()
    ran = alice.run("account", "password", stdin=lines)
    assert ran.returncode == 0, ran.stderr
    assert b"The password is changed." in ran.stderr
    assert ran.stdout == b""
    again = alice.run("account", "password", stdin=lines)
    assert again.returncode == 1
    assert b"The password does not match the current one." in again.stderr


def test_a_secret_of_any_size_is_read_to_its_end(alice: KeyHolder) -> None:
    secret = "whsec_" + "QUJD" * 12
    ran = alice.run("settings", "set", "notifications.webhook_secret", "--value-stdin", stdin=secret.encode())
    assert ran.returncode == 0, ran.stderr
    too_long = alice.run("settings", "set", "notifications.webhook_secret", "--value-stdin", stdin=b"x" * 1_000_000)
    assert too_long.returncode == 1
    assert b"is longer than" in too_long.stderr
    argued = alice.run("settings", "set", "notifications.webhook_secret", secret)
    assert argued.returncode == 1


def test_a_terminal_is_asked_and_does_not_show_a_secret(alice: KeyHolder) -> None:
    with alice.terminal("account", "password") as terminal:
        for question, answer in (
            ("Current password:", PASSWORD),
            ("New password:", NEW_PASSWORD),
            ("New password again:", NEW_PASSWORD),
        ):
            terminal.until(question)
            terminal.type(f"{answer}\r")
        terminal.until("The password is changed.")
        assert terminal.exit_code(PATIENCE) == 0
        assert PASSWORD not in terminal.screen_text()


def test_control_c_ends_a_question_and_the_session(server: SshServer, alice: KeyHolder) -> None:
    with alice.terminal("account", "delete") as terminal:
        terminal.until("Type the name of the account")
        assert server.sessions() == 1
        terminal.press("ctrl+c")
        assert terminal.exit_code(PATIENCE) == 130
        assert "Traceback" not in terminal.screen_text()


def test_nothing_stops_a_command_that_no_shell_would_continue(alice: KeyHolder) -> None:
    with alice.terminal("account", "delete") as terminal:
        terminal.until("Type the name of the account")
        terminal.press("ctrl+z")
        terminal.wait_for("^Z")
        terminal.press("ctrl+c")
        assert terminal.exit_code(15) == 130


def test_the_code_comes_before_everything_else(server: SshServer, alice: KeyHolder) -> None:
    secret = enrol(server)
    refused = alice.run("settings", "show")
    assert refused.returncode == 1
    assert b"alice has two-factor authentication." in refused.stderr
    assert refused.stdout == b""
    wrong = alice.run("settings", "show", stdin=b"000000\n")
    assert wrong.returncode == 1
    assert b"The code is wrong." in wrong.stderr
    right = alice.run("settings", "show", stdin=f"{code(secret, step_now())}\n".encode())
    assert right.returncode == 0, right.stderr
    assert b"notifications.threshold" in right.stdout
    with alice.terminal("wallet", "show") as terminal:
        terminal.until("or a backup code:")
        terminal.type("000000\r")
        terminal.until(lambda _: terminal.words().count("or a backup code:") == 2)
        assert "The code is wrong." in terminal.words()
        terminal.type(f"{code(secret, step_now() + 1)}\r")
        terminal.until("balance")
        assert terminal.exit_code(PATIENCE) == 0


def test_a_password_instead_of_a_key(server: SshServer) -> None:
    command = [*server.command(NAME), "wallet", "show", "--json"]
    with Installed(command, env={"HOME": str(server.home.folder)}) as client:
        client.wait_for("Password")
        client.type(f"{PASSWORD}\r")
        assert client.exit_code(PATIENCE) == 0
        assert '"remaining_usd": "0.00"' in client.screen_text()


def test_nobody_runs_a_command_without_an_account(server: SshServer, tmp_path: Path) -> None:
    stranger = make_key(tmp_path, "stranger")
    ran = subprocess.run(
        [*server.command(NAME, "-i", str(stranger)), "settings", "show"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "HOME": str(server.home.folder)},
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 1
    assert b"A command needs an account" in ran.stderr
    assert ran.stdout == b""


def test_what_is_refused_gets_a_sentence(alice: KeyHolder) -> None:
    for line, sentence in (
        ("admin user list", "invalid choice: 'admin'"),
        ("settings --user other show", "acts on the account that has signed in: leave out --user"),
        ("settings show; id", "invalid choice: 'show;'"),
        ("$(id)", "invalid choice: '$(id)'"),
        (f"settings set {'x' * 9000}", "A command line over SSH has at most 8192 bytes."),
    ):
        ran = alice.run(line)
        assert ran.returncode == USAGE
        assert sentence in " ".join(ran.stderr.decode().split())
        assert ran.stdout == b""


def test_metacharacters_of_a_shell_are_plain_text(alice: KeyHolder) -> None:
    name = "$(id) `id` ${HOME} > planted | * ; ~ && \\ #"
    ran = alice.run("keys", "create", "--json", f"'{name}'")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["name"] == name


def test_no_file_is_written(alice: KeyHolder, tmp_path: Path) -> None:
    path = tmp_path / "planted.json"
    for command in (("usage", "export", "--output"), ("wallet", "export", "--output")):
        ran = alice.run(*command, str(path))
        assert ran.returncode == 1
        assert b"Files are off" in ran.stderr
        assert not path.exists()
    assert alice.run("account", "export", str(path)).returncode == 2
    assert not path.exists()


def test_an_export_of_the_account_goes_to_the_drawer(server: SshServer, alice: KeyHolder, tmp_path: Path) -> None:
    ran = alice.run("account", "export")
    assert ran.returncode == 0, ran.stderr
    program, *arguments = shlex.split(ran.stdout.decode())
    fetched = subprocess.run(
        [program, "-F", str(server.config), "-i", str(alice.key), *arguments], cwd=tmp_path, check=False
    )
    assert fetched.returncode == 0
    assert '"format": "gatekey-export"' in (tmp_path / "export.json").read_text()
    told = json.loads(alice.run("account", "export", "--json").stdout)
    assert told == {"name": "export.json", "command": ran.stdout.decode().strip()}


def test_help_tells_what_can_be_run(alice: KeyHolder) -> None:
    for line in (("help",), (" ",), ("help", "settings", "set")):
        ran = alice.run(*line)
        assert ran.returncode == 0, ran.stderr
        assert b"settings" in ran.stdout
        assert b"--user" not in ran.stdout


def test_a_reader_that_stops_ends_the_command(alice: KeyHolder) -> None:
    alice.fill_log(ROWS)
    command = alice.command("usage", "export", "--format", "json", "--output", "-")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        assert client.stdout is not None
        assert len(client.stdout.read(1000)) == 1000
        client.stdout.close()
        client.wait(PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_client_that_is_killed_leaves_nothing(server: SshServer, alice: KeyHolder, number: signal.Signals) -> None:
    command = alice.command("account", "password")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        wait_until(lambda: server.sessions() == 1 and len(server.consoles()) == 1)
        client.send_signal(number)
        client.wait(PATIENCE)


def test_a_command_that_is_killed_leaves_no_session(server: SshServer, alice: KeyHolder) -> None:
    enrol(server)
    command = alice.command("settings", "show")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        wait_until(lambda: len(server.consoles()) == 1)
        os.kill(server.consoles()[0], signal.SIGKILL)
        _, said = client.communicate(timeout=PATIENCE)
        assert client.returncode == 255
    assert b"The command ended unexpectedly." in said


def test_the_end_of_standard_input_reaches_a_command(alice: KeyHolder) -> None:
    ran = alice.run("wallet", "redeem", stdin=b"")
    assert ran.returncode == 1
    assert b"The code on standard input is empty." in ran.stderr
    with alice.terminal("wallet", "redeem") as terminal:
        terminal.until("Code:")
        terminal.type("\x04")
        assert terminal.exit_code(PATIENCE) == 1
