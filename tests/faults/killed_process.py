"""A process that works on a store until it is killed, and says what it was told had been done."""

import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from time import monotonic
from typing import Any, Final, Literal

from sqlalchemy import Engine, Pool, event

from store.store import Store
from tests.harness.processes import enter
from tests.harness.statement_events import listen_after
from tests.harness.stores import StillClock

PATIENCE: Final = 120.0
"""Seconds after which a process that neither works nor dies fails the test."""

Moment = Literal["statement", "commit", "checkin", "time", "never"]
"""After the n-th SQL statement; before the n-th COMMIT; after the n-th, before its caller hears of it; any time."""
MOMENTS: Final[tuple[Moment, ...]] = ("statement", "commit", "checkin", "time")
_READY: Final = "ready"


@dataclass(frozen=True)
class KillPoint:
    """When the process is killed: at the `count`-th of the moment, or `seconds` after it began to work."""

    moment: Moment
    count: int = 0
    seconds: float = 0.0


@dataclass
class TargetProcess:
    """The input of a process's work: its database, its time, and a pipe for what was acknowledged."""

    url: str
    time: datetime
    kill_point: KillPoint
    pipe: Pipe = field(repr=False)
    seen: dict[str, int] = field(default_factory=lambda: {"statement": 0, "commit": 0, "checkin": 0})

    def open(self) -> tuple[Store, StillClock]:
        """A store of its own; from here on it can be killed."""
        worker_store = enter(self.url)
        worker_store.clock.time = self.time
        self.arm()
        return worker_store.store, worker_store.clock

    def arm(self) -> None:
        """Let the process be killed from now on."""
        listen_after(Engine, lambda *_: self._count("statement"))
        event.listen(Engine, "commit", lambda *_: self._count("commit"))
        event.listen(Pool, "checkin", lambda *_: self._count("checkin"))
        self.say(_READY)

    def say(self, word: object) -> None:
        """Tell the parent; what was said before the kill is heard."""
        self.pipe.send(word)

    def _count(self, moment: str) -> None:
        self.seen[moment] += 1
        if moment == self.kill_point.moment and self.seen[moment] == self.kill_point.count:
            os.kill(os.getpid(), signal.SIGKILL)


Work = Callable[..., None]
"""Takes the `TargetProcess` and what the test hands along."""


def run_until_killed(work: Work, url: str, time: datetime, kill_point: KillPoint, *args: Any) -> tuple[list[Any], bool]:
    """Let a process do `work` until `kill_point`; returns what it said, and whether it was killed."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "psycopg", "gateway.dispatcher", "alembic.command", "alembic.config"])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_live, args=(work, url, time, kill_point, theirs, args), daemon=True)
    process.start()
    theirs.close()
    try:
        said = list(_listen(ours, process.pid or 0, kill_point))
        process.join(PATIENCE)
    finally:
        process.kill()
        process.join()
        ours.close()
    assert process.exitcode in (0, -signal.SIGKILL), f"the process failed with {process.exitcode}"
    return said, process.exitcode != 0


def kill_points(count: int, seed: int = 1) -> Iterator[KillPoint]:
    """Kill points for work that goes on until it is killed: each kind of moment in turn."""
    rng = random.Random(seed)
    for number in range(count):
        moment = MOMENTS[number % len(MOMENTS)]
        yield KillPoint(moment, count=rng.randint(1, 40 if moment == "statement" else 6), seconds=0.15 * rng.random())


def sweep(work: Work, url: str, time: datetime, count: int, *args: Any) -> Iterator[KillPoint]:
    """`count` kill points spread over work that ends by itself, whose length one undisturbed run measures."""
    said, was_killed = run_until_killed(work, url, time, KillPoint("never"), *args)
    assert not was_killed
    lengths: dict[Moment, int] = said[-1]
    points: list[KillPoint] = [KillPoint(moment, n + 1) for moment, length in lengths.items() for n in range(length)]
    points += [KillPoint("time", seconds=0.002 * n) for n in range(max(8, count // 4))]
    for number in range(count):
        yield points[number * len(points) // count] if count < len(points) else points[number % len(points)]


def _listen(pipe: Pipe, pid: int, kill_point: KillPoint) -> Iterator[Any]:
    deadline, is_killed = monotonic() + PATIENCE, False
    while True:
        if monotonic() >= deadline:
            assert not is_killed, "the process did not die"
            assert kill_point.moment == "time", "the process neither worked nor died"
            os.kill(pid, signal.SIGKILL)
            deadline, is_killed = monotonic() + PATIENCE, True
        if not pipe.poll(max(0.0, deadline - monotonic())):
            continue
        try:
            word = pipe.recv()
        except (EOFError, OSError):  # the kill may have cut a word in two
            return
        if word != _READY:
            yield word
        elif kill_point.moment == "time":
            deadline = monotonic() + kill_point.seconds


def _live(work: Work, url: str, time: datetime, kill_point: KillPoint, pipe: Pipe, args: tuple[Any, ...]) -> None:
    target = TargetProcess(url, time, kill_point, pipe)
    work(target, *args)
    target.say(target.seen)
