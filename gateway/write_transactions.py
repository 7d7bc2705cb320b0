"""The transactions of the writer threads: jobs that wait together are admitted and committed together.

On PostgreSQL the shortcuts of several jobs, and their commit, are one round trip. They give up their accounts' rows
before the disk has them; whoever asked for a durable write is told when it has. On SQLite the shortcuts of like jobs
are a few statements for all of them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection

from gateway.disk_wait import DiskWait
from store.database import Database
from store.errors import DatabaseBusy, DatabaseUnreachable, StoreUnavailable
from store.shared_reads import SharedReads
from store.shortcut import Shortcut, take_shortcuts, take_within

T = TypeVar("T")
LOCK_TIMEOUT_TOGETHER_S: Final = 0.05
"""Seconds that jobs which may share a transaction wait for the row of an account."""
Work = Callable[[Connection], T]
"""A function that runs inside a write transaction. It runs again if that transaction was rolled back."""
First: TypeAlias = Callable[[SharedReads], None]
"""A function that reads before a write, and may refuse it."""
Way: TypeAlias = Callable[[], Shortcut[T] | None]
"""Makes the shortcut of a job whose `first` refused nothing; None: it needs its `work`."""


@dataclass(slots=True, eq=False)
class Job:
    """A write that was handed in, with its outcome once it has one."""

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
    runs_alone: bool = False
    """True if it may share a transaction with jobs of its account only (PostgreSQL)."""
    is_on_disk: bool = True
    """False: it is to be durable, and was committed without waiting for the disk."""

    @property
    def is_booked(self) -> bool:
        """True if it was to be durable, has changed something for certain, and was committed."""
        return self.durable and self.way is not None and not isinstance(self.outcome, BaseException)

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


class WriteTransactions:
    """Runs jobs in the thread that calls it. On SQLite that is always the same thread."""

    def __init__(self, database: Database, disk: DiskWait) -> None:
        self._database = database
        self._is_postgresql = database.is_postgresql
        self._disk = disk
        self._connection: Connection | None = None
        """The connection of SQLite's writer, which only its thread uses."""

    def run(self, jobs: list[Job]) -> None:
        """Give each of `jobs` its outcome. On PostgreSQL they are of one account."""
        try:
            if self._is_postgresql:
                ready = self._admitted(self._left_by_shortcuts(jobs, _first_way))
                left = self._left_by_shortcuts(ready, _way_after_first)
                # A hold would wait for the disk if a booking shared its commit, and its call waits before it is sent.
                for is_durable in (False, True):
                    self._commit([job for job in left if job.durable is is_durable])
            else:
                self._commit(self._admitted(self._left_by_shortcuts(jobs, _expected_way)))
        except Exception as error:  # noqa: BLE001 - it is raised where the jobs were handed in
            for job in jobs:
                job.outcome = error

    def run_together(self, jobs: list[Job]) -> list[Job]:
        """Give `jobs` of any accounts their outcome by their shortcuts; returns those that `run` has to do.

        For PostgreSQL. Each lock is waited for `LOCK_TIMEOUT_TOGETHER_S` at most; then nothing was changed, and all are
        returned.
        """
        try:
            # In one order, so that two processes never wait for each other.
            ordered = sorted(jobs, key=lambda job: job.account_id or 0)
            return self._left_by_shortcuts(ordered, _first_way, lock_timeout_s=LOCK_TIMEOUT_TOGETHER_S)
        except Exception as error:  # noqa: BLE001 - it is raised where the jobs were handed in
            for job in jobs:
                job.outcome = error
            return []

    def close(self) -> None:
        """Close the connection, once nothing runs any more."""
        if self._connection is not None:
            self._connection.close()

    def _admitted(self, jobs: list[Job]) -> list[Job]:
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

    def _check_together(self, checked: deque[Job], ready: list[Job]) -> None:
        """Run the `first` of jobs from the left of `checked` on one connection, up to an error of the database.

        A lost connection cannot be used again.
        """
        with self._database.look(on=self._connected()) as tx:
            reads = SharedReads(tx)
            while checked:
                job = checked.popleft()
                # The transaction would map the driver's error only at its end, for all jobs.
                with _ErrorAsOutcome(job), self._database.mapped():
                    if job.first is not None:
                        job.first(reads)
                    ready.append(job)
                if isinstance(job.outcome, StoreUnavailable):
                    return

    def _left_by_shortcuts(
        self,
        jobs: list[Job],
        shortcut_of: Callable[[Job], Shortcut[Any] | None],
        *,
        lock_timeout_s: float | None = None,
    ) -> list[Job]:
        """Take the shortcuts of `jobs` together; returns the jobs that had none, or whose shortcut did nothing.

        Without `lock_timeout_s` they wait for SQLite's lock until the first of them has waited too long for it.
        """
        left: list[Job] = []
        taken: list[tuple[Job, Shortcut[Any]]] = []
        for job in jobs:
            with _ErrorAsOutcome(job):
                shortcut = shortcut_of(job)
                if shortcut is None:
                    left.append(job)
                else:
                    taken.append((job, shortcut))
        if not taken:
            return left
        is_durable = any(job.durable for job, _ in taken)
        # A job alone is spared the further round trip: nobody in this process waits for the rows that it keeps.
        waits = is_durable and (len(jobs) == 1 or not self._is_postgresql or not self._disk.is_possible)
        if lock_timeout_s is None and not self._is_postgresql:
            lock_timeout_s = _remaining_wait([job for job, _ in taken])
        try:
            rows = take_shortcuts(
                self._database,
                [shortcut for _, shortcut in taken],
                durable=waits,
                lock_timeout_s=lock_timeout_s,
                on=self._connected(),
            )
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

    def _commit(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        if len(jobs) == 1 or not self._commit_together(jobs):
            for job in jobs:
                self._commit_alone(job)

    def _commit_together(self, jobs: list[Job]) -> bool:
        """Commit all `jobs` in one transaction. False: it was rolled back, and each job has to run alone."""
        try:
            with self._database.write(
                durable=any(job.durable for job in jobs), lock_timeout_s=_remaining_wait(jobs), on=self._connected()
            ) as tx:
                for job in jobs if self._is_postgresql else _left_by_shortcuts_within(tx, jobs):
                    job.outcome = job.work(tx)
        except DatabaseBusy as error:
            if self._is_postgresql and _remaining_wait(jobs) > 0:
                return False  # a deadlock is found after a second: there is time to run again
            for job in jobs:
                job.outcome = error
        except Exception:  # noqa: BLE001 - the job at fault raises it again when it runs alone
            return False
        return True

    def _commit_alone(self, job: Job) -> None:
        with (
            _ErrorAsOutcome(job),
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


def _left_by_shortcuts_within(tx: Connection, jobs: list[Job]) -> list[Job]:
    """As `WriteTransactions._left_by_shortcuts`, inside `tx` (SQLite)."""
    shortcuts = [None if job.way is None else job.way() for job in jobs]
    rows = iter(take_within(tx, [shortcut for shortcut in shortcuts if shortcut is not None]))
    left: list[Job] = []
    for job, shortcut in zip(jobs, shortcuts, strict=True):
        if shortcut is None or (row := next(rows)) is None:
            left.append(job)
        else:
            job.outcome = shortcut.result(row)
    return left


def _first_way(job: Job) -> Shortcut[Any] | None:
    """The shortcut that needs no read before it."""
    way = job.way if job.first is None else job.expected
    return None if way is None else way()


def _expected_way(job: Job) -> Shortcut[Any] | None:
    """The shortcut in place of a read."""
    return None if job.first is None or job.expected is None else job.expected()


def _way_after_first(job: Job) -> Shortcut[Any] | None:
    return None if job.first is None or job.way is None else job.way()


def _remaining_wait(jobs: list[Job]) -> float:
    # Measured from when the job was queued: behind a stuck lock, each batch would otherwise wait for all before it too.
    return max(min(job.deadline for job in jobs) - time.monotonic(), 0)


class _ErrorAsOutcome:
    """Keeps an error of the job as its outcome, which is raised where the job was handed in.

    A job may raise any error, as a function that is called may.
    """

    __slots__ = ("_job",)

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._job.outcome = error
        return True
