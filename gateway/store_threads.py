"""Runs the synchronous store off the event loop, in a bounded number of threads.

SQLite allows one writer at a time, so there is one writer thread, which keeps its connection. Jobs that arrive during
a commit share the next one: sixteen concurrent calls cost one fsync instead of sixteen. PostgreSQL writes in parallel,
one thread per account: two transactions of one account would wait for its row locks. The jobs of one account share a
transaction; jobs of different accounts never do, so that no order of locks between accounts is needed, and a locked
account keeps no other waiting. There the shortcuts of an account's jobs, and their commit, are one round trip. Those of
several jobs give up the account's rows before the disk has them; whoever asked for a durable write is told when it has.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection

from gateway.disk_wait import DiskWait
from gateway.writer_threads import WriterThreads
from store.database import Database
from store.errors import DatabaseBusy, DatabaseUnreachable, StoreUnavailable
from store.shared_reads import SharedReads
from store.shortcut import Shortcut, take_shortcuts

T = TypeVar("T")
Work = Callable[[Connection], T]
"""A function that runs inside a write transaction. It runs again if that transaction was rolled back."""
First: TypeAlias = Callable[[SharedReads], None]
"""A function that reads before a write, and may refuse it."""
Way: TypeAlias = Callable[[], Shortcut[T] | None]
"""Makes the shortcut of a job whose `first` refused nothing; None: it needs its `work`."""

READER_THREADS: Final = 4
POSTGRESQL_WRITER_THREADS: Final = 8
MAX_JOBS_PER_COMMIT: Final = 64
QUEUE_TIMEOUT_S: Final = 5.0
"""Seconds a write waits for another program that holds SQLite's lock, including its time in the queue."""


@dataclass(slots=True, eq=False)
class _Job:
    work: Work[Any]
    first: First | None
    durable: bool
    future: asyncio.Future[Any]
    deadline: float
    """Deadline by `time.monotonic` for waiting on another writer."""
    account_id: int | None
    way: Way[Any] | None
    expected: Way[Any] | None
    outcome: Any = None
    is_on_disk: bool = True
    """False: it is to be durable, and was committed without waiting for the disk."""

    def tell(self, error: BaseException | None = None) -> None:
        """Give the outcome, or `error` in its place, to who handed the job in."""
        if self.future.done():
            return
        if error is None and isinstance(self.outcome, BaseException):
            error = self.outcome
        if error is None:
            self.future.set_result(self.outcome)
        else:
            self.future.set_exception(error)


