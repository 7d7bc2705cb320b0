"""Background tasks that run as long as the gateway: the dispatcher and the cleanup."""

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
"""Seconds that deliveries may take at shutdown. Each delivery times out earlier."""
RESTART_DELAY_S: Final = 5.0
"""Seconds before a failed task starts again."""

Work = Callable[[asyncio.Event], Awaitable[None]]


@asynccontextmanager
async def background_tasks(store: Store, transports: DeliveryTransports | None = None) -> AsyncIterator[None]:
    """Run the dispatcher and the cleanup while the context is open; on exit, finish the deliveries under way."""
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
            # A bug in this program. Messages stay in the outbox, so they are delayed, not lost.
            LOGGER.error("Work in the background broke off", exc_info=failure)
            await asyncio.wait({asyncio.ensure_future(stop.wait())}, timeout=RESTART_DELAY_S)
