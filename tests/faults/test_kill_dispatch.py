"""`kill -9` of a dispatcher between the commit of a warning, its sending, and the note that it was sent."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select

from gateway.dispatcher import run_once
from store.models import Delivery, OutboxMessage
from store.outbox import LEASE_LASTS, State
from store.sections import Channel
from tests.faults.dispatching import WAYS, warn_and_dispatch
from tests.faults.verdict import at, is_corrupt
from tests.faults.victim import strike, sweep
from tests.notified import BY_HTTP, HOST, add_person, allow, id_of, targets
from tests.receivers import Backstage, HttpReceiver
from tests.stores import make_store


@dataclass(frozen=True)
class Receivers:
    by_channel: dict[Channel, HttpReceiver]

    @property
    def origins(self) -> dict[Channel, str]:
        return {channel: f"http://{HOST}:{receiver.port}" for channel, receiver in self.by_channel.items()}

    def received(self) -> Counter[tuple[Channel, str]]:
        """How often each message came in on each channel."""
        return Counter(
            (channel, id_of(channel, request))
            for channel, receiver in self.by_channel.items()
            for request in list(receiver.requests)
        )


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with (
        Backstage() as backstage,
        HttpReceiver(backstage) as webhook,
        HttpReceiver(backstage) as bark,
        HttpReceiver(backstage) as gotify,
    ):
        yield Receivers(dict(zip(BY_HTTP, (webhook, bark, gotify), strict=True)))


def test_a_dispatcher(url: str, kind: str, blow_count: int, receivers: Receivers) -> None:
    lost = other = repeated = kills = corrupt = 0
    with make_store(url) as store:
        allow(store, *(f"{HOST}:{receiver.port}" for receiver in receivers.by_channel.values()))

    def add(number: int) -> int:
        with make_store(url, clock=at(number), seed=number) as store:
            return add_person(store, f"user{number}", targets(receivers.origins))

    planned = sweep(warn_and_dispatch, url, at(1).time, blow_count, add(1))
    for number, blow in enumerate(planned, 2):
        account_id, before = add(number), receivers.received()
        said, was_killed = strike(warn_and_dispatch, url, at(number).time, blow, account_id)
        corrupt += is_corrupt(url)
        clock = at(number)
        clock.advance(seconds=LEASE_LASTS.total_seconds())
        with make_store(url, clock=clock, seed=number) as store:
            run_once(store, WAYS)
            with store.database.read() as tx:
                of_account = select(OutboxMessage.message_id).where(OutboxMessage.account_id == account_id)
                queued = list(tx.execute(of_account).scalars())
                states = select(func.count()).where(Delivery.account_id == account_id)
                delivered = tx.execute(states.where(Delivery.state == State.DELIVERED.value)).scalar_one()
        came = receivers.received() - before
        kills += was_killed
        is_queued = len(queued) == 1 if "spent" in said else len(queued) in (0, 1)
        lost += not is_queued or delivered != 3 * len(queued)
        other += set(came) != {(channel, one) for one in queued for channel in BY_HTTP}
        repeated += sum(came.values()) - len(came)
    print(
        f"BAR M5c-{kind} {kills} dispatchers killed: {lost} warnings lost, {other} with another id, "
        f"{repeated} repeated under the same id, {corrupt} corrupt"
    )
    assert kills > 0
    assert (lost, other, corrupt) == (0, 0, 0)
    # A repetition is what is left between the receiver's answer and our note of it: one per worker at most.
    assert repeated <= 3 * kills
