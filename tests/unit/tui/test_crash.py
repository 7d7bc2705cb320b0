"""However the console ends, the terminal is as it was, and no secret is left on it or in a report."""

import os
import signal
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.harness.pty_terminal import PtyTerminal
from tests.unit.tui.faulty_console import SECRET
from tui.crash import append_report, crash_message, fault_id

LEFT_THE_SCREEN = b"\x1b[?1049l"
ROOT = Path(__file__).parents[3]


def console(way: str, log: Path | str = "") -> PtyTerminal:
    command = [sys.executable, "-m", "tests.unit.tui.faulty_console", way, str(log)]
    terminal = PtyTerminal(command, cwd=ROOT)
    terminal.wait_for("ready")
    return terminal


def after(terminal: PtyTerminal) -> bytes:
    """The output after the alternate screen was left."""
    assert terminal.raw.count(LEFT_THE_SCREEN) == 1
    return bytes(terminal.raw.partition(LEFT_THE_SCREEN)[2])


@pytest.mark.parametrize("way", ["handler", "worker", "thread", "two", "chain"])
def test_a_fault_ends_in_one_calm_sentence(way: str, tmp_path: Path) -> None:
    log = tmp_path / "crash.log"
    with console(way, log) as terminal:
        terminal.press("x")
        assert terminal.exit_code() == 1
        assert terminal.left_on == ()
        said = " ".join(after(terminal).decode().split())
        assert "Gatekey stopped because of a fault of its own (fault " in said
        assert said.count("fault of its own") == 1
        assert "errors shown" not in said
        assert "Traceback" not in said
        assert "textual" not in said
        assert SECRET not in said
    report = log.read_text()
    assert SECRET not in report
    assert report.count("fault ") == 1
    assert "faulty_console.py:" in report
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_broken_stylesheet_is_told_as_it_is() -> None:
    with console("stylesheet") as terminal:
        terminal.press("x")
        assert terminal.exit_code() == 1
        assert b"broken.tcss" in after(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_a_clean_terminal_and_its_own_exit_code(number: signal.Signals) -> None:
    with console("signal") as terminal:
        terminal.send_signal(number)
        assert terminal.exit_code() == 128 + number
        assert terminal.left_on == ()
        assert SECRET.encode() not in after(terminal)
        assert b"Traceback" not in after(terminal)


def raised(kind: type[Exception], text: str) -> Exception:
    try:
        raise kind(text)
    except kind as error:
        return error


def test_the_same_fault_has_the_same_number_whatever_was_typed() -> None:
    numbers = {fault_id(raised(ValueError, text)) for text in ("a", "b")}
    assert len(numbers) == 1
    assert fault_id(raised(KeyError, "a")) not in numbers


def test_a_report_grows_and_tells_types_and_places_only(tmp_path: Path) -> None:
    log = tmp_path / "crash.log"
    log.write_text("")
    log.chmod(0o644)
    for text in (SECRET, "another"):
        append_report(log, raised(ValueError, text), datetime(2026, 1, 2, tzinfo=UTC))
    report = log.read_text()
    assert report.count("2026-01-02T00:00:00+00:00 fault ") == 2
    assert report.count("builtins.ValueError") == 2
    assert "test_crash.py:" in report
    assert SECRET not in report
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_report_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic links"):
        append_report(tmp_path / "link", raised(ValueError, ""), datetime(2026, 1, 2, tzinfo=UTC))
    assert not (tmp_path / "target").exists()


def test_a_report_that_cannot_be_written_does_not_hide_the_sentence(tmp_path: Path) -> None:
    with console("handler", tmp_path / "missing" / "crash.log") as terminal:
        terminal.press("x")
        assert terminal.exit_code() == 1
        assert b"Gatekey stopped" in after(terminal)
        assert b"A report" not in after(terminal)


def test_a_circle_of_causes_ends(tmp_path: Path) -> None:
    first, second = raised(ValueError, ""), raised(KeyError, "")
    first.__cause__, second.__cause__ = second, first
    append_report(tmp_path / "crash.log", first, datetime(2026, 1, 2, tzinfo=UTC))
    assert (tmp_path / "crash.log").read_text().count("ValueError") == 5


def test_the_sentence_names_the_report_only_if_there_is_one() -> None:
    error = raised(ValueError, SECRET)
    assert crash_message(error, None).endswith("Everything you saved is kept.")
    assert f"{os.sep}x" in crash_message(error, Path("/x"))
    assert SECRET not in crash_message(error, Path("/x"))
