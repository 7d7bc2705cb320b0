"""Decisions of the supervisor over processes that are not there."""

import errno
import os
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from typing import Any, Final, cast

import pytest

from gateway import supervisor
from gateway.supervisor import Supervisor, WorkerProcess
from gateway.worker_link import DRAIN, READY

PID: Final = 100


class FakeProcess:
    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.terminated = 0
        self.killed = 0

    def poll(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self.terminated += 1

    def kill(self) -> None:
        self.killed += 1


class Setup:
    """A supervisor of two, its workers, and its time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.made: list[WorkerProcess] = []
        self.theirs: list[socket.socket] = []
        self.announced = 0
        self.processes_left = 1000
        self.supervisor = Supervisor(2, self.spawn, self.announce, monotonic=lambda: self.now)

    def spawn(self) -> WorkerProcess:
        if not self.processes_left:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self.processes_left -= 1
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self.theirs.append(theirs)
        process = cast("subprocess.Popen[bytes]", FakeProcess(PID + len(self.made)))
        self.made.append(WorkerProcess(process, ours, self.now))
        return self.made[-1]

    def announce(self) -> None:
        self.announced += 1

    def process(self, number: int) -> FakeProcess:
        return cast("FakeProcess", cast("Any", self.made[number].process))

    def turn(self, *signals: int) -> None:
        """One turn of the loop, without its wait."""
        for number in signals:
            self.supervisor._heed(number)
        self.supervisor._bury()
        self.supervisor._end_overdue()
        self.supervisor._hire()
        self.supervisor._check_reload()

    def ready(self, *numbers: int) -> None:
        for number in numbers:
            self.theirs[number].send(READY)
            self.supervisor._hear(self.made[number])
        self.turn()

    def die(self, number: int, status: int = -signal.SIGKILL) -> None:
        self.process(number).returncode = status
        self.turn()

    def words(self, number: int) -> bytes:
        try:
            return self.theirs[number].recv(10)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        for each in (*self.theirs, *(worker.link for worker in self.made)):
            each.close()


@pytest.fixture
def setup() -> Iterator[Setup]:
    made = Setup()
    yield made
    made.close()


def started(setup: Setup) -> Setup:
    setup.turn()
    setup.ready(0, 1)
    return setup


def test_it_says_that_it_listens_once_all_are_ready(setup: Setup) -> None:
    setup.turn()
    setup.ready(0)
    assert (len(setup.made), setup.announced) == (2, 0)
    setup.ready(1)
    assert (len(setup.made), setup.announced) == (2, 1)


def test_workers_that_die_early_are_replaced_more_and_more_slowly(setup: Setup) -> None:
    started(setup)
    delays = []
    for _ in range(7):
        count = len(setup.made)
        setup.die(count - 1)
        died_at = setup.now
        while len(setup.made) == count:
            setup.now += 0.25
            setup.turn()
        delays.append(setup.now - died_at)
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    count = len(setup.made)
    setup.ready(count - 1)
    setup.now += supervisor.STABLE_S
    setup.die(count - 1)
    assert len(setup.made) == count + 1


def test_a_start_that_fails_stops_everything(setup: Setup) -> None:
    setup.turn()
    setup.ready(0)
    setup.die(1, status=1)
    assert setup.process(0).terminated == 1
    setup.die(0, status=0)
    assert (len(setup.made), setup.supervisor._status) == (2, 1)


def test_a_reload_drains_the_old_when_all_the_new_are_ready(setup: Setup) -> None:
    started(setup)
    setup.turn(signal.SIGHUP)
    setup.ready(2)
    assert setup.words(0) == setup.words(1) == b""
    setup.turn(signal.SIGHUP)
    assert len(setup.made) == 4, "a second reload began meanwhile"
    setup.ready(3)
    assert setup.words(0) == setup.words(1) == DRAIN
    setup.die(0, status=0)
    setup.die(1, status=0)
    assert len(setup.made) == 4


@pytest.mark.parametrize("way", ["dies", "hangs"])
def test_a_reload_that_fails_drains_the_new(setup: Setup, way: str) -> None:
    started(setup)
    setup.turn(signal.SIGHUP)
    setup.ready(2)
    if way == "dies":
        setup.die(3, status=1)
    else:
        setup.now += supervisor.START_TIMEOUT_S
        setup.turn()
        assert setup.process(3).terminated == 1
    assert setup.words(0) == setup.words(1) == b""
    assert setup.words(2) == DRAIN
    assert setup.process(0).terminated == 0


def test_an_old_worker_that_dies_in_a_reload_is_not_replaced(setup: Setup) -> None:
    started(setup)
    setup.turn(signal.SIGHUP)
    setup.die(0)
    assert len(setup.made) == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_to_stop_are_passed_on_each_time(setup: Setup, number: int) -> None:
    started(setup)
    setup.turn(number)
    setup.turn(number)
    assert [setup.process(each).terminated for each in (0, 1)] == [2, 2]
    setup.die(0, status=0)
    setup.die(1, status=-signal.SIGTERM)
    assert (len(setup.made), setup.supervisor._status) == (2, 0)


def test_a_closed_terminal_stops_and_does_not_reload(setup: Setup) -> None:
    started(setup)
    setup.supervisor._has_terminal = True
    setup.turn(signal.SIGHUP)
    assert len(setup.made) == 2
    assert setup.process(0).terminated == 1


def test_a_worker_that_cannot_be_started_leaves_the_others_and_is_tried_again(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    started(setup)
    setup.now += supervisor.STABLE_S
    setup.processes_left = 0
    setup.die(0)
    assert "A worker could not be started" in caplog.text
    assert (setup.supervisor._next_start_at - setup.now, setup.process(1).terminated) == (0.5, 0)
    setup.now += 0.5
    setup.turn()
    assert setup.supervisor._next_start_at - setup.now == 1.0
    setup.processes_left = 2
    setup.turn()
    assert len(setup.made) == 2, "it waits"
    setup.now += 1.0
    setup.turn()
    assert len(setup.made) == 3


def test_a_reload_without_processes_leaves_the_workers_before_it(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    started(setup)
    setup.processes_left = 1
    setup.turn(signal.SIGHUP)
    assert "The reload failed: a worker could not be started" in caplog.text
    assert setup.process(2).terminated == 1
    assert setup.words(0) == setup.words(1) == b""
    assert [setup.process(each).terminated for each in (0, 1)] == [0, 0]
    setup.die(2, status=-signal.SIGTERM)
    setup.processes_left = 2
    setup.turn(signal.SIGHUP)
    assert len(setup.made) == 5, "the next reload begins"


def test_a_first_worker_that_cannot_be_started_stops_everything(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    setup.processes_left = 1
    setup.turn()
    assert "A worker could not be started" in caplog.text
    assert setup.process(0).terminated == 1
    setup.die(0, status=0)
    assert (len(setup.made), setup.supervisor._status) == (1, 1)


def test_a_replacement_that_is_not_ready_in_time_is_ended_and_counts_as_dead(setup: Setup) -> None:
    started(setup)
    setup.now += supervisor.STABLE_S
    setup.die(0)
    setup.now += supervisor.START_TIMEOUT_S - 1
    setup.turn()
    assert setup.process(2).killed == 0
    setup.now += 1
    setup.turn()
    setup.turn()
    assert [setup.process(each).killed for each in (1, 2)] == [0, 1]
    setup.die(2)
    assert (len(setup.made), setup.supervisor._next_start_at - setup.now) == (3, 0.5)
    setup.now += 0.5
    setup.turn()
    assert len(setup.made) == 4


def test_a_first_worker_that_is_not_ready_in_time_stops_everything(setup: Setup) -> None:
    setup.turn()
    setup.ready(0)
    setup.now += supervisor.START_TIMEOUT_S
    setup.turn()
    assert [setup.process(each).killed for each in (0, 1)] == [0, 1]
    setup.die(1)
    assert (setup.process(0).terminated, setup.supervisor._status) == (1, 1)


def test_the_wait_needs_no_descriptor(setup: Setup) -> None:
    """A supervisor that has none left goes on."""
    setup.turn()
    woken, waker = socket.socketpair()
    setup.theirs[0].send(READY)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with woken, waker:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            setup.supervisor._wait(woken)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert setup.made[0].is_ready
