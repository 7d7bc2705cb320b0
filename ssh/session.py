"""One session: the channel of a client on one side, the streams of a console or a command on the other.

The exit status goes out after the last output: a client that has it stops reading.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

import asyncssh

from ssh.consoles import Console
from ssh.fork_request import MAX_COMMAND_BYTES, terminal_type
from ssh.streams import Input, Output

LOGGER: Final = logging.getLogger("gatekey.ssh")
DRAIN_TIMEOUT_S: Final = 30.0
"""Seconds in which a client has to read some of the output that was left at the end."""
MAX_DRAINS: Final = 20
NO_TERMINAL: Final = "The console needs a terminal. Ask for one: ssh -t"
TOO_LONG: Final = f"A command line over SSH has at most {MAX_COMMAND_BYTES} bytes."
COMMAND_LIMIT_S: Final = 3600.0
"""Seconds that a command may take: as long as a session without use. Each is a process of the server."""
TOO_SLOW: Final = "The command took longer than an hour, so it was ended."
CANNOT_START: Final = "The console could not be started. Try again in a moment."
STOPPED: Final = "The server has ended this session."
KILLED: Final = "This console ended unexpectedly. Everything you saved is kept."
KILLED_COMMAND: Final = "The command ended unexpectedly. Look at what it has done before you repeat it."
RESTORE: Final = b"\x1b[?1000;1002;1003;1004;1006;1015;1016;2004l\x1b[<u\x1b[?1049l\x1b[?7;25h\x1b[0m\r"
"""Takes a terminal back from a console that could not do it itself: mouse, focus, paste, keyboard, cursor, screen."""


class ConsoleFactory(Protocol):
    """Opens the console or the command of a connection."""

    def __call__(
        self,
        channel: "asyncssh.SSHServerChannel[bytes]",
        command: str | None,
        term: str,
        size: tuple[int, int] | None,
    ) -> Console:
        """`size` is that of the terminal; None without one. Raises OSError."""
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
        self._command: str | None = None
        self._refusal: tuple[str, int] | None = None
        self._input: Input | None = None
        self._outputs: tuple[Output, ...] = ()
        self._is_channel_full = False
        self._is_connection_full = False
        self._ended_by = ""
        """The sentence of the one who has ended the console; empty if it ended itself."""
        self._has_progressed = False
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def stop(self, sentence: str = STOPPED) -> None:
        """Let the console end, because the server does. The client still gets what it writes."""
        self._ended_by = sentence
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

    def refuse(self, sentence: str) -> None:
        """Tell the client a sentence in place of whatever it asks for next."""
        self._refusal = (sentence, 1)

    def exec_requested(self, command: str) -> bool:
        self._command = command
        if len(command.encode()) > MAX_COMMAND_BYTES:
            self._refusal = (TOO_LONG, 2)
        return True

    def subsystem_requested(self, subsystem: str) -> bool:  # noqa: ARG002 - the drawer has a session of its own
        return self._refusal is not None

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:  # noqa: ARG002
        self._size = (width, height)
        if self.console is not None:
            self.console.resize(width, height)

    def signal_received(self, signal: str) -> None:
        is_end = signal in ("HUP", "TERM") or (signal in ("INT", "QUIT", "KILL") and self._command is not None)
        if is_end and self.console is not None:
            self.console.hang_up()

    def session_started(self) -> None:
        self._started()
        channel = self._channel
        if channel is None:
            return
        if self._refusal is None:
            size = None if self._term is None else self._size
            try:
                self.console = self._open_console(channel, self._command, self._term or "", size)
            except OSError as error:
                LOGGER.warning("A console could not be started: %s", error.strerror or "the zygote does not answer")
                self._refusal = (CANNOT_START, 1)
            else:
                self._begin(channel, self.console)
                return
        sentence, status = self._refusal
        self._say_aside(channel, sentence)
        channel.exit(status)

    def _begin(self, channel: "asyncssh.SSHServerChannel[bytes]", console: Console) -> None:
        streams = console.streams
        self._outputs = tuple(
            Output(descriptor, partial(self._send, datatype), self._exit_if_over)
            for descriptor, datatype in zip(streams.outputs, (None, asyncssh.EXTENDED_DATA_STDERR), strict=False)
        )
        self._input = Input(
            streams.input, is_terminal=streams.is_terminal, full=channel.pause_reading, free=channel.resume_reading
        )
        console.finished.add_done_callback(self._console_ended)
        if self._command is not None:
            self._timer = self._loop.call_later(COMMAND_LIMIT_S, self.stop, TOO_SLOW)
        self._read_on()

    # -- from the console to the client -----------------------------------------------------------------------

    def pause_writing(self) -> None:
        self._is_channel_full = True
        self._read_no_more()

    def resume_writing(self) -> None:
        self._is_channel_full = False
        self._read_on()
        self._exit_if_over()

    def hold(self) -> None:
        """Read no output from now on: the connection has no room for it, whatever the channel's window is."""
        self._is_connection_full = True
        self._read_no_more()

    def let_go(self) -> None:
        """Read output again."""
        self._is_connection_full = False
        self._read_on()

    def _send(self, datatype: int | None, data: bytes) -> None:
        self._has_progressed = True
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(data, datatype)

    def _read_on(self) -> None:
        if self._channel is not None and not self._is_channel_full and not self._is_connection_full:
            for output in self._outputs:
                output.read_on()

    def _read_no_more(self) -> None:
        for output in self._outputs:
            output.read_no_more()

    def _console_ended(self, _status: "asyncio.Future[int]") -> None:
        if self._channel is not None:
            self._stop_timer()
            self._timer = self._loop.call_later(DRAIN_TIMEOUT_S, self._give_up, MAX_DRAINS)
            self._exit_if_over()

    def _exit_if_over(self) -> None:
        console, channel = self.console, self._channel
        if console is None or channel is None or channel.is_closing():
            return
        if not console.finished.done() or not all(output.is_over for output in self._outputs):
            return
        if channel.get_write_buffer_size():
            # `resume_writing` is called once the client has room for all of it.
            channel.set_write_buffer_limits(0)
            return
        status = console.finished.result()
        if status < 0:
            sentence = self._ended_by or (KILLED if self._command is None else KILLED_COMMAND)
            self._say(channel, sentence)
            channel.exit_with_signal(_signal_name(-status), msg=sentence)
        else:
            if self._ended_by:
                self._say(channel, self._ended_by)
            channel.exit(status)

    def _say(self, channel: "asyncssh.SSHServerChannel[bytes]", sentence: str) -> None:
        if self._command is not None:
            self._say_aside(channel, sentence)
            return
        is_killed = self.console is not None and self.console.finished.result() < 0
        channel.write((RESTORE if is_killed else b"") + f"gatekey: {sentence}\r\n".encode())

    def _say_aside(self, channel: "asyncssh.SSHServerChannel[bytes]", sentence: str) -> None:
        line_end = "\n" if self._term is None else "\r\n"
        channel.write_stderr(f"gatekey: {sentence}{line_end}".encode())

    def _give_up(self, drains: int) -> None:
        """Close a channel whose client does not read what is left. One that reads gets more time, `drains` times."""
        if self._channel is None:
            return
        left = self._channel.get_write_buffer_size()
        if drains and (self._has_progressed or left < self._left):
            self._timer = self._loop.call_later(DRAIN_TIMEOUT_S, self._give_up, drains - 1)
        else:
            self._channel.abort()
        self._left, self._has_progressed = left, False

    # -- from the client to the console -----------------------------------------------------------------------

    def data_received(self, data: bytes, datatype: int | None) -> None:  # noqa: ARG002 - a server gets only one type
        if self._input is not None:
            self._input.write(data)

    def eof_received(self) -> bool:
        """The client sends no more. A console without a keyboard would never end; a command reads on to the end."""
        if self._command is None and self.console is not None:
            self.console.hang_up()
        elif self._input is not None:
            self._input.end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the client is gone either way
        self._channel = None
        self._stop_timer()
        if self.console is not None:
            self._read_no_more()
            if self._input is not None:
                self._input.close()
            # The kernel sends SIGHUP as a terminal goes, and the zygote sends SIGKILL to a console that stays.
            self.console.close_outputs()
            self.console.hang_up()
        self._closed()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _signal_name(number: int) -> str:
    """The name of a signal as SSH has it (RFC 4254, 6.10)."""
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return f"{number}@gatekey"
