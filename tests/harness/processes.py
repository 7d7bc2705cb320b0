"""Processes that do one thing at the same moment, on a store of their own over one database."""

import secrets
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Connection

from store.hashing import Hasher
from store.store import Store, open_store
from tests.harness.statement_events import listen_after
from tests.harness.stores import StillClock, cheap_hasher, make_ring

FULL: Final = 8
"""The number of processes in a race, unless a test needs just two."""
PATIENCE: Final = 300.0
"""Seconds after which a process that says nothing is given up, and the test fails."""

P = ParamSpec("P")
T = TypeVar("T")

_MET, _DONE, _FAILED, _GO, _STOP = "met", "done", "failed", "go", "stop"


class RaceFailed(AssertionError):
    """The traceback of an error in one of the processes."""


@dataclass(frozen=True)
class Worker:
    """One process of a race: its number from 0, and how many race."""

    number: int
    of: int
    pipe: Pipe = field(repr=False)

    def meet(self) -> None:
        """Wait until every process is here; all are let go together."""
        self.pipe.send((_MET, None))
        if self.pipe.recv() != _GO:
            raise RaceFailed("another process failed")


@dataclass
class WorkerStore:
    """The store of one process, with a clock it may move."""

    store: Store
    clock: StillClock = field(default_factory=StillClock)


class ProcessGroup:
    """Eight processes that stay for the whole run: starting them takes longer than most races."""

    def __init__(self) -> None:
        self._context = get_context("forkserver")  # what is imported below is imported once for all
        self._context.set_forkserver_preload(
            [__name__, "psycopg", "gateway.dispatcher", "zxcvbn", "alembic.command", "alembic.config"]
        )
        self._racers: list[tuple[BaseProcess, Pipe]] = []

    def run(self, task: Callable[Concatenate[Worker, P], T], *args: P.args, **kwargs: P.kwargs) -> list[T]:
        """The result of `task` in each of eight processes, in their order. Raises `RaceFailed`."""
        return self._run(task, FULL, args, kwargs)

    def pair(self, task: Callable[Concatenate[Worker, P], T], *args: P.args, **kwargs: P.kwargs) -> list[T]:
        """The same with two processes."""
        return self._run(task, 2, args, kwargs)

    def close(self) -> None:
        """End every process and wait for it."""
        for process, pipe in self._racers:
            pipe.close()
            process.join(5)
            process.kill()
            process.join()
        self._racers.clear()

    def _run(self, task: Callable[..., T], parties: int, args: Any, kwargs: Any) -> list[T]:
        while len(self._racers) < parties:
            self._hire()
        pipes = [pipe for _, pipe in self._racers[:parties]]
        for number, pipe in enumerate(pipes):
            pipe.send((task, number, parties, args, kwargs))
        while True:
            said = self._hear(pipes)
            kinds = {kind for kind, _ in said.values()}
            if kinds == {_DONE}:
                return [said[pipe][1] for pipe in pipes]
            if kinds == {_MET}:
                self._tell(pipes, _GO)
                continue
            waiting = [pipe for pipe in pipes if said[pipe][0] == _MET]
            self._tell(waiting, _STOP)
            self._hear(waiting)
            failures = [what for kind, what in said.values() if kind == _FAILED]
            raise RaceFailed(failures[0] if failures else "some processes finished while others waited for them")

    def _hear(self, pipes: list[Pipe]) -> dict[Pipe, tuple[str, Any]]:
        """One word from each of `pipes`. Raises `RaceFailed`, after ending the processes, if one says nothing."""
        said: dict[Pipe, tuple[str, Any]] = {}
        while len(said) < len(pipes):
            silent = [pipe for pipe in pipes if pipe not in said]
            ready: Iterable[Any] = wait(silent, PATIENCE)
            if not ready:
                self.close()
                raise RaceFailed(f"{len(silent)} processes said nothing for {PATIENCE:.0f} seconds")
            for pipe in ready:
                try:
                    said[pipe] = pipe.recv()
                except EOFError:
                    self.close()
                    raise RaceFailed("a process died") from None
        return said

    def _tell(self, pipes: list[Pipe], word: str) -> None:
        for pipe in pipes:
            pipe.send(word)

    def _hire(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        self._racers.append((process, ours))


def enter(url: str, *, hasher: Hasher | None = None) -> WorkerStore:
    """A store for one process: real randomness, or two processes would draw the same tokens."""
    clock = StillClock()
    store = open_store(url, make_ring(), clock=clock, rng=secrets.SystemRandom(), hasher=hasher or cheap_hasher())
    return WorkerStore(store, clock)


def source(worker: Worker, number: int = 0) -> str:
    """A source of sign-ins that no other process shares: the limit per source must not decide a race."""
    return f"pts/{worker.number}.{number}"


def after_statement(store: Store, marker: str, act: Callable[[], object]) -> None:
    """Call `act` once, in the middle of a transaction: right after the first statement that holds `marker`."""
    done: list[bool] = []

    def listen(_connection: Connection, statement: str) -> None:
        if not done and marker in statement:
            done.append(True)
            act()

    listen_after(store.database.engine, listen)


def hour(number: int) -> timedelta:
    """Rounds lie an hour apart, so that the locks of one round do not reach into the next."""
    return timedelta(hours=number)


def _serve(pipe: Pipe) -> None:
    while True:
        try:
            task, number, parties, args, kwargs = pipe.recv()
        except EOFError:
            return
        worker = Worker(number, parties, pipe)
        try:
            worker.meet()
            answer = (_DONE, task(worker, *args, **kwargs))
        except Exception:  # noqa: BLE001 - whatever it is, the test shows it
            answer = (_FAILED, traceback.format_exc())
        pipe.send(answer)
