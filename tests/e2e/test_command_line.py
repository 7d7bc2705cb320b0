"""The installed command and what README says of it."""

import hashlib
import re
import shlex
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.e2e.installed import GATEKEY, PATIENCE, Home
from tests.harness.pty_terminal import PtyTerminal
from tests.harness.stores import PASSWORD
from tui.command import build_parser
from tui.commands.parsing import protect_negatives

ROOT: Final = Path(__file__).parents[2]


def shell_blocks(text: str) -> list[str]:
    """The lines of every block of shell in a Markdown text."""
    return [
        line
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]


def test_the_quick_start_is_two_lines() -> None:
    readme = (ROOT / "README.md").read_text()
    quick_start = readme.partition("## Quick start")[2].partition("\n## ")[0]
    run, test = shell_blocks(quick_start)
    for line, lock, last in (
        (run, "requirements.lock", ".venv/bin/gatekey"),
        (test, "requirements-dev.lock", ".venv/bin/pytest -n auto"),
    ):
        steps = line.split(" && ")
        assert steps[0] == "python3 -m venv .venv"
        assert f"--no-deps --require-hashes -r {lock}" in steps[1]
        assert steps[-1] == last
    assert readme.count("bin/pytest") == 1


@pytest.mark.parametrize("part", ["", "-otel", "-dev", "-build"])
def test_a_lock_names_hashes_and_no_host(part: str) -> None:
    text = (ROOT / f"requirements{part}.lock").read_text()
    assert "://" not in text
    assert "--index" not in text
    for entry in re.split(r"\n(?=[a-z])", text):
        assert "--hash=sha256:" in entry, entry


def test_every_command_of_the_readme_is_one() -> None:
    parser = build_parser()
    lines = [line for line in shell_blocks((ROOT / "README.md").read_text()) if line.startswith("gatekey ")]
    assert len(lines) > 15
    for line in lines:
        words = shlex.split(re.split(" [<>] ", line)[0], comments=True)[1:]
        parser.parse_args(protect_negatives(words))


def test_a_day_of_an_administrator(home: Home) -> None:
    home.add_account("alice", "--role", "admin", "--quota", "5")
    assert home.run("admin", "quota", "alice", "-0.50").returncode == 0
    listed = home.run("admin", "user", "list")
    assert "$4.50" in listed.stdout
    assert listed.stderr == ""
    assert home.run("settings", "--user", "alice", "set", "notifications.threshold", "2").returncode == 0
    shown = home.run("settings", "--user", "alice", "show")
    assert "notifications.threshold = 2.00" in shown.stdout
    assert home.run("doctor").returncode == 0
    assert home.run("admin", "verify-audit").stdout == "alice  ok\nthe site  ok\nall together  ok\n"


def test_without_a_terminal_not_one_escape_code(home: Home) -> None:
    for arguments in ((), ("--demo",)):
        ran = home.run(*arguments)
        assert ran.returncode == 2
        assert ran.stdout == ""
        assert ran.stderr.startswith("gatekey: The console needs a terminal")
        assert "\x1b" not in ran.stderr
    assert not home.database.exists()


def test_talk_never_reaches_the_pipe_and_data_never_the_terminal(home: Home) -> None:
    home.add_account("alice")
    for arguments in (("admin", "quota", "alice", "+1"), ("admin", "site", "set", "smtp.port", "25")):
        ran = home.run(*arguments)
        assert ran.stdout == ""
        assert ran.stderr.count("\n") == 1


def shows(text: str, terminal: PtyTerminal) -> bool:
    return text in terminal.screen_text()


def test_a_password_is_typed_unseen(home: Home) -> None:
    command = [str(GATEKEY), "admin", "user", "add", "alice", "--email", "alice@example.com"]
    with PtyTerminal(command, env=home.env) as terminal:
        for prompt in ("Password:", "Password again:"):
            terminal.wait_for(partial(shows, prompt), PATIENCE)
            terminal.type(f"{PASSWORD}\r")
        assert terminal.exit_code(PATIENCE) == 0
        assert PASSWORD.encode() not in bytes(terminal.raw)


def test_no_secret_is_an_argument(home: Home) -> None:
    home.add_account("alice")
    for line in (
        ("admin", "site", "set", "upstream.api_key", "sk-planted"),
        ("settings", "--user", "alice", "set", "notifications.gotify_token", "sk-planted"),
    ):
        ran = home.run(*line)
        assert ran.returncode == 1
        assert "--value-stdin" in ran.stderr
        assert "sk-planted" not in ran.stdout + ran.stderr
    assert home.run("admin", "user", "add", "bob", "--email", "b@example.com", "--password", PASSWORD).returncode == 2


def test_a_refused_command_leaves_the_bytes_alone(home: Home) -> None:
    home.add_account("alice")
    with closing(sqlite3.connect(home.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = hashlib.sha256(home.database.read_bytes()).digest()
    key = home.config / "key"
    kept = key.read_bytes()
    key.write_text("gatekey-key 1 " + "B" * 43 + "=\n")
    assert home.run("admin", "quota", "alice", "+5").returncode == 1
    key.unlink()
    assert home.run("admin", "quota", "alice", "+5").returncode == 1
    assert not key.exists()
    assert hashlib.sha256(home.database.read_bytes()).digest() == before
    key.touch(0o600)
    key.write_bytes(kept)
    assert home.run("admin", "quota", "alice", "+5").returncode == 0


def test_serve_answers_and_stops_when_told(home: Home) -> None:
    home.add_account("alice")
    with home.serving() as serving:
        address = f"http://127.0.0.1:{serving.port}/no-such-page"
        assert httpx.get(address, trust_env=False, timeout=PATIENCE).status_code == 404


def test_notify_says_how_many(home: Home) -> None:
    home.add_account("alice")
    ran = home.run("notify", "--once")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "0\n"
