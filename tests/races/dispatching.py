"""Dispatchers as processes: the product's, and one that looks before it takes."""

import asyncio
import ssl
from functools import partial
from typing import Final

from sqlalchemy import select, update

from gateway.dispatcher import DeliveryTransports, Dispatcher, run_once
from store.models import Delivery, OutboxMessage
from store.outbox import Job
from store.sections import Channel
from store.store import Store
from store.values.notifications import DeliveryState
from tests.harness.processes import Worker, enter

WAYS: Final = DeliveryTransports(partial(ssl.SSLContext, ssl.PROTOCOL_TLS_CLIENT))
"""Everything goes over plain HTTP here: nobody needs to be trusted."""


def dispatch(worker: Worker, url: str) -> int:
    """Deliver until nothing is due; returns how many messages this process delivered."""
    with enter(url).store as store:
        worker.meet()
        return run_once(store, WAYS).delivered


def dispatch_naively(worker: Worker, url: str) -> int:
    """Look for what waits, send it, then note it as sent."""
    with enter(url).store as store:
        jobs = waiting(store)
        worker.meet()
        asyncio.run(send_all(store, jobs))
        return len(jobs)


def waiting(store: Store) -> list[Job]:
    """Every delivery that waits, taken by nobody."""
    joined = select(Delivery, OutboxMessage.c.message_id, OutboxMessage.c.kind, OutboxMessage.c.payload).join(
        OutboxMessage, OutboxMessage.c.id == Delivery.c.outbox_id
    )
    with store.database.read() as tx:
        rows = tx.execute(joined.where(Delivery.c.state == DeliveryState.WAITING.value)).all()
    now = store.context.now()
    return [
        Job(row.id, "", row.account_id, Channel(row.channel), row.message_id, row.kind, row.payload, now, 0, None)
        for row in rows
    ]


async def send_all(store: Store, jobs: list[Job]) -> None:
    for job in jobs:
        await Dispatcher(store, WAYS).attempt(job)
        with store.database.write() as tx:
            tx.execute(
                update(Delivery).where(Delivery.c.id == job.delivery_id).values(state=DeliveryState.DELIVERED.value)
            )
