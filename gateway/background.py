"""What runs beside the requests for as long as the gateway does: the dispatcher, and housekeeping."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from gateway.cleanup import run_cleanup
from gateway.dispatcher import DeliveryTransports, Dispatcher
from store.store import Store

LOGGER: Final = logging.getLogger("gatekey.background")
SHUTDOWN_GRACE_S: Final = 40.0
"""Seconds that messages on their way are given when the gateway stops; each is given up before that."""
RESTART_DELAY_S: Final = 5.0
"""Seconds before work that broke off is taken up again."""

Work = Callable[[asyncio.Event], Awaitable[None]]


@asynccontextmanager
async def background(store: Store, transports: DeliveryTransports | None = None) -> AsyncIterator[None]:
    """Deliver and tidy up while the context is open; on leaving it, what is on its way is finished."""
    stop = asyncio.Event()
    works: tuple[Work, ...] = (Dispatcher(store, transports).run, partial(run_cleanup, store))
    tasks = [asyncio.create_task(_run_with_restarts(work, stop)) for work in works]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait(tasks, timeout=SHUTDOWN_GRACE_S)
        for task in tasks:
            task.cancel()


async def _run_with_restarts(work: Work, stop: asyncio.Event) -> None:
    while not stop.is_set():
        task = asyncio.ensure_future(work(stop))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        if (failure := task.exception()) is not None:
            # A mistake in this program. Messages wait in the outbox, so they are late, and not lost.
            LOGGER.error("Work in the background broke off", exc_info=failure)
            await asyncio.wait({asyncio.ensure_future(stop.wait())}, timeout=RESTART_DELAY_S)
