"""The command line: its imports, its refusals, and its exit statuses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from screens import entry
from store import errors
from store.text import is_sanitized
from tests.harness.command_line import Shell
from tui import command
from tui.commands import streams

HEAVY = {"textual", "rich", "sqlalchemy", "cryptography", "httpx", "fastapi", "alembic"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["admin", "--help"],
        ["settings", "--help"],
        ["no-such-command"],
    ],
    ids=" ".join,
)
def test_parsing_imports_neither_textual_nor_sqlalchemy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from screens.entry import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('loaded:', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.rpartition("loaded:")[2].split())
    assert "tui" in loaded
    assert loaded & HEAVY == set()


def test_the_version_is_data(shell: Shell) -> None:
    ran = shell.run("--version")
    assert ran.status == 0
    assert re.fullmatch(r"gatekey \d+\.\d+\.\d+\n", ran.out)


def test_global_options_stand_anywhere(shell: Shell, tmp_path: Path) -> None:
    shell.add("alice")
    elsewhere = ["--database", str(tmp_path / "other" / "db.sqlite3"), "--key-file", str(tmp_path / "other-key")]
    add = ["admin", "user", "add", "bob", "--email", "bob@example.com", "--password-stdin"]
    assert shell.run(*add, *elsewhere, stdin="correct horse battery staple").status == 0
    for arguments in (
        [*elsewhere, "admin", "user", "list"],
        ["admin", *elsewhere, "user", "list"],
        ["admin", "user", "list", *elsewhere],
    ):
        ran = shell.run(*arguments)
        assert ran.status == 0
        assert "bob" in ran.out
        assert "alice" not in ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["admin"],
        ["settings", "--user", "alice"],
        ["settings", "show"],
        ["settings", "--user", "alice", "set", "privacy.record_client_ip"],
        ["settings", "--user", "alice", "set", "privacy.record_client_ip", "true", "--value-stdin"],
        ["admin", "user", "add", "bob", "--email", "bob@example.com"],
        ["admin", "user", "role", "alice", "king"],
        ["admin", "provider", "add", "x", "--name", "X", "--client-id", "id"],
        ["serve", "--port", "65536"],
        ["notify"],
        ["doctor", "--demo"],
        ["--demo", "doctor"],
        ["admin", "user", "list", "--data", "abbreviated"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_status_2_with_a_sentence(shell: Shell, arguments: list[str]) -> None:
    ran = shell.run(*arguments)
    assert ran.status == 2
    assert ran.out == ""
    assert "usage: gatekey" in ran.err
    assert ran.err.splitlines()[-1].startswith("gatekey: ")
    assert not shell.database.exists()


@pytest.mark.parametrize(
    "url", ["postgresql://alice:hunter2@db/gatekey", "postgresql:///gatekey?host=db&password=hunter2"]
)
def test_a_password_on_the_command_line_is_refused(shell: Shell, url: str) -> None:
    ran = shell.run("admin", "user", "list", "--database", url)
    assert ran.status == 2
    assert "GATEKEY_DATABASE" in ran.err
    assert "hunter2" not in ran.err


def test_nothing_a_terminal_obeys_is_echoed(shell: Shell) -> None:
    shell.add("alice")
    attack = "\x1b]52;c;aGk=\x07\x9b31m\u202ename\u200b"
    for arguments in (
        [attack],
        [f"--{attack}"],
        ["admin", "user", "list", attack],
        ["settings", "--user", attack, "show"],
        ["settings", "--user", "alice", "set", attack, "1"],
        ["admin", "price", "remove", attack],
        ["admin", "provider", "remove", attack],
        ["admin", "site", "set", attack, attack],
        ["admin", "user", "list", "--database", f"/nowhere/{attack}"],
        ["--database", f"{attack}://x", "doctor"],
    ):
        ran = shell.run(*arguments)
        assert ran.status in (1, 2), arguments
        for line in (ran.out + ran.err).splitlines():
            assert is_sanitized(line), arguments


WORDS = st.sampled_from(
    [
        *("admin", "user", "list", "quota", "price", "site", "settings", "set", "show", "remove", "doctor"),
        *("alice", "notifications.threshold", "smtp.port", "--user", "--json", "--value-stdin"),
        *("-1e999", "=", "+", "-", "--", "\x1b[2J"),
    ]
)


@given(st.lists(WORDS | st.text(max_size=12), max_size=7), st.binary(max_size=40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_command_line_ends_with_a_status_and_plain_words(shell: Shell, arguments: list[str], stdin: bytes) -> None:
    if not shell.database.exists():
        shell.add("alice")
    ran = shell.run(*arguments, stdin=stdin)
    assert ran.status in (0, 1, 2)
    assert "Traceback" not in ran.err
    assert "fault of its own" not in ran.err
    assert all(is_sanitized(line) for line in (ran.out + ran.err).split("\n"))


def test_without_a_terminal_the_console_is_status_2(shell: Shell) -> None:
    for arguments in ([], ["--demo"]):
        ran = shell.run(*arguments)
        assert ran.status == 2
        assert ran.out == ""
        assert "needs a terminal" in ran.err
        assert "\x1b" not in ran.err
    assert not shell.database.exists()


def _every(kind: type[errors.GatekeyError]) -> dict[str, type[errors.GatekeyError]]:
    found = {kind.__name__: kind}
    for child in kind.__subclasses__():
        found |= _every(child)
    return found


@pytest.mark.parametrize("kind", _every(errors.GatekeyError).values())
def test_every_typed_error_is_a_line_and_status_1(
    kind: type[errors.GatekeyError], shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = kind.__new__(kind)
    Exception.__init__(error, "What to do.")

    def refuse(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(command, "_run", refuse)
    ran = shell.run()
    assert ran.status == 1
    assert ran.err == f"gatekey: {kind.title}. What to do.\n"


def test_ctrl_c_is_130_and_silent(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_run", interrupt)
    ran = shell.run()
    assert (ran.status, ran.out, ran.err) == (130, "", "")


def test_a_fault_of_our_own_shows_an_id_and_no_secret(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def break_down(*_: object, **__: object) -> int:
        password = "hunter2"
        raise ZeroDivisionError(password)

    monkeypatch.setattr(command, "_run", break_down)
    ran = shell.run()
    assert ran.status == 1
    assert re.fullmatch(r"gatekey: [^\n]* \(fault [0-9a-f]{8}\)\. [^\n]*\n", ran.err)
    assert "hunter2" not in ran.err
    assert "Traceback" not in ran.err

    log = tmp_path / "debug.log"
    monkeypatch.setenv("GATEKEY_DEBUG_LOG", str(log))
    assert str(log) in shell.run().err
    assert log.stat().st_mode & 0o777 == 0o600
    assert "break_down" in log.read_text()
    assert "hunter2" not in log.read_text()


def test_a_log_that_cannot_be_written_does_not_hide_the_sentence(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def break_down(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(command, "_run", break_down)
    monkeypatch.setenv("GATEKEY_DEBUG_LOG", str(tmp_path / "no" / "folder"))
    ran = shell.run()
    assert ran.status == 1
    assert "fault" in ran.err
    assert "report" not in ran.err


def _installed(*arguments: str, stdout: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "import sys; from screens.entry import main; sys.exit(main())", *arguments],
        # Unbuffered output fails at the first line, and hides what the interpreter flushes at its end.
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


def test_a_reader_that_left_is_no_complaint(shell: Shell) -> None:
    shell.add()
    reading, writing = os.pipe()
    os.close(reading)
    with _installed("admin", "user", "list", stdout=writing) as process:
        os.close(writing)
        _, said = process.communicate()
    assert process.returncode == command.BROKEN_PIPE
    assert said == b""


def test_output_that_is_lost_is_status_1(shell: Shell) -> None:
    shell.add()
    full = os.open("/dev/full", os.O_WRONLY)
    with _installed("admin", "user", "list", stdout=full) as process:
        os.close(full)
        _, said = process.communicate()
    assert process.returncode == 1
    assert said.startswith(b"gatekey: The output was lost.")
    assert b"Traceback" not in said


def test_closed_streams_are_no_fault(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "stdin", None)
    assert entry.main(["admin", "user", "list"]) == 1
    assert entry.main(["admin", "quota", "alice", "+1"]) == 0
    assert entry.main(["settings", "--user", "alice", "set", "notifications.gotify_token", "--value-stdin"]) == 1


def test_json_never_carries_what_a_terminal_obeys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines: list[str] = []
    monkeypatch.setattr(streams, "print_data", lines.append)
    streams.print_json({"a": "\x9b31m\u202e", "b": "Zoë"})
    streams.print_json({"b": "Zoë"})
    assert "\\u009b" in lines[0]
    assert is_sanitized(lines[0].replace("\n", ""))
    assert "Zoë" in lines[1]


def test_a_command_that_is_not_asked_for_costs_nothing_but_its_line_in_the_help() -> None:
    assert command.build_parser(()).format_help() == command.build_parser().format_help()
    imported = "import sys; from tui import command; command.build_parser(['--help']); print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", imported], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {f"tui.commands.{name}" for name in command.COMMANDS} & set(modules)
