"""Dispatchers that lease at the same moment never get the same delivery."""

from collections import Counter

import pytest
from sqlalchemy import select, update

from store.models import Delivery
from store.outbox import LEASE_DURATION
from store.sections import Channel
from store.store import Store
from tests.harness.processes import ProcessGroup, Worker, enter
from tests.harness.stores import START, add_account, sign_in


def lease(worker: Worker, url: str) -> list[int]:
    """Lease until nothing is due; returns the deliveries in the order they came."""
    got = []
    with enter(url).store as store:
        worker.meet()
        while jobs := store.outbox.lease(3):
            got += [job.delivery_id for job in jobs]
    return got


def lease_naively(worker: Worker, url: str) -> list[int]:
    """Look for what is free, then mark it taken."""
    got: list[int] = []
    with enter(url).store as store:
        for _ in range(5):
            with store.database.read() as tx:
                free = select(Delivery.c.id).where(Delivery.c.lease.is_(None)).order_by(Delivery.c.id).limit(3)
                ids = list(tx.execute(free).scalars())
            worker.meet()
            with store.database.write() as tx:
                tx.execute(
                    update(Delivery)
                    .where(Delivery.c.id.in_(ids))
                    .values(lease="mine", leased_until=START + LEASE_DURATION)
                )
            got += ids
            worker.meet()
    return got


def queue(store: Store, count: int) -> None:
    add_account(store)
    token = sign_in(store)
    for _ in range(count):
        store.outbox.enqueue_test(token, Channel.EMAIL)


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_a_delivery_is_leased_once(
    processes: ProcessGroup, url: str, database_kind: str, store: Store, count: int
) -> None:
    queue(store, count)
    leased = Counter(number for got in processes.run(lease, url) for number in got)
    twice = sum(times > 1 for times in leased.values())
    print(f"BAR M5b-{database_kind} {count} deliveries, 8 dispatchers: {len(leased)} leased, {twice} of them twice")
    assert len(leased) == count
    assert twice == 0


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="looked up, then marked: every dispatcher takes the same ones"
)
def test_a_delivery_is_leased_once_the_naive_way(
    processes: ProcessGroup, url: str, database_kind: str, store: Store
) -> None:
    queue(store, 40)
    leased = Counter(number for got in processes.run(lease_naively, url) for number in got)
    twice = sum(times > 1 for times in leased.values())
    print(f"BAR M5b-{database_kind}-naive {len(leased)} leased, {twice} of them twice")
    assert twice == 0
