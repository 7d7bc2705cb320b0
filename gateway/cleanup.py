"""Periodic cleanup: releases abandoned holds, queues postponed warnings, deletes old data, makes partitions ahead."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from store.errors import StoreUnavailable
from store.store import Store

LOGGER: Final = logging.getLogger("gatekey.housekeeping")
CLEANUP_INTERVAL_S: Final = 300.0


async def run_cleanup(store: Store, stop: asyncio.Event) -> None:
    """Run `cleanup` at once and every `CLEANUP_INTERVAL_S` seconds, until `stop` is set."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(cleanup, store)
        except StoreUnavailable as error:
            LOGGER.warning("Housekeeping was put off: %s", error)
        try:
            async with asyncio.timeout(CLEANUP_INTERVAL_S):
                await stop.wait()
        except TimeoutError:
            continue


def cleanup(store: Store) -> None:
    """Run every job once. Blocking. Raises `StoreUnavailable`."""
    if released := store.quota.release_abandoned():
        LOGGER.warning("%d calls were never booked; what they held was given back", released)
    store.quota.reservations.forget_settled()
    store.quota_warnings.warn_postponed()
    store.outbox.prune()
    store.drawer.purge()
    store.rates.forget_before(store.context.now() - timedelta(hours=1))
    if pruned := store.retention.prune():
        LOGGER.info("%d entries of the usage log were older than usage.retention_days and were deleted", pruned)
    months = store.usage_months.keep()
    if months.made:
        LOGGER.info("The usage log has new partitions: %s", ", ".join(months.made))
    if months.dropped:
        LOGGER.info("Partitions older than usage.retention_days were dropped: %s", ", ".join(months.dropped))
