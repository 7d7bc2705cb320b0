"""The background tasks in exactly one of several workers.

Notifications are leased one by one in the store, so two dispatchers would be correct, but ask it twice as often.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from gateway.background import background_tasks
from gateway.dispatcher import DeliveryTransports
from gateway.worker_locks import WorkerLocks
from store.store import Store

LOGGER: Final = logging.getLogger("gatekey.background")
SEAT_POLL_S: Final = 1.0
"""Seconds between two tries to take the seat. If its worker dies, another takes it within that time."""


class Seat:
    """This worker's claim to the one seat of all workers."""

    def __init__(self, locks: WorkerLocks) -> None:
        self._locks = locks
        self._resigned = asyncio.Event()

    def resign(self) -> None:
        """End the work in the seat, and leave it to another worker for good."""
        self._resigned.set()

    async def work(self, store: Store, transports: DeliveryTransports | None) -> None:
        """Wait for the seat, and run the background tasks in it, until `resign`."""
        while not self._resigned.is_set():
            if not self._locks.take_seat():
                with suppress(TimeoutError):
                    async with asyncio.timeout(SEAT_POLL_S):
                        await self._resigned.wait()
                continue
            LOGGER.info("Worker %d sends the notifications and cleans up", os.getpid())
            try:
                async with background_tasks(store, transports):
                    await self._resigned.wait()
            finally:
                self._locks.leave_seat()


@asynccontextmanager
async def seated_tasks(store: Store, transports: DeliveryTransports | None, seat: Seat) -> AsyncIterator[None]:
    """While the context is open, run the background tasks if this worker has the seat."""
    work = asyncio.create_task(seat.work(store, transports))
    try:
        yield
    finally:
        seat.resign()
        await asyncio.wait({work})
        work.result()
