"""The end of the console: the shell's prompt waits for nothing that is in memory alone, and for all that is written."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installed import PATIENCE, Home, Installed
from tests.e2e.quitting_gatekey import PIECES, TAKEN_APART, WRITING
from tests.e2e.steps import ROOT


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Installed]:
    command = [sys.executable, "-m", "tests.e2e.quitting_gatekey", str(tmp_path / "slow")]
    with Installed(command, env=Home(tmp_path).env, cwd=ROOT) as terminal:
        terminal.until("only this one")
        yield terminal


def test_who_quits_waits_for_no_widget(terminal: Installed) -> None:
    terminal.quit()
    assert TAKEN_APART not in terminal.raw.decode()
    assert b"Task was destroyed" not in terminal.raw


def test_after_a_signal_widgets_are_taken_apart_as_ever(terminal: Installed) -> None:
    terminal.send_signal(signal.SIGTERM)
    assert terminal.exit_code(PATIENCE) == 128 + signal.SIGTERM
    assert TAKEN_APART in terminal.raw.decode()
    assert terminal.left_on == ()


def test_a_file_that_a_thread_still_writes_becomes_whole(terminal: Installed, tmp_path: Path) -> None:
    terminal.press("f9")
    terminal.until(WRITING)
    terminal.quit()
    assert (tmp_path / "slow.whole").read_bytes() == b"piece" * PIECES
