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
from tests.harness.stores import StillClock

PATIENCE: Final = 120.0
"""Seconds after which a victim that neither works nor dies fails the test."""

Moment = Literal["statement", "commit", "checkin", "time", "never"]
"""After the n-th SQL statement; before the n-th COMMIT; after the n-th, before its caller hears of it; any time."""
MOMENTS: Final[tuple[Moment, ...]] = ("statement", "commit", "checkin", "time")
_READY: Final = "ready"


@dataclass(frozen=True)
class Blow:
    """When the victim dies: at the `count`-th of the moment, or `seconds` after it began to work."""

    moment: Moment
    count: int = 0
    seconds: float = 0.0


@dataclass
class Victim:
    """The input of a victim's work: its database, its time, and a pipe for what was acknowledged."""

    url: str
    time: datetime
    blow: Blow
    pipe: Pipe = field(repr=False)
    seen: dict[str, int] = field(default_factory=lambda: {"statement": 0, "commit": 0, "checkin": 0})

    def open(self) -> tuple[Store, StillClock]:
        """A store of its own; from here on the blow can fall."""
        worker_store = enter(self.url)
        worker_store.clock.time = self.time
        self.arm()
        return worker_store.store, worker_store.clock

    def arm(self) -> None:
        """Let the blow fall from now on."""
        event.listen(Engine, "after_cursor_execute", lambda *_: self._count("statement"))
        event.listen(Engine, "commit", lambda *_: self._count("commit"))
        event.listen(Pool, "checkin", lambda *_: self._count("checkin"))
        self.say(_READY)

    def say(self, word: object) -> None:
        """Tell the parent; what was said before the blow is heard."""
        self.pipe.send(word)

    def _count(self, moment: str) -> None:
        self.seen[moment] += 1
        if moment == self.blow.moment and self.seen[moment] == self.blow.count:
            os.kill(os.getpid(), signal.SIGKILL)


Work = Callable[..., None]
"""Takes the `Victim` and what the test hands along."""


def strike(work: Work, url: str, time: datetime, blow: Blow, *args: Any) -> tuple[list[Any], bool]:
    """Let a process do `work` until `blow`; returns what it said, and whether it was killed."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "psycopg", "gateway.dispatcher", "alembic.command", "alembic.config"])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_live, args=(work, url, time, blow, theirs, args), daemon=True)
    process.start()
    theirs.close()
    try:
        said = list(_listen(ours, process.pid or 0, blow))
        process.join(PATIENCE)
    finally:
        process.kill()
        process.join()
        ours.close()
    assert process.exitcode in (0, -signal.SIGKILL), f"the victim failed with {process.exitcode}"
    return said, process.exitcode != 0


def blows(count: int, seed: int = 1) -> Iterator[Blow]:
    """Blows for work that goes on until it is killed: each kind of moment in turn."""
    rng = random.Random(seed)
    for number in range(count):
        moment = MOMENTS[number % len(MOMENTS)]
        yield Blow(moment, count=rng.randint(1, 40 if moment == "statement" else 6), seconds=0.15 * rng.random())


def sweep(work: Work, url: str, time: datetime, count: int, *args: Any) -> Iterator[Blow]:
    """`count` blows spread over work that ends by itself, whose length one undisturbed run measures."""
    said, was_killed = strike(work, url, time, Blow("never"), *args)
    assert not was_killed
    lengths: dict[Moment, int] = said[-1]
    points: list[Blow] = [Blow(moment, n + 1) for moment, length in lengths.items() for n in range(length)]
    points += [Blow("time", seconds=0.002 * n) for n in range(max(8, count // 4))]
    for number in range(count):
        yield points[number * len(points) // count] if count < len(points) else points[number % len(points)]


def _listen(pipe: Pipe, pid: int, blow: Blow) -> Iterator[Any]:
    deadline, is_struck = monotonic() + PATIENCE, False
    while True:
        if monotonic() >= deadline:
            assert not is_struck, "the victim did not die"
            assert blow.moment == "time", "the victim neither worked nor died"
            os.kill(pid, signal.SIGKILL)
            deadline, is_struck = monotonic() + PATIENCE, True
        if not pipe.poll(max(0.0, deadline - monotonic())):
            continue
        try:
            word = pipe.recv()
        except (EOFError, OSError):  # the blow may have cut a word in two
            return
        if word != _READY:
            yield word
        elif blow.moment == "time":
            deadline = monotonic() + blow.seconds


def _live(work: Work, url: str, time: datetime, blow: Blow, pipe: Pipe, args: tuple[Any, ...]) -> None:
    victim = Victim(url, time, blow, pipe)
    work(victim, *args)
    victim.say(victim.seen)
