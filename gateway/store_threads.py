"""Runs the synchronous store off the event loop, in a bounded number of threads.

SQLite allows one writer at a time, so there is one writer thread, which keeps its connection. Jobs that arrive during
a commit share the next one: sixteen concurrent calls cost one fsync instead of sixteen. PostgreSQL writes in parallel,
no account in two threads: two transactions of one account would wait for its row locks. The jobs of one account share a
transaction. Jobs of several accounts do so if all have shortcuts, which lock the accounts in one order, and wait only
shortly for a locked one; what they leave undone is done account by account. `gateway.write_transactions` has the
transactions themselves.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from gateway.disk_wait import DiskWait
from gateway.write_transactions import First, Job, Way, Work, WriteTransactions
from gateway.writer_threads import WriterThreads
from store.database import Database
from store.errors import DatabaseBusy

T = TypeVar("T")
READER_THREADS: Final = 4
POSTGRESQL_WRITER_THREADS: Final = 8
MAX_JOBS_PER_COMMIT: Final = 64
MAX_ACCOUNTS_PER_COMMIT: Final = 16
"""Accounts whose jobs share a transaction (PostgreSQL). More would keep the rows of the first for longer."""
MAX_SHARED_COMMITS: Final = 2
"""Transactions at one time that jobs of several accounts may share (PostgreSQL). With more, few would share each."""
MAX_BOOKINGS_PER_COMMIT: Final = 6
"""Durable jobs that share a commit on a fast disk (SQLite)."""
SLOW_COMMIT_S: Final = 0.005
"""Seconds. A disk is slow if each of the last durable transactions took longer: more of them then share a commit."""
_TRANSACTIONS_TIMED: Final = 8
MAX_TURNS_OF_HOLDS: Final = 3
"""Transactions that need not be durable before one of those that must be, while both wait (SQLite)."""
MAX_TURNS_GATHERED: Final = 4
"""Turns of the event loop that may bring further jobs before the first of them starts (PostgreSQL)."""
_NO_THREAD: Final = "The system has no thread left that could write. Nothing was changed; try again."
QUEUE_TIMEOUT_S: Final = 5.0
"""Seconds a write waits for another program that holds SQLite's lock, including its time in the queue."""


