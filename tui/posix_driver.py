"""The POSIX terminal driver: Textual's Linux driver with diffed output, a fast Esc and a fast exit.

Textual polls the keyboard every 100 ms (8.2.8), so a lone Esc takes up to 200 ms and an exit waits for two polls. Here
the input thread sleeps until there is input, until a lone Esc is due, or until a pipe wakes it to end.

It relies on private names of Textual; tests/unit/test_textual_internals.py lists them.
"""

import os
import re
import selectors
import signal
from codecs import getincrementaldecoder
from collections.abc import Iterable
from errno import EIO
from io import TextIOWrapper
from types import FrameType
from typing import Any, Final, TextIO, cast

from textual import constants, events, messages
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._parser import ParseError
from textual._time import get_time
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui.diffed_output import DiffedOutput
from tui.terminal import ASCII, UTF_8, erases_in_background

ESCAPE_DELAY_S: Final = constants.ESCAPE_DELAY if "ESCDELAY" in os.environ else 0.025
"""Seconds in which an ESC may be the start of a sequence. A terminal sends a sequence in one write, so 25 ms are enough
even over SSH; ESCDELAY (milliseconds) sets more for a slower line, as for ncurses."""

_CURSOR_NEUTRAL: Final = re.compile(
    r"(?:\x07"  # bell
    r"|\x1b\[[?<>=][\d;]*\$?[A-Za-z]"  # private modes and queries
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, pointer shapes, the clipboard
    r")*"
)
_POINTER_SHAPE_PREFIX: Final = "\x1b]22;"
_DEFAULT_POINTER: Final = f"{_POINTER_SHAPE_PREFIX}default\x07"


class PromptEscapeParser(XTermParser):
    """Textual's parser, but an ESC that arrives alone is a key after `ESCAPE_DELAY_S`.

    Any other ESC keeps Textual's timing: at the end of a longer read, in a sequence and in a paste it may be the first
    half of something.
    """

    def __init__(self, debug: bool = False) -> None:
        self._pasting = False
        self._tail = ""
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        idle = self._timeout_time is None and not self._pasting
        yield from super().feed(data)
        if data == "\x1b" and idle and self._timeout_time is not None:
            self._timeout_time = get_time() + ESCAPE_DELAY_S
        seen = self._tail + data
        begun, ended = seen.rfind(BRACKETED_PASTE_START), seen.rfind(BRACKETED_PASTE_END)
        if begun != ended:
            self._pasting = begun > ended
        self._tail = seen[1 - len(BRACKETED_PASTE_END) :]

    @property
    def due_in(self) -> float | None:
        """Seconds until `tick` has something to decide; None while nothing is pending."""
        return None if self._timeout_time is None else max(0.0, self._timeout_time - get_time())


class _HangupSafeStream:
    """A text stream that ignores writes once its terminal is gone.

    An OSError would end Textual's writer thread; the next full queue would then block the event loop, and the process
    would never exit.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            return

    def fileno(self) -> int:
        return self._file.fileno()


class PosixDriver(LinuxDriver):
    """Display and input on a POSIX terminal."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is not None:
            self._file = cast("TextIOWrapper", _HangupSafeStream(self._file))
        self._output = DiffedOutput(erases_in_background=erases_in_background(os.environ, self.fileno))
        self._sync_held = False
        self._pointer_changed = False
        self._in_application_mode = False
        self._wake: tuple[int, int] | None = None

    @property
    def _typed_in(self) -> str:
        """The encoding of the keyboard. A terminal that is set to ASCII may send UTF-8 all the same."""
        characters: str = getattr(self._app, "character_set", UTF_8)
        return UTF_8 if characters == ASCII else characters

    def repaint(self) -> None:
        """Write the whole screen again. Safe from a signal handler or another thread."""
        self._output.forget()
        self.send_message(events.Callback(self._refresh_all))

    def _refresh_all(self) -> None:
        self._app.refresh(layout=True)

    def write(self, data: str) -> None:
        """Write a frame as its difference from the screen, and anything else unchanged. See `Driver.write`."""
        if data == SYNC_START:
            self._sync_held = True
        elif data == SYNC_END and self._sync_held:
            self._sync_held = False
        elif data.startswith("\x1b[") and data[2:3].isdigit():
            if changes := self._output.render(data, self._app.size):
                super().write(SYNC_START + changes if self._sync_held else changes)
                self._sync_held = False
        else:
            if data.startswith(_POINTER_SHAPE_PREFIX):
                was_changed, self._pointer_changed = self._pointer_changed, data != _DEFAULT_POINTER
                if not (was_changed or self._pointer_changed):
                    return
            elif not _CURSOR_NEUTRAL.fullmatch(data):
                self._output.forget()
            super().write(data)

    def start_application_mode(self) -> None:
        """Enter application mode; if already in it (continued after a SIGSTOP), leave it first.

        After a return the screen is repainted, because Textual waits for a change before it paints again.
        """
        if self._in_application_mode:
            self.suspend_application_mode()
        self._output.forget()
        self._wake = os.pipe()
        thread = self._key_thread
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual leaves it unannotated
        if self._key_thread is thread:
            # Textual gave up because the process is in the background; SIGCONT tries again.
            self._close_wake()
            return
        self._in_application_mode = True
        if thread is not None:
            self.repaint()
        stock_handler = signal.getsignal(signal.SIGWINCH)

        def resized(number: int, frame: FrameType | None) -> None:
            if callable(stock_handler):
                stock_handler(number, frame)
            # Textual ignores two resizes that end at the old size, but the terminal has cut its lines.
            self.repaint()

        signal.signal(signal.SIGWINCH, resized)

    def stop_application_mode(self) -> None:
        """Leave application mode and restore the terminal. Does nothing the second time."""
        if not self._in_application_mode:
            return
        self._in_application_mode = False
        if self._mouse_pixels:
            self.write("\x1b[?1016l")
            self._mouse_pixels = False
        if self._pointer_changed:
            self.write(_DEFAULT_POINTER)
            self._pointer_changed = False
        super().stop_application_mode()

    def disable_input(self) -> None:
        """Wake the input thread and wait for its end."""
        if self._wake is not None:
            os.write(self._wake[1], b"\0")
        super().disable_input()
        self._close_wake()

    def _close_wake(self) -> None:
        if self._wake is not None:
            for descriptor in self._wake:
                os.close(descriptor)
            self._wake = None

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.Resize):
            self._output.forget()
        super().process_message(message)

    def run_input_thread(self) -> None:
        """Read the terminal until woken to end, or until it is gone, which ends the application."""
        if not self.input_tty or self._wake is None:
            super().run_input_thread()
            return
        parser = PromptEscapeParser(self._debug)
        # A byte that is none of the character set must not end the thread.
        decode = getincrementaldecoder(self._typed_in)(errors="replace").decode
        wake = self._wake[0]
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select(parser.due_in)}
                if wake in ready:
                    break
                if self.fileno in ready:
                    data = self._read()
                    if not data:
                        self.process_message(messages.ExitApp())
                        break
                    if text := decode(data):
                        self._process_all(parser.feed(text))
                self._process_all(parser.tick())
        try:
            for _ in parser.feed(""):
                pass
        except (EOFError, ParseError):
            pass

    def _process_all(self, tokens: Iterable[Message]) -> None:
        for token in tokens:
            self.process_message(token)

    def _read(self) -> bytes:
        """The bytes that were typed; none once the terminal has hung up (a read then fails with EIO, termios(3))."""
        try:
            return os.read(self.fileno, 4096)
        except OSError as error:
            if error.errno != EIO:
                raise
            return b""
