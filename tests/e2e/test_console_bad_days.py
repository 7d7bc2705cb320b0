"""The console when the database, another program, the terminal or the console itself fails."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests import parts
from tests.e2e.installed import GATEKEY, PATIENCE, Home, Installed, shown_token
from tests.e2e.steps import ROOT, locked, sign_in, signed_in
from tests.harness.pty_terminal import PtyTerminal
from tests.harness.stores import PASSWORD

BUSY: Final = "Another program is writing to the database. Nothing was changed; try again."
_MODE: Final = re.compile(rb"\x1b\[[?<>=]?[\d;]*[A-Za-z]")


def type_threshold(terminal: Installed, amount: str) -> None:
    """Open the Notifications tab and put another amount into its first field."""
    terminal.press("3")
    terminal.until("1.00")
    terminal.press("tab")
    terminal.fill("Quota Warning Threshold", amount)
    terminal.until("3•Notifications")


def save_again_if_told(terminal: Installed) -> None:
    """A lock of three seconds is waited out; on a machine so slow that it lasted longer, it is told."""
    terminal.until(lambda _: "Saved." in terminal.words() or BUSY in terminal.words())
    if BUSY in terminal.words():
        assert "2.50" in terminal.words()
        terminal.press("ctrl+s")
        terminal.until("Saved.")


def is_help(terminal: PtyTerminal) -> bool:
    return "╭─ Help ─" in terminal.screen_text()


def test_a_lock_is_waited_out_or_told_and_nothing_typed_is_lost(home: Home) -> None:
    with signed_in(home) as terminal:
        type_threshold(terminal, "2.50")
        with locked(home.database):
            terminal.press("ctrl+s")
            terminal.press("f1")
            terminal.until(is_help)  # the console answers while the save waits
            terminal.press("escape")
            terminal.until(lambda _: not is_help(terminal))
            terminal.settle(quiet=3)  # three seconds is what this is about
        save_again_if_told(terminal)
        terminal.until("3 Notifications")

        terminal.press("ctrl+u")
        terminal.fill("Quota Warning Threshold", "3.75")
        terminal.until("3•Notifications")
        with locked(home.database):
            terminal.press("ctrl+s")
            terminal.until(BUSY)
            assert "3.75" in terminal.words()
            assert "3•Notifications" in terminal.words()
        terminal.press("ctrl+s")
        terminal.until("Saved.")
        terminal.quit()
    assert '"threshold": "3.75"' in home.run("settings", "--user", "alice", "show", "--json").stdout


def test_a_database_that_is_gone_is_told_and_nothing_typed_is_lost(home: Home) -> None:
    gone = "The database file was removed or replaced while it was open."
    with signed_in(home) as terminal:
        type_threshold(terminal, "2.50")
        aside = home.database.rename(home.data / "aside")
        terminal.press("ctrl+s")
        terminal.until(gone)
        assert "2.50" in terminal.words()
        assert not home.database.exists(), "asking made a new, empty file"

        aside.rename(home.database)
        terminal.press("ctrl+s")
        terminal.until("Saved.")

        home.database.rename(aside)
        terminal.press("ctrl+l")
        terminal.until("The database does not answer; the console is locked all the same.")
        terminal.press("escape")
        terminal.until("Sign in enter")
        terminal.until(gone)

        # Whoever comes back signs in once the file is back, without starting anew.
        aside.rename(home.database)
        sign_in(terminal)
        terminal.quit()


def test_another_process_that_changes_the_password_signs_this_one_out(home: Home) -> None:
    with signed_in(home) as terminal:
        reset = home.run("admin", "user", "reset-password", "alice", "--password-stdin", stdin="another harbour sky")
        assert reset.returncode == 0, reset.stderr
        terminal.press("s")
        terminal.until("Sign in enter")
        terminal.until("This session has ended. Sign in again.")
        assert "Sessions" not in terminal.words()
        terminal.enter("Username", "alice")
        terminal.enter("Password", "another harbour sky", masked=True)
        terminal.until("a password alone is enough")
        terminal.quit()


def revealed_token(terminal: Installed) -> bytes:
    """Generate a token in the demo and reveal it; returns the token."""
    terminal.until("Generate t")
    terminal.until("only this one")
    terminal.press("t")
    terminal.until("Generate a new System Access Token?")
    terminal.press("y")
    terminal.until("This is your new token.")
    terminal.press("space")
    token = shown_token(terminal).encode()
    assert token in terminal.raw
    return token


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_clean_terminal_without_the_token_that_was_shown(
    number: signal.Signals, tmp_path: Path
) -> None:
    with Home(tmp_path).console("--demo") as terminal:
        token = revealed_token(terminal)
        terminal.send_signal(number)
        assert terminal.exit_code(PATIENCE) == 128 + number
        assert terminal.left_on == ()
        assert _MODE.sub(b"", terminal.after()) == b"", "something was said after the screen was left"
        assert token not in terminal.after()
        assert token.decode() not in terminal.screen_text()


def test_a_window_that_is_closed_ends_the_console(tmp_path: Path) -> None:
    with Home(tmp_path).console("--demo") as terminal:
        revealed_token(terminal)
        terminal.hang_up()
        assert terminal.exit_code(PATIENCE) != 0


def test_a_fault_prints_nothing_that_was_typed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.e2e.faulty_gatekey"]
    with Installed(command, env=Home(tmp_path).env, cwd=ROOT) as terminal:
        terminal.until("only this one")
        terminal.press("p")
        terminal.fill("Original password", PASSWORD, masked=True)
        terminal.press("f9")
        assert terminal.exit_code(PATIENCE) == 1
        assert terminal.left_on == ()
        said = terminal.after().decode()
        assert "Gatekey stopped because of a fault of its own" in " ".join(said.split())
        assert [word for word in PASSWORD.split() if word in said] == []
        assert "Traceback" not in said
        assert "typed" not in said
        assert "alice" not in said


def test_without_a_terminal_there_is_a_sentence_and_no_escape_code(home: Home) -> None:
    for arguments in ((), ("--demo",)):
        ran = home.run(*arguments)
        assert ran.returncode == 2
        assert ran.stdout == ""
        assert "The console needs a terminal" in ran.stderr
        assert "\x1b" not in ran.stderr
    assert not home.database.exists()


def test_output_into_a_pipe_gets_no_escape_code(tmp_path: Path) -> None:
    master, slave = os.openpty()
    try:
        ran = subprocess.run(
            [str(GATEKEY), "--demo"],
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm-256color", **Home(tmp_path).env},
            timeout=PATIENCE,
            check=False,
        )
        assert (ran.returncode, ran.stdout) == (2, b"")
        assert b"\x1b" not in os.read(master, 65536)
    finally:
        os.close(slave)
        os.close(master)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[list[str]]:
    """The start of a command line for a tmux server of its own, without a status line, that ends with the test."""
    parts.need(parts.TMUX)
    settings = tmp_path / "tmux.conf"
    settings.write_text("set -g status off\n")
    command = ["tmux", "-S", str(tmp_path / "tmux"), "-f", str(settings)]
    yield command
    subprocess.run([*command, "kill-server"], check=False, capture_output=True)


def test_inside_tmux_the_keys_arrive_at_80_by_24(tmux: list[str], home: Home) -> None:
    variables = [word for name, value in home.env.items() for word in ("-e", f"{name}={value}")]
    with Installed([*tmux, "new-session", *variables, str(GATEKEY), "--demo"], cwd=home.folder) as terminal:
        terminal.until("only this one")
        screen = terminal.screen_text().split("\n")
        assert len(screen) == 24
        assert screen[0].startswith(" gatekey ")
        assert screen[-1].rstrip().endswith("^q Quit")

        terminal.press("f2")
        terminal.until("Task Logs")
        terminal.press("f2")
        terminal.until_gone("Task Logs")
        terminal.press("ctrl+pagedown")
        terminal.until("Quota Warning Threshold")
        terminal.press("ctrl+pageup", "ctrl+pageup")
        terminal.until("Account bindings are disabled by the administrator.")
        terminal.press("f1")
        terminal.until(is_help)
        terminal.press("escape")
        terminal.until(lambda _: not is_help(terminal))
        terminal.press("ctrl+l")
        terminal.until("This is the demo. Its password is:")
        terminal.press("ctrl+q")
        assert terminal.exit_code(PATIENCE) == 0


def test_what_another_program_wrote_over_the_console_goes_with_ctrl_l(tmp_path: Path) -> None:
    with Home(tmp_path).console() as terminal:
        terminal.until("Password")
        os.write(terminal._slave, b"\x1b7\x1b[H\x1b[2Jscribbled\x1b8")
        terminal.until("scribbled")
        terminal.press("ctrl+l")
        terminal.until(lambda _: "scribbled" not in terminal.screen_text())
        terminal.until("Password")
