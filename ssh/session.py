"""One session: the channel of a client on one side, the pty of a console on the other.

The exit status goes out after the last output: a client that has it stops reading.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping
from errno import EIO
from typing import Final, Protocol

import asyncssh

from ssh.consoles import Console
from ssh.fork_request import terminal_type

LOGGER: Final = logging.getLogger("gatekey.ssh")
READ_BYTES: Final = 65_536
DRAIN_TIMEOUT_S: Final = 10.0
"""Seconds that a client may take to read the output that a console left at its end."""
NO_TERMINAL: Final = "The console needs a terminal. Ask for one: ssh -t"
NO_COMMANDS: Final = "The console answers no commands over SSH. Connect without one."
CANNOT_START: Final = "The console could not be started. Try again in a moment."
STOPPED: Final = "The server has ended this session."
KILLED: Final = "This console ended unexpectedly. Everything you saved is kept."
RESTORE: Final = b"\x1b[?1000;1002;1003;1004;1006;1015;1016;2004l\x1b[<u\x1b[?1049l\x1b[?7;25h\x1b[0m\r"
"""Takes a terminal back from a console that could not do it itself: mouse, focus, paste, keyboard, cursor, screen."""


class ConsoleFactory(Protocol):
    """Opens the console of a connection."""

    def __call__(self, channel: "asyncssh.SSHServerChannel[bytes]", term: str, columns: int, lines: int) -> Console:
        """Raises OSError."""
        ...


class ConsoleSession(asyncssh.SSHServerSession[bytes]):
    """The session of a channel. One channel has one session, and a connection has one channel."""

    def __init__(
        self, open_console: ConsoleFactory, *, started: Callable[[], None], closed: Callable[[], None]
    ) -> None:
        """`started` is called when the client asks for a shell or a command, `closed` when the channel is closed."""
        self._open_console = open_console
        self._started = started
        self._closed = closed
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self.console: Console | None = None
        """None until it is open."""
        self._loop = asyncio.get_running_loop()
        self._term: str | None = None
        self._size = (0, 0)
        self._refusal: tuple[str, int] | None = None
        self._typed = bytearray()
        self._is_reading = False
        self._output_ended = False
        self._is_stopped = False
        self._drain_timer: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Let the console end, because the server does. The client still gets what it writes."""
        self._is_stopped = True
        if self.console is not None:
            self.console.hang_up()

    # -- what the client asks for -----------------------------------------------------------------------------

    def connection_made(self, chan: "asyncssh.SSHServerChannel[bytes]") -> None:
        self._channel = chan

    def pty_requested(
        self,
        term_type: str,
        term_size: tuple[int, int, int, int],
        term_modes: Mapping[int, int],  # noqa: ARG002 - the console sets its own
    ) -> bool:
        self._term, self._size = terminal_type(term_type), term_size[:2]
        return True

    def shell_requested(self) -> bool:
        if self._term is None:
            self._refusal = (NO_TERMINAL, 2)
        return True

    def exec_requested(self, command: str) -> bool:  # noqa: ARG002 - none is run
        self._refusal = (NO_COMMANDS, 1)
        return True

    def subsystem_requested(self, subsystem: str) -> bool:  # noqa: ARG002 - there is none
        return False

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:  # noqa: ARG002
        self._size = (width, height)
        if self.console is not None:
            self.console.resize(width, height)

    def signal_received(self, signal: str) -> None:
        if signal in ("HUP", "TERM") and self.console is not None:
            self.console.hang_up()

    def session_started(self) -> None:
        self._started()
        if self._channel is None:
            return
        if self._refusal is None:
            try:
                self.console = self._open_console(self._channel, self._term or "", *self._size)
            except OSError as error:
                LOGGER.warning("A console could not be started: %s", error.strerror or "the zygote does not answer")
                self._refusal = (CANNOT_START, 1)
            else:
                self.console.finished.add_done_callback(self._console_ended)
                self._read_on()
                return
        sentence, status = self._refusal
        self._channel.write_stderr(f"gatekey: {sentence}\r\n".encode())
        self._channel.exit(status)

    # -- from the console to the client -----------------------------------------------------------------------

    def pause_writing(self) -> None:
        self._read_no_more()

    def resume_writing(self) -> None:
        self._read_on()

    def _read_on(self) -> None:
        console = self.console
        if console is not None and console.terminal >= 0 and not self._output_ended and not self._is_reading:
            self._is_reading = True
            self._loop.add_reader(console.terminal, self._output)

    def _read_no_more(self) -> None:
        if self._is_reading and self.console is not None:
            self._is_reading = False
            self._loop.remove_reader(self.console.terminal)

    def _output(self) -> None:
        console, channel = self.console, self._channel
        if console is None or channel is None:
            return
        try:
            data = os.read(console.terminal, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            # The far end is closed, and everything was read (pty(7)).
            if error.errno != EIO:
                LOGGER.warning("A terminal could not be read: %s", error.strerror)
            data = b""
        if data:
            channel.write(data)
            return
        self._read_no_more()
        self._output_ended = True
        self._exit_if_over()

    def _console_ended(self, _status: "asyncio.Future[int]") -> None:
        self._drain_timer = self._loop.call_later(DRAIN_TIMEOUT_S, self._give_up)
        self._exit_if_over()

    def _exit_if_over(self) -> None:
        console, channel = self.console, self._channel
        if console is None or channel is None or not console.finished.done() or not self._output_ended:
            return
        status = console.finished.result()
        if status < 0:
            sentence = STOPPED if self._is_stopped else KILLED
            channel.write(RESTORE + f"gatekey: {sentence}\r\n".encode())
            channel.exit_with_signal(_signal_name(-status), msg=sentence)
        else:
            if self._is_stopped:
                channel.write(f"gatekey: {STOPPED}\r\n".encode())
            channel.exit(status)

    def _give_up(self) -> None:
        """The client does not read what is left."""
        if self._channel is not None:
            self._channel.abort()

    # -- from the client to the console -----------------------------------------------------------------------

    def data_received(self, data: bytes, datatype: int | None) -> None:  # noqa: ARG002 - a server gets only one type
        if self.console is None or self.console.terminal < 0:
            return
        if not self._typed:
            data = data[self._write(data) :]
        if data:
            self._typed += data
            self._loop.add_writer(self.console.terminal, self._write_on)
            if self._channel is not None:
                self._channel.pause_reading()

    def eof_received(self) -> bool:
        """The client sends no more keys. A console without a keyboard would never end."""
        if self.console is not None:
            self.console.hang_up()
        return True

    def _write(self, data: bytes) -> int:
        if self.console is None:
            return len(data)
        try:
            return os.write(self.console.terminal, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # the console has ended

    def _write_on(self) -> None:
        del self._typed[: self._write(bytes(self._typed))]
        if not self._typed:
            self._write_no_more()
            if self._channel is not None:
                self._channel.resume_reading()

    def _write_no_more(self) -> None:
        if self.console is not None and self.console.terminal >= 0:
            self._loop.remove_writer(self.console.terminal)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the client is gone either way
        self._channel = None
        if self._drain_timer is not None:
            self._drain_timer.cancel()
        if self.console is not None:
            self._read_no_more()
            self._write_no_more()
            # The kernel sends SIGHUP as the terminal goes, and the zygote sends SIGKILL to a console that stays.
            self.console.close_terminal()
            self.console.hang_up()
        self._closed()


def _signal_name(number: int) -> str:
    """The name of a signal as SSH has it (RFC 4254, 6.10)."""
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return f"{number}@gatekey"
