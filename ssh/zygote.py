"""The zygote: a process that has loaded the console, and forks one for each session.

It is forked before the front process has a thread, an event loop, an open store or a host key. It opens no store
itself: each child does, after the fork. It is the parent of every console, so it alone waits for them and signals
them: a process id is never signalled after its process was waited for.
"""

import gc
import os
import selectors
import signal
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn

from ssh.child import begin, end_alone, forget_terminal, fresh_streams, guarded
from ssh.fork_request import Arrival, ConsoleRequest, Descriptors, RunZygote, receive_descriptors
from tui.crash import ignore_hangups
from tui.fast_exit import end_process

READY: Final = b"!"
STATUS: Final = struct.Struct("!i")
"""The report on the end of a console: its exit status, or minus the signal that ended it."""
HANGUP_GRACE_S: Final = 10.0
"""Seconds from SIGHUP to SIGKILL: longer than a console waits for a busy database at its end."""


@dataclass(slots=True)
class _Child:
    pid: int
    control: socket.socket
    kill_at: float | None = None
    """The time of its kill, by `time.monotonic`."""


def serve_forks(channel: socket.socket, run: RunZygote) -> NoReturn:
    """Prepare the console, say so, and fork a child for each request until the other end of `channel` is closed.

    Then every console is hung up, and the process ends. In each child `run` goes on, and the process ends with it.
    """
    # The front process decides when a console ends. A service manager may signal the whole group.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    ignore_hangups()
    os.setsid()
    forget_terminal()
    fresh_streams(is_command=False)
    end_process(guarded(lambda: run(_Forks(channel).wait)))


class _Forks:
    def __init__(self, channel: socket.socket) -> None:
        self._channel: socket.socket | None = channel
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        for each in (self._woken, self._waker):
            each.setblocking(False)
        self._selector.register(channel, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def wait(self, fits: Callable[[ConsoleRequest], bool], run_alone: Callable[[Arrival], int]) -> Arrival:
        """Say that the console is prepared, and fork; see `ssh.fork_request.WaitForArrival`.

        The process ends when the front process is gone and no child is left. No exception leaves this function: it
        would unwind into the event loop that the zygote has prepared.
        """
        goes_on = False
        try:
            self._begin()
            descriptors = self._serve()
            if descriptors is None:
                end_process(0)
            arrival = begin(descriptors.streams, descriptors.request)
            goes_on = fits(arrival.request)
            if not goes_on:
                end_alone(arrival, run_alone)
        finally:
            if not goes_on:
                end_process(1)
        return arrival

    def _begin(self) -> None:
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        gc.collect()
        # Collections in the children would write to every object, and each written page is a page of its own.
        gc.freeze()
        if self._channel is not None:
            self._channel.sendall(READY)

    def _serve(self) -> Descriptors | None:
        """Return in each child the descriptors that it gets, and None in the zygote once no child is left."""
        while self._channel is not None or self._children:
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is self._channel:
                    mine = self._take_request(self._channel)
                    if mine is not None:
                        return mine
                elif key.fileobj is self._woken:
                    self._drain_wakeups()
                else:
                    self._hang_up(key.data)
            self._reap()
            self._kill_overdue()
        return None

    def _patience(self) -> float | None:
        due = [child.kill_at for child in self._children.values() if child.kill_at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _take_request(self, channel: socket.socket) -> Descriptors | None:
        """Fork a child for the next request; see `_serve`."""
        try:
            descriptors = receive_descriptors(channel)
        except OSError:
            return None
        if descriptors is not None:
            return self._fork(descriptors)
        self._selector.unregister(channel)
        channel.close()
        self._channel = None
        for child in list(self._children.values()):
            if child.kill_at is None:
                self._hang_up(child)
        return None

    def _fork(self, descriptors: Descriptors) -> Descriptors | None:
        control = socket.socket(fileno=descriptors.control)
        try:
            pid = os.fork()
        except OSError:
            pid = -1
        if pid == 0:
            self._leave(control)
            return descriptors
        for each in (*descriptors.streams, descriptors.request):
            os.close(each)
        if pid < 0:
            control.close()
            return None
        child = self._children[pid] = _Child(pid, control)
        self._selector.register(control, selectors.EVENT_READ, child)
        return None

    def _leave(self, control: socket.socket) -> None:
        """In the child: close what belongs to the zygote and to other consoles."""
        signal.set_wakeup_fd(-1)
        for child in self._children.values():
            child.control.close()
        for each in (control, self._channel, self._woken, self._waker):
            if each is not None:
                each.close()
        self._selector.close()

    def _hang_up(self, child: _Child) -> None:
        """The front process wants this console to end."""
        with suppress(KeyError):
            self._selector.unregister(child.control)
        if child.pid in self._children:
            os.kill(child.pid, signal.SIGHUP)
            child.kill_at = time.monotonic() + HANGUP_GRACE_S

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if child.kill_at is not None and child.kill_at <= now:
                os.kill(child.pid, signal.SIGKILL)
                child.kill_at = now + HANGUP_GRACE_S

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(pid)
            with suppress(KeyError):
                self._selector.unregister(child.control)
            with suppress(OSError):
                child.control.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))
            child.control.close()

    def _drain_wakeups(self) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass
