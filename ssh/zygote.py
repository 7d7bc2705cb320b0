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

from ssh.child import become_console
from ssh.fork_request import Descriptors, RunConsole, receive_descriptors
from tui.crash import ignore_hangups

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


def serve_forks(channel: socket.socket, preload: Callable[[], None], run: RunConsole) -> NoReturn:
    """Load the console, say so, and fork one for each request until the other end of `channel` is closed.

    Then every console is hung up, and the process ends.
    """
    # The front process decides when a console ends. A service manager may signal the whole group.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    ignore_hangups()
    os.setsid()
    preload()
    gc.collect()
    # Collections in the children would write to every object, and each written page is a page of its own.
    gc.freeze()
    channel.sendall(READY)
    _Forks(channel, run).serve()
    os._exit(0)


class _Forks:
    def __init__(self, channel: socket.socket, run: RunConsole) -> None:
        self._channel: socket.socket | None = channel
        self._run = run
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        for each in (self._woken, self._waker):
            each.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(channel, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def serve(self) -> None:
        """Return when the front process is gone and no child is left."""
        while self._channel is not None or self._children:
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is self._channel:
                    self._take_request(self._channel)
                elif key.fileobj is self._woken:
                    self._drain_wakeups()
                else:
                    self._hang_up(key.data)
            self._reap()
            self._kill_overdue()

    def _patience(self) -> float | None:
        due = [child.kill_at for child in self._children.values() if child.kill_at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _take_request(self, channel: socket.socket) -> None:
        try:
            descriptors = receive_descriptors(channel)
        except OSError:
            return
        if descriptors is not None:
            self._fork(descriptors)
            return
        self._selector.unregister(channel)
        channel.close()
        self._channel = None
        for child in list(self._children.values()):
            if child.kill_at is None:
                self._hang_up(child)

    def _fork(self, descriptors: Descriptors) -> None:
        control = socket.socket(fileno=descriptors.control)
        try:
            pid = os.fork()
        except OSError:
            pid = -1
        if pid == 0:
            self._leave(control)
            become_console(descriptors.streams, descriptors.request, self._run)
        for each in (*descriptors.streams, descriptors.request):
            os.close(each)
        if pid < 0:
            control.close()
            return
        child = self._children[pid] = _Child(pid, control)
        self._selector.register(control, selectors.EVENT_READ, child)

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
