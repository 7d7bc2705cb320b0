"""The driver hears what was typed, and gives the terminal back however it is stopped."""

import asyncio
import errno
import io
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread
from typing import TextIO, cast

import pytest
import textual._parser
from textual import constants, events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.app import App
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from textual.message import Message

import tui.posix_driver
from tests.harness.pty_terminal import PtyTerminal
from tui.driver import console_driver
from tui.posix_driver import ESCAPE_DELAY_S, PosixDriver, PromptEscapeParser, _HangupSafeStream

ROOT = Path(__file__).parents[3]


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(textual._parser, "get_time", clock)
    monkeypatch.setattr(tui.posix_driver, "get_time", clock)
    return clock


def keys(tokens: Iterable[Message]) -> list[str]:
    return [token.key if isinstance(token, events.Key) else type(token).__name__ for token in tokens]


def test_a_lone_escape_is_a_key_after_25_ms(clock: Clock) -> None:
    parser = PromptEscapeParser()
    assert parser.due_in is None
    assert keys(parser.feed("\x1b")) == []
    assert parser.due_in == pytest.approx(0.025)
    clock.now += 0.024
    assert keys(parser.tick()) == []
    clock.now += 0.002
    assert parser.due_in == 0.0
    assert keys(parser.tick()) == ["escape"]
    assert parser.due_in is None


def test_an_escape_followed_in_time_is_a_sequence(clock: Clock) -> None:
    parser = PromptEscapeParser()
    assert keys(parser.feed("\x1b")) == []
    clock.now += 0.024
    assert keys(parser.tick()) == []
    assert keys(parser.feed("[A")) == ["up"]
    assert parser.due_in is None


@pytest.mark.parametrize(
    "before",
    [
        ["x\x1b"],  # the end of a longer read
        ["\x1b[", "\x1b"],  # inside a sequence
        ["\x1b[200~pasted", "\x1b"],  # the first byte of a paste's end
        ["\x1b[20", "0~pasted", "\x1b"],  # the same, torn
    ],
)
def test_an_escape_that_may_be_half_of_something_waits_as_long_as_stock(before: list[str], clock: Clock) -> None:
    parser = PromptEscapeParser()
    for read in before:
        for _ in parser.feed(read):
            pass
    assert parser.due_in == pytest.approx(constants.ESCAPE_DELAY)
    assert constants.ESCAPE_DELAY > ESCAPE_DELAY_S


def test_after_a_paste_a_lone_escape_is_prompt_again(clock: Clock) -> None:
    parser = PromptEscapeParser()
    assert keys(parser.feed("\x1b[200~pasted\x1b[201~")) == ["Paste"]
    assert keys(parser.feed("\x1b")) == []
    assert parser.due_in == pytest.approx(ESCAPE_DELAY_S)


def test_the_driver_fits_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    assert console_driver() is PosixDriver
    monkeypatch.setattr(constants, "DRIVER", "textual.drivers.web_driver:WebDriver")
    assert console_driver() is None
    monkeypatch.setattr(constants, "DRIVER", None)
    monkeypatch.setattr(sys, "platform", "win32")
    assert console_driver() is None


class Wire(list[str]):
    """The bytes that reach the terminal, write by write."""

    def write(self, data: str) -> None:
        self.append(data)


