"""What workers share in locks: each slot and the seat has one owner, and a process that is killed owns nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import pytest

from gateway.relay import concurrency_limiter
from gateway.relay.concurrency_limiter import ConcurrencyLimiter, TooManyCalls
from gateway.worker_locks import WorkerLocks
from tests.harness.processes import FULL, ProcessGroup, Worker

ACCOUNT: Final = 7
LIMIT: Final = 250


def take_all(worker: Worker, path: str, account_id: int) -> tuple[list[int], bool]:
    """Take slots until none is left, and the seat; keep all until everybody has tried."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        locks, slots = WorkerLocks(descriptor), list[int]()
        worker.meet()
        while (slot := locks.take_slot(account_id, LIMIT)) is not None:
            slots.append(slot)
        has_seat = locks.take_seat()
        worker.meet()
        for slot in slots:
            locks.free_slot(account_id, slot)
        return slots, has_seat
    finally:
        os.close(descriptor)


def count_alone(worker: Worker, _: str) -> int:
    """The slots that a process takes which counts only its own."""
    limiter, taken = ConcurrencyLimiter(), 0
    worker.meet()
    with ExitStack() as slots, suppress(TooManyCalls):
        while True:
            slots.enter_context(limiter.slot(ACCOUNT))
            taken += 1
    return taken


@pytest.fixture
def shared(tmp_path: Path) -> str:
    path = tmp_path / "locks"
    path.touch()
    return str(path)


@pytest.fixture
def descriptor(shared: str) -> Iterator[int]:
    descriptor = os.open(shared, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("account_id", [ACCOUNT, 2**62 + 1])
def test_the_slots_of_all_processes_together_are_the_limit(
    processes: ProcessGroup, shared: str, account_id: int
) -> None:
    for _ in range(3):
        taken = processes.run(take_all, shared, account_id)
        slots = [slot for own, _ in taken for slot in own]
        assert sorted(slots) == list(range(LIMIT))
        assert sum(has_seat for _, has_seat in taken) == 1


def test_processes_that_count_alone_take_more_than_the_limit(processes: ProcessGroup, shared: str) -> None:
    """The control: without the locks the race is lost."""
    assert sum(processes.run(count_alone, shared)) == FULL * LIMIT


HOLD: Final = """
import sys, time
from gateway.worker_locks import WorkerLocks
locks = WorkerLocks(int(sys.argv[1]))
while locks.take_slot(int(sys.argv[2]), int(sys.argv[3])) is not None:
    pass
assert locks.take_seat()
print("held", flush=True)
time.sleep(600)
"""


def test_what_a_killed_process_held_is_free_at_once(descriptor: int) -> None:
    command = [sys.executable, "-c", HOLD, *map(str, (descriptor, ACCOUNT, LIMIT))]
    locks = WorkerLocks(descriptor)
    with subprocess.Popen(command, pass_fds=[descriptor], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert locks.take_slot(ACCOUNT, LIMIT) is None
        assert locks.take_slot(ACCOUNT + 1, LIMIT) is not None
        assert not locks.take_seat()
        holder.kill()
    taken = {locks.take_slot(ACCOUNT, LIMIT) for _ in range(LIMIT)}
    assert taken == set(range(LIMIT))
    assert locks.take_slot(ACCOUNT, LIMIT) is None
    assert locks.take_seat()


def test_the_limiter_gives_its_slot_back(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency_limiter, "MAX_CALLS_PER_ACCOUNT", 2)
    limiter = ConcurrencyLimiter(WorkerLocks(descriptor))
    for _ in range(5):
        with limiter.slot(ACCOUNT), limiter.slot(ACCOUNT):
            with pytest.raises(TooManyCalls), limiter.slot(ACCOUNT):
                pass
            with limiter.slot(ACCOUNT + 1):
                pass
