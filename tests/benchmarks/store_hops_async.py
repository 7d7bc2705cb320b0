"""Holds on PostgreSQL by an asynchronous driver, on the event loop itself: what `store_hops` compares threads with.

It is the least that can be compared: one account, no pool of connections, no errors of the store, no limit on the time
in the queue.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Final, Self

import psycopg
from psycopg.types.numeric import Int8Dumper

from gateway.store_threads import MAX_JOBS_PER_COMMIT, MAX_TURNS_GATHERED
from store.database import Database
from store.reservations import Hold
from store.shortcut import _NOT_DURABLE, Shortcut, _whole

_SETTINGS: Final = "SET timezone TO 'UTC'; SET lock_timeout TO 5000"


class LoopHolds:
    """Holds of one account. Those that wait while a pipeline is under way share the next one, as in `StoreThreads`."""

    def __init__(self, connection: "psycopg.AsyncConnection[Any]") -> None:
        self._connection = connection
        self._waiting: deque[tuple[Shortcut[Hold], asyncio.Future[Hold]]] = deque()
        self._has_come = asyncio.Event()
        # A task that no caller can cancel: one that is cancelled in a pipeline leaves it in the middle.
        self._running = asyncio.create_task(self._run())

    @classmethod
    async def connect(cls, database: Database) -> Self:
        """On a connection with the settings of the store's."""
        address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
        connection.adapters.register_dumper(int, Int8Dumper)
        await connection.execute(_SETTINGS)
        return cls(connection)

    def take(self, shortcut: Shortcut[Hold]) -> asyncio.Future[Hold]:
        """The hold, once it is committed."""
        future: asyncio.Future[Hold] = asyncio.get_running_loop().create_future()
        self._waiting.append((shortcut, future))
        self._has_come.set()
        return future

    async def aclose(self) -> None:
        """Close the connection. Nothing may wait."""
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running
        await self._connection.close()

    async def _run(self) -> None:
        while True:
            await self._has_come.wait()
            await self._gather()
            jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_JOBS_PER_COMMIT))]
            if not self._waiting:
                self._has_come.clear()
            try:
                row = await self._row(*_whole([shortcut for shortcut, _ in jobs]))
            except psycopg.Error as error:
                for _, future in jobs:
                    future.set_exception(error)
                continue
            assert row is not None
            for shortcut, future in jobs:
                if not future.done():
                    future.set_result(shortcut.result(row))

    async def _gather(self) -> None:
        """Wait while each turn of the loop brings further holds, as `StoreThreads` does."""
        for _ in range(MAX_TURNS_GATHERED):
            before = len(self._waiting)
            await asyncio.sleep(0)
            if len(self._waiting) == before:
                return

    async def _row(self, text: str, values: list[Any]) -> tuple[Any, ...] | None:
        """The row of a statement that is committed without waiting for the disk, in one round trip."""
        other, cursor = (psycopg.AsyncRawCursor(self._connection) for _ in range(2))
        async with self._connection.pipeline():
            await other.execute(f"SELECT {_NOT_DURABLE}")
            await cursor.execute(text, values)
        return await cursor.fetchone()
