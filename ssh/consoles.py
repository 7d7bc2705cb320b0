"""The consoles of the front process: each is a process that the zygote has forked, behind a pty or behind pipes."""

import asyncio
import fcntl
import os
import socket
import struct
import sys
import termios
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Final, NamedTuple

from ssh.fork_request import DIGEST, ConsoleRequest, Descriptors, RunZygote, send_descriptors
from ssh.zygote import READY, STATUS, serve_forks
from store.errors import CannotListen

MAX_COLUMNS: Final = 1000
MAX_LINES: Final = 500
"""A console draws every cell of its terminal: no window is larger."""
DEFAULT_SIZE: Final = (80, 24)
LOST: Final = -9
"""The status of a console whose zygote is gone."""
MAX_ANNOUNCED: Final = 16
"""Sessions that are ended behind a console. It holds one, and those that it could not end yet."""
_SEND_TIMEOUT_S: Final = 5.0


class Streams(NamedTuple):
    """The near ends of the streams of a process."""

    input: int
    outputs: tuple[int, ...]
    """The terminal alone, or standard output and standard error."""

    @property
    def is_terminal(self) -> bool:
        return self.outputs == (self.input,)


class Console:
    """One console, or one command. The caller reads and writes its streams, which do not block."""

    def __init__(
        self, streams: "Streams", control: socket.socket, told: socket.socket, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.streams = streams
        self.announced: deque[bytes] = deque(maxlen=MAX_ANNOUNCED)
        """The sessions that the console opened itself, complete once it is finished."""
        self.finished: asyncio.Future[int] = loop.create_future()
        """The exit status, or minus the signal that ended the process."""
        self._control = control
        self._told = told
        self._rest = b""
        self._is_closed = False
        self._loop = loop
        for each in (control, told):
            each.setblocking(False)
        loop.add_reader(control, self._ended)
        loop.add_reader(told, self._hear)

    def resize(self, columns: int, lines: int) -> None:
        """Tell the console the size of its window in cells; the kernel sends SIGWINCH."""
        if self.streams.is_terminal and not self._is_closed:
            set_size(self.streams.input, columns, lines)

    def hang_up(self) -> None:
        """Let the console end, and be killed if it does not."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    def close_outputs(self) -> None:
        """Close the pty, or the pipes of the output. The caller reads and writes them no more."""
        if not self._is_closed:
            self._is_closed = True
            for descriptor in self.streams.outputs:
                os.close(descriptor)

    def _ended(self) -> None:
        try:
            report = self._control.recv(STATUS.size)
        except OSError:
            report = b""
        self._loop.remove_reader(self._control)
        self._control.close()
        while self._hear():
            pass
        self._loop.remove_reader(self._told)
        self._told.close()
        if not self.finished.done():
            self.finished.set_result(STATUS.unpack(report)[0] if len(report) == STATUS.size else LOST)

    def _hear(self) -> bool:
        """Read announcements; False if there are none now."""
        try:
            heard = self._told.recv(DIGEST.size * MAX_ANNOUNCED)
        except BlockingIOError:
            return False
        except OSError:
            heard = b""
        if not heard:
            self._loop.remove_reader(self._told)
            return False
        heard = self._rest + heard
        whole = len(heard) // DIGEST.size * DIGEST.size
        self.announced += (hashed for (hashed,) in DIGEST.iter_unpack(heard[:whole]))
        self._rest = heard[whole:]
        return True


class Consoles:
    """The zygote, as the front process sees it."""

    def __init__(self, channel: socket.socket, pid: int) -> None:
        self.pid = pid
        self._channel = channel

    def wait_until_ready(self) -> None:
        """Block until the console is loaded. Raises `CannotListen`."""
        if self._channel.recv(len(READY)) != READY:
            raise CannotListen("The process that holds the console could not start.")
        self._channel.settimeout(_SEND_TIMEOUT_S)

    def watch(self, ended: Callable[[], None]) -> None:
        """Call `ended` once the zygote is gone. Call it on the event loop."""
        loop = asyncio.get_running_loop()

        def gone() -> None:
            loop.remove_reader(self._channel)
            ended()

        loop.add_reader(self._channel, gone)

    def open(self, request: ConsoleRequest, size: tuple[int, int] | None) -> Console:
        """A new console on a terminal of `size`, columns and lines; on three pipes without one. Raises OSError."""
        with ExitStack() as ends, ExitStack() as kept:
            streams, far_streams = _pipes(kept, ends) if size is None else _terminal(size, kept, ends)
            (near, far), (asking, asked) = socket.socketpair(), socket.socketpair()
            for mine, other in ((near, far), (asking, asked)):
                kept.callback(mine.close)
                ends.callback(other.close)
            send_descriptors(self._channel, Descriptors(asked.fileno(), far.fileno(), far_streams))
            asking.sendall(request.to_bytes())
            asking.shutdown(socket.SHUT_WR)
            kept.pop_all()
            return Console(streams, near, asking, asyncio.get_running_loop())

    def close(self) -> None:
        """Let the zygote end, with whatever consoles are left."""
        self._channel.close()

    def wait(self) -> None:
        """Wait for the end of the zygote, which waits for its consoles. Blocks."""
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def start_zygote(run: RunZygote) -> Consoles:
    """Fork the zygote. Call it before this process has a second thread, an event loop or an open store."""
    near, far = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        try:
            near.close()
            serve_forks(far, run)
        finally:
            os._exit(1)
    far.close()
    return Consoles(near, pid)


def _terminal(size: tuple[int, int], kept: ExitStack, ends: ExitStack) -> tuple[Streams, tuple[int, ...]]:
    master, slave = os.openpty()
    kept.callback(os.close, master)
    ends.callback(os.close, slave)
    set_size(master, *size)
    os.set_blocking(master, False)
    return Streams(master, (master,)), (slave,)


def _pipes(kept: ExitStack, ends: ExitStack) -> tuple[Streams, tuple[int, ...]]:
    near, far = [], []
    for is_input in (True, False, False):
        readable, writable = os.pipe()
        mine, other = (writable, readable) if is_input else (readable, writable)
        kept.callback(os.close, mine)
        ends.callback(os.close, other)
        os.set_blocking(mine, False)
        near.append(mine)
        far.append(other)
    return Streams(near[0], tuple(near[1:])), tuple(far)


def set_size(terminal: int, columns: int, lines: int) -> None:
    """Set the size of a pty in cells, within bounds. A size of 0 stands for one that is not known."""
    columns = min(columns or DEFAULT_SIZE[0], MAX_COLUMNS)
    lines = min(lines or DEFAULT_SIZE[1], MAX_LINES)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
