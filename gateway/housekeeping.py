"""Periodic work: money given back that dead processes held, postponed warnings queued, old messages forgotten."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from store.errors import StoreUnavailable
from store.store import Store

LOGGER: Final = logging.getLogger("gatekey.housekeeping")
EVERY: Final = 300.0
"""Seconds."""


async def keep_house(store: Store, stop: asyncio.Event) -> None:
    """Tidy up at once and every `EVERY` seconds, until `stop` is set."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(tidy, store)
        except StoreUnavailable as error:
            LOGGER.warning("Housekeeping was put off: %s", error)
        try:
            async with asyncio.timeout(EVERY):
                await stop.wait()
        except TimeoutError:
            continue


def tidy(store: Store) -> None:
    """Once. Raises `StoreUnavailable`."""
    if released := store.quota.release_abandoned():
        LOGGER.warning("%d calls were never booked; what they held was given back", released)
    store.quota.reservations.forget_settled()
    store.outbox.warn_postponed()
    store.outbox.prune()
    store.rates.forget_before(store.context.now() - timedelta(hours=1))
    if pruned := store.retention.prune():
        LOGGER.info("%d entries of the usage log were older than usage.retention_days and were deleted", pruned)
