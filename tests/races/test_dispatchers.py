"""Dispatchers at work on one store at the same moment: every message arrives once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select

from store.models import Delivery
from store.sections import Channel
from store.store import Store
from store.values.notifications import DeliveryState
from tests.fakes.receivers import HttpReceiver, LoopThread, Recorded, reply
from tests.harness.notifications import HOST, add_person, allow, id_of, targets
from tests.harness.processes import FULL, ProcessGroup
from tests.harness.stores import sign_in
from tests.races.dispatching import dispatch, dispatch_naively


@dataclass
class Counting:
    """A Gotify server that notes each message, and whether it was being told the same one twice at a time."""

    came: Counter[str] = field(default_factory=Counter)
    under_way: Counter[str] = field(default_factory=Counter)
    overlaps: int = 0

    async def respond(self, request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        one = id_of(Channel.GOTIFY, request)
        self.came[one] += 1
        self.under_way[one] += 1
        self.overlaps += self.under_way[one] > 1
        await asyncio.sleep(0)
        await reply(200)(request, reader, writer)
        self.under_way[one] -= 1


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def receiver(counting: Counting) -> Iterator[HttpReceiver]:
    with LoopThread() as loop_thread, HttpReceiver(loop_thread, counting.respond) as receiver:
        yield receiver


def queue(store: Store, receiver: HttpReceiver, count: int) -> None:
    """Messages to one person, due at once."""
    allow(store, f"{HOST}:{receiver.port}")
    add_person(store, "alice", targets({Channel.GOTIFY: f"http://{HOST}:{receiver.port}"}))
    token = sign_in(store)
    for _ in range(count):
        store.outbox.enqueue_test(token, Channel.GOTIFY)


def delivered(store: Store) -> int:
    with store.database.read() as tx:
        states = select(func.count()).where(Delivery.c.state == DeliveryState.DELIVERED.value)
        return tx.execute(states).scalar_one()


@pytest.mark.parametrize("count", [48, pytest.param(1000, marks=pytest.mark.long)])
def test_a_message_is_sent_once(
    processes: ProcessGroup,
    url: str,
    database_kind: str,
    store: Store,
    receiver: HttpReceiver,
    counting: Counting,
    count: int,
) -> None:
    queue(store, receiver, count)
    made = processes.run(dispatch, url)
    twice = sum(times > 1 for times in counting.came.values())
    print(
        f"BAR M5d-{database_kind} {count} messages, {FULL} dispatchers: {len(counting.came)} arrived, "
        f"{twice} of them twice, {counting.overlaps} at the same time"
    )
    assert len(counting.came) == sum(made) == delivered(store) == count
    assert (twice, counting.overlaps) == (0, 0)
    assert sum(part > 0 for part in made) > 1, "one did all of the work, so there was no race"


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="looked up, then sent: every dispatcher sends the same ones"
)
def test_a_message_is_sent_once_the_naive_way(
    processes: ProcessGroup, url: str, database_kind: str, store: Store, receiver: HttpReceiver, counting: Counting
) -> None:
    queue(store, receiver, 8)
    processes.run(dispatch_naively, url)
    twice = sum(times > 1 for times in counting.came.values())
    print(f"BAR M5d-{database_kind}-naive {len(counting.came)} arrived, {twice} of them more than once")
    assert twice == 0
