"""Waits for the disk after transactions that were committed without waiting for it (PostgreSQL).

The log of the server is one sequence, and a commit that waits for the disk waits for all before it. So one wait is
enough for all transactions that ended before it began, whatever their accounts, and none of them keeps its row locks
meanwhile.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from gateway.writer_threads import WriterThreads
from store.database import Database
from store.errors import DatabaseBusy, DatabaseUnreachable, StoreUnavailable

Told: TypeAlias = Callable[[StoreUnavailable | None], None]
"""Called on the event loop: the disk has it, or the error, after which nobody knows."""


class DiskWait:
    """One thread that waits for the disk. Only the event loop calls the methods."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = WriterThreads(1, "gatekey-disk")
        self._waiting: list[Told] = []
        self._is_busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.is_possible = True
        """False once the server has refused to be asked. Commits have to wait for the disk themselves then."""

    def tell(self, told: Sequence[Told]) -> None:
        """Call each of `told` when the disk has what is committed by now."""
        self._waiting += told
        self._start()

    async def close(self) -> None:
        """Wait until all who wait are told, and stop the thread."""
        while self._is_busy:
            await self._idle.wait()
        await asyncio.to_thread(self._thread.shut_down)

    def _start(self) -> None:
        if self._is_busy or not self._waiting:
            return
        told, self._waiting = self._waiting, []
        self._is_busy = True
        self._idle.clear()
        loop = asyncio.get_running_loop()
        try:
            self._thread.submit(partial(self._run, loop, told), under_way=1)
        except RuntimeError:  # the system has no thread left
            loop.call_soon(self._finish, told, DatabaseUnreachable())

    def _run(self, loop: asyncio.AbstractEventLoop, told: list[Told]) -> None:
        error: StoreUnavailable | None = DatabaseUnreachable()
        try:
            self._database.flush()
            error = None
        except StoreUnavailable as refusal:
            error = refusal
        finally:
            loop.call_soon_threadsafe(self._finish, told, error)

    def _finish(self, told: list[Told], error: StoreUnavailable | None) -> None:
        if error is not None and not isinstance(error, DatabaseBusy | DatabaseUnreachable):
            self.is_possible = False
        self._is_busy = False
        for tell in told:
            tell(error)
        self._start()
        if not self._is_busy:
            self._idle.set()
