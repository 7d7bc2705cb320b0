"""Whatever ends the console, its session leaves the list: one that nobody sits in front of could hide a stranger's."""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Final

import pytest

from tests.e2e.installed import PATIENCE, Home, Installed
from tests.e2e.steps import ROOT, locked, sign_in, signed_in

STILL_LISTED: Final = "this session is still in the list of sessions"


def sessions(home: Home) -> int:
    with closing(sqlite3.connect(home.database)) as database:
        count: int = database.execute("SELECT count(*) FROM sessions").fetchone()[0]
        return count


def quit_by_key(terminal: Installed) -> None:
    terminal.press("ctrl+q")


def end_by(number: signal.Signals) -> Callable[[Installed], None]:
    return lambda terminal: terminal.send_signal(number)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(end_by(signal.SIGTERM), id="SIGTERM"),
        pytest.param(end_by(signal.SIGHUP), id="SIGHUP"),
        pytest.param(end_by(signal.SIGINT), id="SIGINT"),
        pytest.param(Installed.hang_up, id="window closed"),
        pytest.param(quit_by_key, id="quit"),
    ],
)
def test_no_session_is_left_behind(end: Callable[[Installed], None], home: Home) -> None:
    with signed_in(home) as terminal:
        assert sessions(home) == 1
        end(terminal)
        terminal.exit_code(PATIENCE)
    assert sessions(home) == 0


def test_a_hangup_that_comes_twice_ends_the_session_too(home: Home) -> None:
    """The kernel sends one as the window closes, and the shell passes on another."""
    with signed_in(home) as terminal, locked(home.database):
        for _ in range(20):
            terminal.send_signal(signal.SIGHUP)
        assert terminal.exit_code(PATIENCE) == 128 + signal.SIGHUP


def test_a_locked_database_is_waited_for_when_a_signal_ends_the_console(home: Home) -> None:
    with signed_in(home) as terminal:
        with locked(home.database):
            terminal.send_signal(signal.SIGTERM)
            terminal.until(lambda _: b"\x1b[?1049l" in terminal.raw)  # the terminal is given back before the wait
        assert terminal.exit_code(PATIENCE) == 128 + signal.SIGTERM
    assert sessions(home) == 0 or STILL_LISTED in terminal.words()


def test_a_database_that_stays_locked_keeps_nobody_waiting_for_ever(home: Home) -> None:
    with signed_in(home) as terminal, locked(home.database):
        terminal.send_signal(signal.SIGTERM)
        assert terminal.exit_code(PATIENCE) == 128 + signal.SIGTERM
        assert STILL_LISTED in " ".join(terminal.after().decode().split())
        assert terminal.left_on == ()


def test_a_fault_ends_the_session_as_well(home: Home) -> None:
    with signed_in(home) as terminal:
        terminal.quit()
    command = [sys.executable, "-m", "tests.e2e.faulty_gatekey", "account"]
    with Installed(command, env={**os.environ, **home.env}, cwd=ROOT) as terminal:
        sign_in(terminal)
        assert sessions(home) == 1
        terminal.press("f9")
        assert terminal.exit_code(PATIENCE) == 1
    assert sessions(home) == 0


def test_quit_under_a_locked_database_waits_once_and_says_that_the_session_stays(home: Home) -> None:
    with signed_in(home) as terminal, locked(home.database):
        terminal.press("ctrl+q")
        assert terminal.exit_code(PATIENCE) == 0
        assert STILL_LISTED in " ".join(terminal.after().decode().split())
        assert terminal.left_on == ()