@pytest.fixture
def driver() -> Iterator[PosixDriver]:
    """A driver whose terminal is a list: `written(driver)`."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}

    async def build() -> PosixDriver:
        return PosixDriver(App())

    driver = asyncio.run(build())
    driver._writer_thread = Wire()  # type: ignore[assignment]  # stands in for the thread
    yield driver
    for number, handler in before.items():
        signal.signal(number, handler)


def written(driver: PosixDriver) -> list[str]:
    return cast("Wire", driver._writer_thread)


def test_a_frame_without_changes_writes_nothing_not_even_its_brackets(driver: PosixDriver) -> None:
    frame = "\x1b[1;1Hone\x1b[1;1H"
    for _ in range(2):
        for data in (SYNC_START, frame, SYNC_END):
            driver.write(data)
    assert written(driver) == [f"{SYNC_START}\x1b[1Hone\x1b[1H", SYNC_END]


@pytest.mark.parametrize(
    ("data", "trusted"),
    [
        ("\x07", True),
        ("\x1b]52;c;c2VjcmV0\x07", True),
        ("\x1b]22;text\x07", True),
        ("\x1b[?1003h\x1b[?1006h", True),
        ("\x1b[<u", True),
        ("\x1b[2J", False),
        ("text", False),
    ],
)
def test_only_what_leaves_the_cells_alone_leaves_the_shadow(data: str, trusted: bool, driver: PosixDriver) -> None:
    frame = "\x1b[1;1Hone\x1b[1;1H"
    for piece in (frame, data, frame):
        driver.write(piece)
    assert written(driver) == ["\x1b[1Hone\x1b[1H", data, *([] if trusted else ["\x1b[1Hone\x1b[1H"])]


def key_console(*arguments: str, in_band_resize: bool = False) -> PtyTerminal:
    command = [sys.executable, "-m", "tests.unit.tui.key_console", *arguments]
    terminal = PtyTerminal(command, cwd=ROOT, in_band_resize=in_band_resize)
    terminal.wait_for("ready")
    terminal.settle()
    return terminal


def test_every_kind_of_input_arrives() -> None:
    with key_console() as terminal:
        terminal.press("a", "escape")
        terminal.wait_for("keys: a escape.")
        terminal.press("up", "ctrl+pagedown", "f1", "tab", "enter")
        terminal.wait_for("keys: a escape up ctrl+pagedown f1 tab enter.")
        terminal.paste("123 456")
        terminal.wait_for("enter paste:123 456.")
        terminal.send(b"\xe4x")
        terminal.wait_for("x.")


@pytest.mark.parametrize("in_band_resize", [False, True])
def test_quitting_leaves_nothing_on(in_band_resize: bool) -> None:
    with key_console(in_band_resize=in_band_resize) as terminal:
        terminal.type("\x1b[<35;4;2M" if not in_band_resize else "\x1b[<35;30;30M")
        terminal.wait_for(lambda terminal: b"\x1b]22;text\x07" in terminal.raw)
        assert "alternate screen" in terminal.left_on
        assert ("mouse pixels" in terminal.left_on) is in_band_resize
        terminal.press("ctrl+q")
        assert terminal.exit_code() == 0
        assert terminal.left_on == ()
        assert terminal.raw.rfind(b"\x1b]22;default\x07") > terminal.raw.rfind(b"\x1b]22;text\x07")


def test_stopping_twice_restores_the_terminal_once() -> None:
    with key_console() as terminal:
        terminal.send_signal(signal.SIGTERM)
        assert terminal.exit_code() == 143
        assert terminal.left_on == ()
        assert terminal.raw.count(b"\x1b[?1049l") == 1
        assert terminal.raw.count(b"\x1b[<u") == 1


def test_a_closed_window_ends_a_program_that_ignores_sighup() -> None:
    with key_console("deaf") as terminal:
        terminal.hang_up()
        assert terminal.exit_code() >= 0


class ClosedWindow(io.StringIO):
    """A stderr whose terminal is gone."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    def flush(self) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def close(self) -> None: ...


def test_writing_to_a_closed_window_neither_fails_nor_blocks() -> None:
    """More writes than Textual's queue holds: had its thread died of the first, the last would wait for good."""
    writer = WriterThread(cast("TextIO", _HangupSafeStream(ClosedWindow())))
    writer.start()

    def write_a_lot() -> None:
        for _ in range(2 * MAX_QUEUED_WRITES):
            writer.write("lost")
        writer.stop()

    application = Thread(target=write_a_lot, daemon=True)
    application.start()
    application.join(timeout=10)
    assert not application.is_alive()


def scribble(terminal: PtyTerminal) -> None:
    """Another program writes on the same terminal."""
    os.write(terminal._slave, b"\x1b7\x1b[H\x1b[2Jscribbled\x1b8")
    terminal.wait_for("scribbled")


def test_a_forced_repaint_heals_the_screen() -> None:
    with key_console() as terminal:
        scribble(terminal)
        terminal.press("f6")
        terminal.wait_for("a field")
        assert "scribbled" not in terminal.screen_text()


def test_a_resize_repaints_whole() -> None:
    with key_console() as terminal:
        scribble(terminal)
        terminal.resize(60, 20)
        terminal.wait_for("a field")
        assert "scribbled" not in terminal.screen_text()


def test_a_resize_and_back_repaints_too() -> None:
    """The size is as before, what the terminal shows is not."""
    with key_console() as terminal:
        scribble(terminal)
        terminal.send_signal(signal.SIGWINCH)
        terminal.wait_for("a field")
        assert "scribbled" not in terminal.screen_text()


def test_another_program_may_have_the_terminal_meanwhile() -> None:
    with key_console() as terminal:
        terminal.press("f5")
        terminal.wait_for(lambda terminal: terminal.raw.count(b"\x1b[?1049h") == 2)
        outside = terminal.raw.index(b"outside")
        assert terminal.raw.rindex(b"\x1b[?1049l", 0, outside) < outside
        terminal.press("b")
        terminal.wait_for(" b.")
        assert "a field" in terminal.screen_text()
        terminal.press("ctrl+q")
        assert terminal.exit_code() == 0
        assert terminal.left_on == ()


@pytest.mark.parametrize("how", ["ctrl+z", "SIGSTOP"])
def test_stopped_and_continued_it_shows_and_hears_as_before(how: str) -> None:
    with key_console() as terminal:
        if how == "ctrl+z":
            terminal.press("ctrl+z")
        else:
            terminal.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.pid, os.WSTOPPED | os.WNOWAIT)
        scribble(terminal)
        terminal.send_signal(signal.SIGCONT)
        terminal.wait_for("a field")
        terminal.press("b")
        terminal.wait_for(" b.")
        assert "scribbled" not in terminal.screen_text()
        terminal.press("ctrl+q")
        assert terminal.exit_code() == 0
        assert terminal.left_on == ()
