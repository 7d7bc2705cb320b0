"""Where the sync store runs: off the event loop, in a bounded number of threads.

SQLite has one writer at a time, so there is one writing thread, and what comes in while it commits is committed
together: sixteen calls at once cost one fsync, not sixteen. PostgreSQL writes in parallel.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from store.database import Database
from store.errors import DatabaseBusy, GatekeyError, StoreUnavailable

T = TypeVar("T")
Work = Callable[[Connection], T]
"""Something to be done inside a write transaction. It may be done twice, if the first transaction failed."""

READERS: Final = 4
POSTGRESQL_WRITERS: Final = 8
MOST_TOGETHER: Final = 64


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    future: asyncio.Future[Any]


class StoreThreads:
    """The threads of one event loop. `close` waits for everything that was handed in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._readers = ThreadPoolExecutor(READERS, "gatekey-read")
        writers = POSTGRESQL_WRITERS if database.is_postgresql else 1
        self._writers = ThreadPoolExecutor(writers, "gatekey-write")
        self._most_together = 1 if database.is_postgresql else MOST_TOGETHER
        self._waiting: deque[_Job] = deque()

    async def read(self, work: Callable[[], T]) -> T:
        """What `work` returns. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def write(self, work: Work[T]) -> T:
        """What `work` returns inside a transaction that has been committed. Raises what it raises.

        It is done even if the caller is cancelled meanwhile.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Job(work, future))
        self._writers.submit(self._drain, loop)
        return await future

    def close(self) -> None:
        """Blocks until all is written."""
        self._writers.shutdown()
        self._readers.shutdown()

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs: list[_Job] = []
        while self._waiting and len(jobs) < self._most_together:
            try:
                jobs.append(self._waiting.popleft())
            except IndexError:  # another writer took the last one (PostgreSQL)
                break
        if not jobs:
            return
        try:
            outcomes = self._commit(jobs)
        except BaseException as error:
            loop.call_soon_threadsafe(_resolve, jobs, [error] * len(jobs))
            raise
        loop.call_soon_threadsafe(_resolve, jobs, outcomes)

    def _commit(self, jobs: list[_Job]) -> list[Any]:
        if len(jobs) == 1:
            return [self._alone(jobs[0])]
        try:
            with self._database.write() as tx:
                return [_within(tx, job) for job in jobs]
        except DatabaseBusy as error:
            return [error] * len(jobs)
        except StoreUnavailable:
            # All of it was rolled back. Whoever was not the cause must not suffer for it.
            return [self._alone(job) for job in jobs]

    def _alone(self, job: _Job) -> Any:
        try:
            with self._database.write() as tx:
                return job.work(tx)
        except GatekeyError as error:
            return error


def _within(tx: Connection, job: _Job) -> Any:
    try:
        with tx.begin_nested():
            return job.work(tx)
    except GatekeyError as error:
        return error


def _resolve(jobs: list[_Job], outcomes: list[Any]) -> None:
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.future.done():
            continue
        if isinstance(outcome, BaseException):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)