class StoreThreads:
    """The threads of one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_postgresql = database.is_postgresql
        self._writers = POSTGRESQL_WRITER_THREADS if self._is_postgresql else 1
        self._reading = ThreadPoolExecutor(READER_THREADS, "gatekey-read")
        self._writing = WriterThreads(self._writers)
        self._waiting: deque[_Job] = deque()
        self._disk = DiskWait(database)
        self._connection: Connection | None = None
        """The connection of SQLite's writer, which only its thread uses."""
        self._busy = 0
        self._was_durable = False
        """True if the last transaction of SQLite was durable."""
        self._written_accounts: set[int] = set()
        """The accounts that a thread writes now (PostgreSQL)."""
        self._idle = asyncio.Event()
        self._idle.set()

    async def read(self, work: Callable[[], T]) -> T:
        """Return the result of `work`, run in a reader thread. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)

    def write(
        self,
        work: Work[T],
        *,
        first: First | None = None,
        durable: bool = True,
        account_id: int | None = None,
        shortcut: Way[T] | None = None,
        expected: Way[T] | None = None,
    ) -> asyncio.Future[T]:
        """The result of `work`, run inside a write transaction that has been committed, or what it raises.

        `first` runs before `work` and only reads (`Database.look`), so a refusal that reading can decide never takes
        the write lock. What it reads it shares with the jobs of the same transaction. A write that is not `durable` may
        be lost at a power failure. A queued job runs even if its caller is cancelled. On PostgreSQL, jobs with the same
        `account_id` share transactions. Such a job locks rows of this account only: it by `lock_against_deletion`, then
        its quota, then others. Two processes could deadlock in another order. There `shortcut` is taken in place of
        `work`, unless it does nothing, and `expected` in place of `first` and of both. `expected` asks in its statement
        what `first` would have read.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        deadline = time.monotonic() + QUEUE_TIMEOUT_S
        self._waiting.append(_Job(work, first, durable, future, deadline, account_id, shortcut, expected))
        self._start()
        return future

    async def close(self) -> None:
        """Wait until every queued job is done, and stop the threads. No job may be queued afterwards."""
        # Queued jobs reach the threads through this loop, so the threads may stop only when the queue is empty.
        while self._busy:
            await self._idle.wait()
        await self._disk.close()
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        self._writing.shut_down()
        if self._connection is not None:
            self._connection.close()
        self._reading.shutdown()

    def _start(self) -> None:
        # Only the event loop accesses `_waiting`, `_busy` and `_written_accounts`, so no lock is needed. Jobs wait only
        # while a writer is busy.
        while self._busy < self._writers and (jobs := self._next_jobs()):
            self._busy += 1
            self._writing.submit(partial(self._run, asyncio.get_running_loop(), jobs), under_way=self._busy)
            self._idle.clear()

    def _next_jobs(self) -> list[_Job]:
        """Take the jobs of the next transaction from the queue; empty if none may start now."""
        if not self._is_postgresql:
            # In turns: a hold would wait for the disk if bookings shared its commit, and its call waits before it is
            # sent.
            turn = [job for job in self._waiting if job.durable is not self._was_durable]
            jobs = (turn or list(self._waiting))[:MAX_JOBS_PER_COMMIT]
            if jobs:
                self._was_durable = jobs[0].durable
            return self._taken(jobs)
        next_job = next((job for job in self._waiting if job.account_id not in self._written_accounts), None)
        if next_job is None:
            return []
        if next_job.account_id is None:
            self._waiting.remove(next_job)
            return [next_job]
        self._written_accounts.add(next_job.account_id)
        together = (job for job in self._waiting if job.account_id == next_job.account_id)
        return self._taken(list(islice(together, MAX_JOBS_PER_COMMIT)))

    def _taken(self, jobs: list[_Job]) -> list[_Job]:
        """`jobs`, which wait no more."""
        taken = set(map(id, jobs))
        self._waiting = deque(job for job in self._waiting if id(job) not in taken)
        return jobs

    def _run(self, loop: asyncio.AbstractEventLoop, jobs: list[_Job]) -> None:
        try:
            if self._is_postgresql:
                ready = self._admitted(self._left_by_shortcuts(jobs, _first_way))
                left = self._left_by_shortcuts(ready, _way_after_first)
                # A hold would wait for the disk if a booking shared its commit, and its call waits before it is sent.
                for is_durable in (False, True):
                    self._commit([job for job in left if job.durable is is_durable])
            else:
                self._commit(self._admitted(jobs))
        except Exception as error:  # noqa: BLE001 - it is raised where the jobs were handed in
            for job in jobs:
                job.outcome = error
        loop.call_soon_threadsafe(self._finish, jobs)

    def _finish(self, jobs: list[_Job]) -> None:
        self._busy -= 1
        self._written_accounts.difference_update(job.account_id for job in jobs if job.account_id is not None)
        for job in jobs:
            if job.is_on_disk:
                job.tell()
        self._disk.tell([job.tell for job in jobs if not job.is_on_disk])
        self._start()
        if not self._busy:
            self._idle.set()

    def _admitted(self, jobs: list[_Job]) -> list[_Job]:
        """The jobs that `first` did not refuse."""
        ready = [job for job in jobs if job.first is None]
        checked = deque(job for job in jobs if job.first is not None)
        while checked:
            try:
                self._check_together(checked, ready)
            except StoreUnavailable as error:
                for job in checked:
                    job.outcome = error
                break
        return ready

    def _check_together(self, checked: deque[_Job], ready: list[_Job]) -> None:
        """Run the `first` of jobs from the left of `checked` on one connection, up to an error of the database.

        A lost connection cannot be used again.
        """
        with self._database.look(on=self._connected()) as tx:
            reads = SharedReads(tx)
            while checked:
                job = checked.popleft()
                # The transaction would map the driver's error only at its end, for all jobs.
                with _error_as_outcome(job), self._database.mapped():
                    if job.first is not None:
                        job.first(reads)
                    ready.append(job)
                if isinstance(job.outcome, StoreUnavailable):
                    return

    def _left_by_shortcuts(self, jobs: list[_Job], shortcut_of: Callable[[_Job], Shortcut[Any] | None]) -> list[_Job]:
        """Take the shortcuts of `jobs` together; returns the jobs that had none, or whose shortcut did nothing."""
        left, taken = list[_Job](), list[tuple[_Job, Shortcut[Any]]]()
        for job in jobs:
            with _error_as_outcome(job):
                shortcut = shortcut_of(job)
                if shortcut is None:
                    left.append(job)
                else:
                    taken.append((job, shortcut))
        if not taken:
            return left
        is_durable = any(job.durable for job, _ in taken)
        # A job alone is spared the further round trip: nobody waits for the rows that it keeps.
        waits = is_durable and (len(jobs) == 1 or not self._disk.is_possible)
        try:
            rows = take_shortcuts(self._database, [shortcut for _, shortcut in taken], durable=waits)
        except StoreUnavailable as error:
            # A lost connection does not tell whether the commit arrived, and a lock may have been waited for long
            # enough. Otherwise nothing was changed, and the job at fault raises its error again when it runs alone.
            is_lost = isinstance(error, DatabaseUnreachable)
            for job, _ in taken:
                if is_lost or (isinstance(error, DatabaseBusy) and _remaining_wait([job]) <= 0):
                    job.outcome = error
                else:
                    left.append(job)
            return left
        for (job, shortcut), row in zip(taken, rows, strict=True):
            if row is None:
                left.append(job)
            else:
                job.outcome = shortcut.result(row)
                job.is_on_disk = waits or not job.durable
        return left

    def _commit(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        if len(jobs) == 1 or not self._commit_together(jobs):
            for job in jobs:
                self._commit_alone(job)

    def _commit_together(self, jobs: list[_Job]) -> bool:
        """Commit all `jobs` in one transaction. False: it was rolled back, and each job has to run alone."""
        try:
            with self._database.write(
                durable=any(job.durable for job in jobs), lock_timeout_s=_remaining_wait(jobs), on=self._connected()
            ) as tx:
                for job in jobs:
                    job.outcome = job.work(tx)
        except DatabaseBusy as error:
            if self._is_postgresql and _remaining_wait(jobs) > 0:
                return False  # a deadlock is found after a second: there is time to run again
            for job in jobs:
                job.outcome = error
        except Exception:  # noqa: BLE001 - the job at fault raises it again when it runs alone
            return False
        return True

    def _commit_alone(self, job: _Job) -> None:
        with (
            _error_as_outcome(job),
            self._database.write(
                durable=job.durable, lock_timeout_s=_remaining_wait([job]), on=self._connected()
            ) as tx,
        ):
            job.outcome = job.work(tx)

    def _connected(self) -> Connection | None:
        """The connection that SQLite's writer keeps; None on PostgreSQL. Raises `StoreUnavailable`."""
        if self._connection is None and not self._is_postgresql:
            self._connection = self._database.connect()
        return self._connection


def _first_way(job: _Job) -> Shortcut[Any] | None:
    """The shortcut that needs no read before it."""
    way = job.way if job.first is None else job.expected
    return None if way is None else way()


def _way_after_first(job: _Job) -> Shortcut[Any] | None:
    return None if job.first is None or job.way is None else job.way()


def _remaining_wait(jobs: list[_Job]) -> float:
    # Measured from when the job was queued: behind a stuck lock, each batch would otherwise wait for all before it too.
    return max(min(job.deadline for job in jobs) - time.monotonic(), 0)


@contextmanager
def _error_as_outcome(job: _Job) -> Iterator[None]:
    """Keep an error of the job as its outcome, which is raised where the job was handed in."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a job may raise any error, as a function that is called may
        job.outcome = error
