"""The streams of a process behind a channel: what it writes, read as fast as the client takes it, and its input."""

import asyncio
import logging
import os
from collections.abc import Callable
from errno import EIO
from typing import Final

LOGGER: Final = logging.getLogger("gatekey.ssh")
READ_BYTES: Final = 65_536
_END_OF_INPUT: Final = b"\x04\x04"
"""Control+D at a terminal: the first one ends a line that was begun, the second one the input (termios(3), VEOF)."""


class Output:
    """One output of a process: a pipe, or its terminal."""

    def __init__(self, descriptor: int, write: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """`write` takes what was read, and `ended` is called once everything was."""
        self.is_over = False
        self._descriptor = descriptor
        self._write = write
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._is_reading = False

    def read_on(self) -> None:
        if not self.is_over and not self._is_reading:
            self._is_reading = True
            self._loop.add_reader(self._descriptor, self._read)

    def read_no_more(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._descriptor)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            # The far end of the terminal is closed, and everything was read (pty(7)).
            if error.errno != EIO:
                LOGGER.warning("An output could not be read: %s", error.strerror)
            data = b""
        if data:
            self._write(data)
            return
        self.read_no_more()
        self.is_over = True
        self._ended()


class Input:
    """The input of a process. What it does not take yet is kept, and the client is told to wait."""

    def __init__(self, descriptor: int, *, is_terminal: bool, full: Callable[[], None], free: Callable[[], None]):
        """`full` is called when the client has to wait, `free` when it may go on."""
        self._descriptor = descriptor
        self._is_terminal = is_terminal
        self._full = full
        self._free = free
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._is_ending = False

    def write(self, data: bytes) -> None:
        if self._descriptor < 0:
            return
        if not self._waiting:
            data = data[self._write(data) :]
        if data:
            self._waiting += data
            self._loop.add_writer(self._descriptor, self._write_on)
            self._full()

    def end(self) -> None:
        """Tell the process that nothing follows, once it has taken what there is."""
        if self._is_terminal:
            self.write(_END_OF_INPUT)
        elif not self._waiting:
            self.close()
        self._is_ending = True

    def write_no_more(self) -> None:
        if self._waiting:
            self._waiting.clear()
            self._loop.remove_writer(self._descriptor)

    def close(self) -> None:
        """Close a pipe; a terminal is closed by its owner."""
        self.write_no_more()
        if not self._is_terminal and self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # the process has ended, or has closed its input

    def _write_on(self) -> None:
        del self._waiting[: self._write(bytes(self._waiting))]
        if self._waiting:
            return
        self._loop.remove_writer(self._descriptor)
        self._free()
        if self._is_ending and not self._is_terminal:
            self.close()
