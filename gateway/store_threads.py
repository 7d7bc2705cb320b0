"""Where the sync store runs: off the event loop, in a bounded number of threads.

SQLite has one writer at a time, so there is one writing thread, and what comes in while it commits is committed
together: sixteen calls at once cost one fsync, not sixteen. PostgreSQL writes in parallel.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from store.database import Database
from store.errors import DatabaseBusy, StoreUnavailable

T = TypeVar("T")
Work = Callable[[Connection], T]
"""Something to be done inside a write transaction. It is done again if that was rolled back."""

READER_THREADS: Final = 4
POSTGRESQL_WRITER_THREADS: Final = 8
MAX_JOBS_PER_COMMIT: Final = 64
QUEUE_TIMEOUT_S: Final = 5.0
"""Seconds that whatever is written waits for another program that holds SQLite's lock, its turn here included."""


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    first: Work[None] | None
    durable: bool
    future: asyncio.Future[Any]
    until: float
    """By `time.monotonic`: when it has waited long enough for whoever else writes."""
    outcome: Any = None


class StoreThreads:
    """The threads of one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writers = POSTGRESQL_WRITER_THREADS if database.is_postgresql else 1
        self._max_batch = 1 if database.is_postgresql else MAX_JOBS_PER_COMMIT
        self._reading = ThreadPoolExecutor(READER_THREADS, "gatekey-read")
        self._writing = ThreadPoolExecutor(self._writers, "gatekey-write")
        self._waiting: deque[_Job] = deque()
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def read(self, work: Callable[[], T]) -> T:
        """What `work` returns. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)

    async def write(self, work: Work[T], *, first: Work[None] | None = None, durable: bool = True) -> T:
        """What `work` returns inside a transaction that has been committed. Raises what it raises.

        `first` runs before it, in a read transaction: what can be refused by reading never takes the write lock.
        What is not lasting may be forgotten in a power cut. Once handed in, it is done even if the caller is
        cancelled.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(work, first, durable, future, time.monotonic() + QUEUE_TIMEOUT_S))
        self._start()
        return await future

    async def close(self) -> None:
        """Wait until all that was handed in is written, and end the threads. Nothing may be handed in after."""
        # What waits goes to the threads by way of this loop: they may end only when nothing waits any more.
        while self._busy:
            await self._idle.wait()
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        self._writing.shutdown()
        self._reading.shutdown()

    def _start(self) -> None:
        # Only the event loop touches `_waiting` and `_busy`, so they need no lock. Nothing waits unless one is busy.
        while self._waiting and self._busy < self._writers:
            count = min(len(self._waiting), self._max_batch)
            jobs = [self._waiting.popleft() for _ in range(count)]
            self._writing.submit(self._run, asyncio.get_running_loop(), jobs)
            self._busy += 1
            self._idle.clear()

    def _run(self, loop: asyncio.AbstractEventLoop, jobs: list[_Job]) -> None:
        try:
            self._commit(self._admitted(jobs))
        except BaseException as error:
            for job in jobs:
                job.outcome = error
            raise
        finally:
            loop.call_soon_threadsafe(self._finish, jobs)

    def _finish(self, jobs: list[_Job]) -> None:
        self._busy -= 1
        for job in jobs:
            if job.future.done():
                continue
            if isinstance(job.outcome, BaseException):
                job.future.set_exception(job.outcome)
            else:
                job.future.set_result(job.outcome)
        self._start()
        if not self._busy:
            self._idle.set()

    def _admitted(self, jobs: list[_Job]) -> list[_Job]:
        """The jobs whose `first` refused nothing. They share one state of the data."""
        ready = [job for job in jobs if job.first is None]
        checked = [job for job in jobs if job.first is not None]
        if not checked:
            return ready
        try:
            with self._database.read() as tx:
                return ready + [job for job in checked if _passes_first(self._database, tx, job)]
        except StoreUnavailable as error:
            for job in checked:
                job.outcome = error
            return ready

    def _commit(self, jobs: list[_Job]) -> None:
        if len(jobs) == 1 or not self._commit_together(jobs):
            for job in jobs:
                self._commit_alone(job)

    def _commit_together(self, jobs: list[_Job]) -> bool:
        """Whether that settled it; if not, all of it was rolled back, and whoever was the cause fails alone."""
        try:
            durable = any(job.durable for job in jobs)
            with self._database.write(durable=durable, patience=_remaining_wait(jobs)) as tx:
                for job in jobs:
                    job.outcome = job.work(tx)
        except DatabaseBusy as error:
            for job in jobs:
                job.outcome = error
        except Exception:  # noqa: BLE001 - whatever it was, the others are not to blame
            return False
        return True

    def _commit_alone(self, job: _Job) -> None:
        try:
            with self._database.write(durable=job.durable, patience=_remaining_wait([job])) as tx:
                job.outcome = job.work(tx)
        except Exception as error:  # noqa: BLE001 - it is raised again where the job was handed in
            job.outcome = error


def _remaining_wait(jobs: list[_Job]) -> float:
    # From when it was handed in: behind a lock that nobody gives up, each batch would wait for all before it as well.
    return max(min(job.until for job in jobs) - time.monotonic(), 0)


def _passes_first(database: Database, tx: Connection, job: _Job) -> bool:
    try:
        if job.first is not None:
            # The transaction is everyone's, and would tell what the driver raises only when it ends.
            with database.mapped():
                job.first(tx)
    except Exception as error:  # noqa: BLE001 - it is raised again where the job was handed in
        job.outcome = error
        return False
    return True
