"""Outside UTF-8: a command says all it has to say, JSON stays JSON, and the console is as large as its terminal."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.installed import GATEKEY, PATIENCE, Home

PASSWORD = b"correct horse battery staple"
PLACES = {
    "latin-1": {"PYTHONIOENCODING": "iso-8859-1"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "POSIX": {"LC_ALL": "POSIX"},
    "a locale that is not there": {"LC_ALL": "en_US.ISO-8859-1", "PYTHONUTF8": "0"},
}


def run(home: Home, *arguments: str, stdin: bytes = b"", env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(GATEKEY), *arguments],
        input=stdin,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **home.env, **env},
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    for name in ("alice", "Ünï", "東京"):
        add = ("admin", "user", "add", name, "--email", "a@example.com", "--password-stdin")
        added = run(home, *add, stdin=PASSWORD, env={})
        assert added.returncode == 0, added.stderr
    return home


@pytest.mark.parametrize("env", PLACES.values(), ids=PLACES)
def test_no_name_breaks_a_table_off_and_json_is_whole(env: dict[str, str], home: Home) -> None:
    table = run(home, "admin", "user", "list", env=env)
    assert table.returncode == 0, table.stderr
    assert len(table.stdout.splitlines()) == 4
    assert b"alice" in table.stdout
    document = run(home, "admin", "user", "list", "--json", env=env)
    assert document.returncode == 0, document.stderr
    assert [account["name"] for account in json.loads(document.stdout)] == ["alice", "Ünï", "東京"]
    refused = run(home, "settings", "--user", "Łukasz", "show", env=env)
    assert refused.returncode == 1
    assert b"fault of its own" not in refused.stderr
    assert run(home, "doctor", env=env).returncode == 0


def test_what_latin_1_has_is_shown_and_the_rest_replaced(home: Home) -> None:
    shown = run(home, "admin", "user", "list", env=PLACES["latin-1"]).stdout.decode("iso-8859-1")
    assert "Ünï" in shown
    assert "\n?? " in shown


@pytest.mark.parametrize(("columns", "lines"), [("40", "9"), ("200", "50"), ("nonsense", "-1")])
def test_the_size_of_the_terminal_wins_over_what_was_exported(columns: str, lines: str, tmp_path: Path) -> None:
    env = {"COLUMNS": columns, "LINES": lines}
    with Home(tmp_path).console("--demo", env=env) as terminal:
        terminal.until("1 Account Binding 2 Security │ 3 Notifications 4 Price 5 Privacy 6 Sidebar".replace("│", " "))
        terminal.until("^q Quit")
        rows = terminal.screen_text().split("\n")
        assert "^q Quit" in rows[23]
        terminal.resize(120, 30)
        terminal.until(lambda _: "^q Quit" in terminal.screen_text().split("\n")[29])
        terminal.quit()
