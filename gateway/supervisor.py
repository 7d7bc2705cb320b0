"""Starts workers, replaces those that die, and reloads them without losing a request.

It serves nothing itself and imports no library, so that nothing in it can fail. Workers that a supervisor left behind
notice it on their link, and stop.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from selectors import EVENT_READ, PollSelector
from types import FrameType
from typing import Final

from gateway.worker_link import DRAIN, READY

LOGGER: Final = logging.getLogger("gatekey.supervisor")
STABLE_S: Final = 5.0
"""Seconds after which a worker has shown that it can work. One that dies earlier is replaced after a delay."""
FIRST_DELAY_S: Final = 0.5
MAX_DELAY_S: Final = 10.0
"""The delay doubles with each worker that dies early, up to this."""
START_TIMEOUT_S: Final = 60.0
"""Seconds in which a new worker has to be ready."""
_POLL_S: Final = 1.0
_HEEDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True, eq=False)
class WorkerProcess:
    """One worker, as its supervisor knows it."""

    process: "subprocess.Popen[bytes]"
    link: socket.socket
    started_at: float
    """By `time.monotonic`."""
    is_ready: bool = False
    is_leaving: bool = False
    """True if it was told to end."""
    is_overdue: bool = False
    """True if it was killed because it was not ready in time."""


@dataclass(slots=True)
class _Reload:
    incoming: list[WorkerProcess]
    deadline: float


@dataclass
class Supervisor:
    """Keeps `count` workers.

    `spawn` starts one, or raises OSError. `buried` is told the process id of one that has ended.
    """

    count: int
    spawn: Callable[[], WorkerProcess]
    announce: Callable[[], None]
    """Called once, when the first workers are ready."""
    buried: Callable[[int], None] = lambda _: None
    monotonic: Callable[[], float] = time.monotonic
    _workers: list[WorkerProcess] = field(default_factory=list)
    _signals: list[int] = field(default_factory=list)
    _reload: _Reload | None = None
    _is_announced: bool = False
    _is_stopping: bool = False
    _early_deaths: int = 0
    _next_start_at: float = 0.0
    _status: int = 0
    _has_terminal: bool = field(default_factory=lambda: os.isatty(sys.stderr.fileno()))

    def run(self) -> int:
        """Supervise until SIGINT or SIGTERM, wait for the workers, and return the exit status.

        SIGHUP reloads: as many new workers start, and when all are ready, those before them finish their requests. A
        terminal that is closed sends SIGHUP too; then the gateway stops.
        """
        with self._heeding_signals() as woken:
            while not (self._is_stopping and not self._workers):
                for number in self._take_signals():
                    self._heed(number)
                self._bury()
                self._end_overdue()
                self._hire()
                self._check_reload()
                self._wait(woken)
        return self._status

    def _heed(self, number: int) -> None:
        is_hung_up = number == signal.SIGHUP and self._has_terminal and not os.isatty(sys.stderr.fileno())
        if number == signal.SIGHUP and not is_hung_up:
            self._begin_reload()
        elif number != signal.SIGCHLD:
            self._stop()

    def _stop(self) -> None:
        """Tell all workers to stop. The second time they do not wait for requests."""
        self._is_stopping = True
        for worker in self._workers:
            worker.is_leaving = True
            worker.process.terminate()

    def _begin_reload(self) -> None:
        if self._is_stopping or self._reload is not None or not self._is_announced:
            LOGGER.warning("SIGHUP was ignored: the gateway is starting, reloading or stopping")
            return
        LOGGER.info("Reloading")
        incoming: list[WorkerProcess] = []
        try:
            for _ in range(self.count):
                incoming.append(self._start())  # noqa: PERF401 (those that started are needed if one does not)
        except OSError as error:
            LOGGER.error("The reload failed: a worker could not be started (%s). The workers before it stay", error)
            self._drain(incoming)
        else:
            self._reload = _Reload(incoming, self.monotonic() + START_TIMEOUT_S)

    def _check_reload(self) -> None:
        if self._reload is None:
            return
        incoming = self._reload.incoming
        if any(each not in self._workers for each in incoming) or self.monotonic() >= self._reload.deadline:
            LOGGER.error("The reload failed: a new worker did not start. The workers before it stay")
            self._drain(incoming)
            self._reload = None
        elif all(each.is_ready for each in incoming):
            LOGGER.info("Reloaded: the workers before finish their requests")
            self._drain([each for each in self._workers if each not in incoming])
            self._reload = None

    def _drain(self, workers: list[WorkerProcess]) -> None:
        for worker in workers:
            worker.is_leaving = True
            if worker.is_ready:
                _tell(worker, DRAIN)
            else:
                worker.process.terminate()

    def _bury(self) -> None:
        """Forget the workers that have ended, and note which of them have to be replaced."""
        for worker in [each for each in self._workers if each.process.poll() is not None]:
            self._workers.remove(worker)
            worker.link.close()
            self.buried(worker.process.pid)
            status = worker.process.returncode
            if worker.is_leaving:
                self._status = max(self._status, int(status not in (0, -signal.SIGTERM)))
            elif not self._is_announced and not worker.is_ready:
                LOGGER.error("A worker did not start (%s)", _ending(status))
                self._status = 1
                self._stop()
            else:
                self._note_death(worker, status)

    def _note_death(self, worker: WorkerProcess, status: int) -> None:
        was_stable = worker.is_ready and self.monotonic() - worker.started_at >= STABLE_S
        delay = self._put_off(was_stable=was_stable)
        LOGGER.error("Worker %d died (%s). Another one starts in %.1f s", worker.process.pid, _ending(status), delay)

    def _put_off(self, *, was_stable: bool) -> float:
        """The seconds until the next worker may start."""
        self._early_deaths = 0 if was_stable else self._early_deaths + 1
        delay = 0.0 if was_stable else min(FIRST_DELAY_S * 2 ** (self._early_deaths - 1), MAX_DELAY_S)
        self._next_start_at = self.monotonic() + delay
        return delay

    def _end_overdue(self) -> None:
        """Kill the workers that are not ready in time. `_bury` then counts them as dead. A reload watches its own."""
        incoming = self._reload.incoming if self._reload is not None else []
        for worker in self._workers:
            is_waited_for = not (worker.is_ready or worker.is_leaving or worker.is_overdue or worker in incoming)
            if is_waited_for and self.monotonic() - worker.started_at >= START_TIMEOUT_S:
                LOGGER.error("Worker %d was not ready within %.0f s", worker.process.pid, START_TIMEOUT_S)
                worker.is_overdue = True
                worker.process.kill()  # one that hangs may not heed SIGTERM

    def _hire(self) -> None:
        missing = self.count - sum(not each.is_leaving for each in self._workers)
        if not self._is_stopping and self.monotonic() >= self._next_start_at:
            try:
                for _ in range(missing):
                    self._start()
            except OSError as error:
                self._note_no_start(error)

    def _note_no_start(self, error: OSError) -> None:
        if self._is_announced:
            delay = self._put_off(was_stable=False)
            LOGGER.error("A worker could not be started (%s). The next try is in %.1f s", error, delay)
        else:
            LOGGER.error("A worker could not be started (%s)", error)
            self._status = 1
            self._stop()

    def _start(self) -> WorkerProcess:
        """A new worker. Raises OSError if the system gives no process, memory or descriptor for it."""
        worker = self.spawn()
        self._workers.append(worker)
        return worker

    def _wait(self, woken: socket.socket) -> None:
        """Wait until a signal or a word of a worker arrives, or something may be due."""
        if self._is_stopping and not self._workers:
            return
        with PollSelector() as selector:  # it needs no descriptor, and there may be none left
            selector.register(woken, EVENT_READ)
            for worker in self._workers:
                if not worker.is_ready:
                    selector.register(worker.link, EVENT_READ, worker)
            wait = max(min(self._next_start_at - self.monotonic(), _POLL_S), 0.0) or _POLL_S
            for key, _ in selector.select(wait):
                if isinstance(key.data, WorkerProcess):
                    self._hear(key.data)
                else:
                    woken.recv(4096)

    def _hear(self, worker: WorkerProcess) -> None:
        try:
            word = worker.link.recv(1)
        except OSError:
            word = b""
        if word != READY:
            # It is about to end, which `_bury` notices. Until then its link would be readable without pause.
            time.sleep(0.01)
            return
        worker.is_ready = True
        if not self._is_announced and all(each.is_ready for each in self._workers):
            self._is_announced = True
            self.announce()

    def _take_signals(self) -> list[int]:
        taken, self._signals = self._signals, []
        return taken

    @contextmanager
    def _heeding_signals(self) -> Iterator[socket.socket]:
        woken, waker = socket.socketpair()
        woken.setblocking(False)
        waker.setblocking(False)

        def note(number: int, _frame: FrameType | None) -> None:
            self._signals.append(number)

        # A signal that the parent process set to be ignored, as nohup does, stays ignored.
        heeded = [each for each in _HEEDED if signal.getsignal(each) is not signal.SIG_IGN]
        before = {each: signal.signal(each, note) for each in (*heeded, signal.SIGCHLD)}
        waker_before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        try:
            yield woken
        finally:
            signal.set_wakeup_fd(waker_before)
            for each, handler in before.items():
                signal.signal(each, handler)
            woken.close()
            waker.close()


def _tell(worker: WorkerProcess, word: bytes) -> None:
    try:
        worker.link.send(word)
    except OSError:
        worker.process.terminate()


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
