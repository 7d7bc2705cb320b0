"""`kill -9` of a dispatcher between the commit of a warning, its sending, and the note that it was sent."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import pytest
from sqlalchemy import func, select

from gateway.dispatcher import run_once
from store.models import Delivery, OutboxMessage
from store.outbox import LEASE_DURATION
from store.sections import Channel
from store.values.notifications import DeliveryState
from tests.fakes.receivers import HttpReceiver, LoopThread
from tests.faults.dispatching import WAYS, Gap, die_in, warn_and_dispatch
from tests.faults.kill_report import at, is_corrupt
from tests.faults.killed_process import KillPoint, run_until_killed, sweep
from tests.harness.notifications import BY_HTTP, HOST, add_person, allow, id_of, targets
from tests.harness.stores import make_store


@dataclass(frozen=True)
class Receivers:
    by_channel: dict[Channel, HttpReceiver]

    @property
    def origins(self) -> dict[Channel, str]:
        return {channel: f"http://{HOST}:{receiver.port}" for channel, receiver in self.by_channel.items()}

    def received(self) -> Counter[tuple[Channel, str]]:
        """The number of arrivals of each message on each channel."""
        return Counter(
            (channel, id_of(channel, request))
            for channel, receiver in self.by_channel.items()
            for request in list(receiver.requests)
        )


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with (
        LoopThread() as loop_thread,
        HttpReceiver(loop_thread) as webhook,
        HttpReceiver(loop_thread) as bark,
        HttpReceiver(loop_thread) as gotify,
    ):
        yield Receivers(dict(zip(BY_HTTP, (webhook, bark, gotify), strict=True)))


@dataclass(frozen=True)
class Aftermath:
    """The result of one account's warning after the next dispatcher ran."""

    queued: list[str]
    """The ids of the messages there are."""
    delivered: int
    """On how many channels the store has it as delivered."""
    came: Counter[tuple[Channel, str]]
    """The messages that arrived, and how often."""

    @property
    def is_intact(self) -> bool:
        """True if every queued message was delivered."""
        return self.delivered == len(BY_HTTP) * len(self.queued)

    @property
    def has_one_id(self) -> bool:
        """True if each channel received only that message, by one id, however often."""
        return set(self.came) == {(channel, one) for one in self.queued for channel in BY_HTTP}

    @property
    def repeated(self) -> int:
        return sum(self.came.values()) - len(self.came)


def add(url: str, number: int, receivers: Receivers) -> int:
    """Somebody to warn, an hour after the one before; returns the account."""
    with make_store(url, clock=at(number), seed=number) as store:
        allow(store, *(f"{HOST}:{receiver.port}" for receiver in receivers.by_channel.values()))
        return add_person(store, f"user{number}", targets(receivers.origins))


def recover(url: str, number: int, account_id: int) -> tuple[list[str], int]:
    """Run the next dispatcher when the leases have run out; the ids that were queued, and how many were delivered."""
    clock = at(number)
    clock.advance(seconds=LEASE_DURATION.total_seconds())
    with make_store(url, clock=clock, seed=number) as store:
        run_once(store, WAYS)
        with store.database.read() as tx:
            of_account = select(OutboxMessage.c.message_id).where(OutboxMessage.c.account_id == account_id)
            queued = list(tx.execute(of_account).scalars())
            states = select(func.count()).where(Delivery.c.account_id == account_id)
            return queued, tx.execute(states.where(Delivery.c.state == DeliveryState.DELIVERED.value)).scalar_one()


@pytest.mark.parametrize("kill_count", [4, pytest.param(100, marks=pytest.mark.long)])
def test_a_dispatcher(url: str, database_kind: str, kill_count: int, receivers: Receivers) -> None:
    lost = other = repeated = kills = corrupt = 0
    planned = sweep(warn_and_dispatch, url, at(1).time, kill_count, add(url, 1, receivers))
    for number, kill_point in enumerate(planned, 2):
        account_id, before = add(url, number, receivers), receivers.received()
        said, was_killed = run_until_killed(warn_and_dispatch, url, at(number).time, kill_point, account_id)
        corrupt += is_corrupt(url)
        found = Aftermath(*recover(url, number, account_id), receivers.received() - before)
        kills += was_killed
        was_queued = len(found.queued) == 1 if "spent" in said else len(found.queued) in (0, 1)
        lost += not (was_queued and found.is_intact)
        other += not found.has_one_id
        repeated += found.repeated
    print(
        f"BAR M5c-{database_kind} {kills} dispatchers killed: {lost} warnings lost, {other} with another id, "
        f"{repeated} repeated under the same id, {corrupt} corrupt"
    )
    assert kills > 0
    assert (lost, other, corrupt) == (0, 0, 0)
    # A repetition is what is left between the receiver's answer and our note of it: one per worker at most.
    assert repeated <= len(BY_HTTP) * kills


def test_a_dispatcher_in_each_gap(url: str, receivers: Receivers) -> None:
    """Between commit and sending nothing has arrived yet; between sending and note, it arrives again as the same."""
    for number, gap in enumerate(get_args(Gap), 1):
        account_id, before = add(url, number, receivers), receivers.received()
        said, was_killed = run_until_killed(die_in, url, at(number).time, KillPoint("never"), account_id, gap)
        assert (said, was_killed) == (["spent"], True)
        already = receivers.received() - before
        found = Aftermath(*recover(url, number, account_id), receivers.received() - before)
        assert len(found.queued) == 1
        assert found.is_intact
        assert found.has_one_id
        assert found.repeated == len(already), gap
        assert bool(already) is (gap == "before the note"), gap