class StoreThreads:
    """The threads of one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_postgresql = database.is_postgresql
        self._writers = POSTGRESQL_WRITER_THREADS if self._is_postgresql else 1
        self._reading = ThreadPoolExecutor(READER_THREADS, "gatekey-read")
        self._writing = WriterThreads(self._writers)
        self._waiting: deque[Job] = deque()
        self._disk = DiskWait(database)
        self._transactions = WriteTransactions(database, self._disk)
        self._busy = 0
        self._is_gathering = False
        self._turns_of_holds = 0
        """The transactions of SQLite since the last that was durable."""
        self._durations_s: deque[float] = deque(maxlen=_TRANSACTIONS_TIMED)
        """Those of the last transactions that waited for the disk: refused and empty ones are short on any disk."""
        self._shared = 0
        """Transactions under way that jobs of several accounts may share (PostgreSQL)."""
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
        its quota, then others. Two processes could deadlock in another order. `shortcut` is taken in place of `work`,
        unless it does nothing; on SQLite only where several jobs wait. `expected` is taken in place of `first` and of
        both: it asks in its statement what `first` would have read.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        deadline = time.monotonic() + QUEUE_TIMEOUT_S
        job = Job(work, first, durable, future, deadline, account_id, shortcut, expected)
        job.runs_alone = shortcut is None
        self._waiting.append(job)
        self._idle.clear()
        if self._is_postgresql:
            self._start_after_turns()
        else:
            self._start()
        return future

    async def close(self) -> None:
        """Wait until every queued job is done, and stop the threads. No job may be queued afterwards."""
        # Queued jobs reach the threads through this loop, so the threads may stop only when the queue is empty.
        while not self._idle.is_set():
            await self._idle.wait()
        await self._disk.close()
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        self._writing.shut_down()
        self._transactions.close()
        self._reading.shutdown()

    def _start_after_turns(self) -> None:
        """Start when the event loop brings no further job before its next turn, at most `MAX_TURNS_GATHERED` later.

        A transaction of one call costs the server almost as much as one of several. Two processes that write to one
        account also wait for each other's.
        """
        if not self._is_gathering:
            self._is_gathering = True
            asyncio.get_running_loop().call_soon(self._start_if_gathered, len(self._waiting), MAX_TURNS_GATHERED)

    def _start_if_gathered(self, before: int, turns: int) -> None:
        if turns and len(self._waiting) > before:
            asyncio.get_running_loop().call_soon(self._start_if_gathered, len(self._waiting), turns - 1)
        else:
            self._is_gathering = False
            self._start()

    def _start(self) -> None:
        # Only the event loop accesses `_waiting`, `_busy` and `_written_accounts`, so no lock is needed. Jobs wait only
        # while a writer is busy.
        while self._busy < self._writers and (jobs := self._next_jobs()):
            self._busy += 1
            loop = asyncio.get_running_loop()
            try:
                self._writing.submit(partial(self._run, loop, jobs), under_way=self._busy)
            except RuntimeError:
                for job in jobs:
                    job.outcome = DatabaseBusy(_NO_THREAD)
                loop.call_soon(self._finish, jobs, [], 0.0)

    def _next_jobs(self) -> list[Job]:
        """Take the jobs of the next transaction from the queue; empty if none may start now."""
        if not self._waiting:
            return []
        if not self._is_postgresql:
            return self._taken(self._next_turn())
        may_share = self._shared < MAX_SHARED_COMMITS
        free = (job for job in self._waiting if job.account_id not in self._written_accounts)
        next_job = next((job for job in free if may_share or job.runs_alone), None)
        if next_job is None:
            return []
        self._shared += not next_job.runs_alone
        if next_job.account_id is None:
            self._waiting.remove(next_job)
            return [next_job]
        accounts = {next_job.account_id} if next_job.runs_alone else self._accounts_together()
        together = (
            job for job in self._waiting if job.account_id in accounts and job.runs_alone is next_job.runs_alone
        )
        jobs = list(islice(together, MAX_JOBS_PER_COMMIT))
        self._written_accounts.update(job.account_id for job in jobs if job.account_id is not None)
        return self._taken(jobs)

    def _accounts_together(self) -> set[int]:
        """The accounts that waited longest of those whose jobs may share a transaction now (PostgreSQL)."""
        accounts: set[int] = set()
        for job in self._waiting:
            if job.account_id is not None and not job.runs_alone and job.account_id not in self._written_accounts:
                accounts.add(job.account_id)
                if len(accounts) == MAX_ACCOUNTS_PER_COMMIT:
                    break
        return accounts

    def _next_turn(self) -> list[Job]:
        """The jobs of SQLite's next transaction, of one kind: holds would wait for the disk with bookings.

        Holds come first, because their calls wait before they are sent; but of bookings that wait, only so often. On a
        fast disk few bookings share a commit, because the next holds wait for all of them.
        """
        turn = [job for job in self._waiting if not job.durable]
        if turn and (self._turns_of_holds < MAX_TURNS_OF_HOLDS or len(turn) == len(self._waiting)):
            self._turns_of_holds += 1
            return turn[:MAX_JOBS_PER_COMMIT]
        self._turns_of_holds = 0
        turn = [job for job in self._waiting if job.durable]
        is_fast = min(self._durations_s, default=0) < SLOW_COMMIT_S
        return turn[: MAX_BOOKINGS_PER_COMMIT if is_fast else MAX_JOBS_PER_COMMIT]

    def _taken(self, jobs: list[Job]) -> list[Job]:
        """`jobs`, which wait no more."""
        if len(jobs) == len(self._waiting):
            self._waiting.clear()
            return jobs
        taken = set(map(id, jobs))
        self._waiting = deque(job for job in self._waiting if id(job) not in taken)
        return jobs

    def _run(self, loop: asyncio.AbstractEventLoop, jobs: list[Job]) -> None:
        started = time.monotonic()
        left: list[Job] = []
        if self._is_postgresql and not jobs[0].runs_alone:
            left = self._transactions.run_together(jobs)
        else:
            self._transactions.run(jobs)
        loop.call_soon_threadsafe(self._finish, jobs, left, time.monotonic() - started)

    def _finish(self, jobs: list[Job], left: list[Job], seconds: float) -> None:
        self._busy -= 1
        if self._is_postgresql:
            self._shared -= not jobs[0].runs_alone
            self._written_accounts.difference_update(job.account_id for job in jobs if job.account_id is not None)
        if left:
            for job in left:
                job.runs_alone = True
            self._waiting.extendleft(reversed(left))
            undone = set(map(id, left))
            jobs = [job for job in jobs if id(job) not in undone]
        for job in jobs:
            if job.is_on_disk:
                job.tell()
        if self._is_postgresql:
            self._disk.tell([job.tell for job in jobs if not job.is_on_disk])
            if self._waiting:
                self._start_after_turns()
        else:
            if any(job.is_booked for job in jobs):
                self._durations_s.append(seconds)
            self._start()
        if not self._busy and not self._waiting:
            self._idle.set()
