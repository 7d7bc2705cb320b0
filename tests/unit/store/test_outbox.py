"""The outbox: leased to one worker at a time, retried, and empty of people who are gone."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from store.errors import InvalidSetting
from store.models import Account, Delivery
from store.notices import DELETED, SENTENCES
from store.outbox import DAMAGED_SENTENCE, LEASE_DURATION, MESSAGE_RETENTION, TEST, Job
from store.quota_warnings import QUOTA_WARNING
from store.sections import Channel, NotificationSettings
from store.store import Store
from store.values.notifications import DeliveryState, LastDelivery
from tests.harness.fixtures import in_memory
from tests.harness.people import Person, configure_mail, contents, prove
from tests.harness.quota_calls import spend_quota
from tests.harness.stores import START, StillClock, add_account, make_store, sign_in
from tests.unit.store.full_settings import FULL


def leased(store: Store, person: Person, channel: Channel = Channel.EMAIL) -> Job:
    """A test message to a person, queued and leased."""
    (job,) = store.outbox.lease(delivery_id=store.outbox.enqueue_test(person.token, channel))
    return job


# -- queueing ---------------------------------------------------------------------------------------------------


def test_a_test_message_is_queued(store: Store, alice: Person, clock: StillClock) -> None:
    delivery_id = store.outbox.enqueue_test(alice.token, Channel.EMAIL)
    assert store.deliveries.next_due() == clock.now()
    (job,) = store.outbox.lease()
    assert (job.delivery_id, job.channel, job.kind, job.account_id) == (delivery_id, Channel.EMAIL, TEST, alice.id)
    assert (job.payload, job.attempts, job.recipient) == ({"name": "alice"}, 0, None)
    assert job.message_id.startswith("msg_")
    assert "alice" not in repr(job)


@in_memory
@pytest.mark.parametrize("channel", Channel)
def test_a_test_needs_an_address(store: Store, alice: Person, channel: Channel) -> None:
    with store.database.write() as tx:
        tx.execute(update(Account).values(email=""))
    with pytest.raises(InvalidSetting, match="Save an address"):
        store.outbox.enqueue_test(alice.token, channel)
    store.settings.save(alice.token, FULL, 1)
    assert leased(store, alice, channel).channel is channel


def test_a_channel_may_be_tested_while_it_is_off(store: Store, alice: Person) -> None:
    store.settings.save(alice.token, NotificationSettings(email_on=False), 1)
    assert leased(store, alice).kind == TEST


def test_nothing_queued_is_nothing_due(store: Store) -> None:
    assert store.outbox.lease() == []
    assert store.deliveries.next_due() is None
    assert store.outbox.lease(delivery_id=4711) == []
    assert store.deliveries.find(4711) is None


# -- leases -----------------------------------------------------------------------------------------------------


def test_a_delivery_is_leased_to_one(store: Store, alice: Person, clock: StillClock) -> None:
    job = leased(store, alice)
    assert store.outbox.lease() == store.outbox.lease(delivery_id=job.delivery_id) == []
    clock.time += LEASE_DURATION - timedelta(seconds=1)
    assert store.outbox.lease() == []
    clock.advance(seconds=1)
    (again,) = store.outbox.lease()
    assert (again.message_id, again.delivery_id) == (job.message_id, job.delivery_id)
    assert again.lease != job.lease
    assert not store.outbox.delivered(job)
    assert not store.outbox.failed(job, "late", None)
    assert store.outbox.delivered(again)
    assert not store.outbox.delivered(again)
    assert store.outbox.lease() == []


def test_the_oldest_go_first_and_not_too_many(store: Store, alice: Person, clock: StillClock) -> None:
    ids = []
    for _ in range(5):
        ids.append(store.outbox.enqueue_test(alice.token, Channel.EMAIL))
        clock.advance(seconds=1)
    assert [job.delivery_id for job in store.outbox.lease(2)] == ids[:2]
    assert [job.delivery_id for job in store.outbox.lease(10)] == ids[2:]


def test_two_workers_never_hold_the_same(file_url: str, clock: StillClock) -> None:
    with make_store(file_url, clock=clock) as here, make_store(file_url, clock=clock, seed=2) as there:
        add_account(here)
        token = sign_in(here)
        for _ in range(10):
            here.outbox.enqueue_test(token, Channel.EMAIL)
        mine, theirs = here.outbox.lease(6), there.outbox.lease(6)
    assert (len(mine), len(theirs)) == (6, 4)
    assert not {job.delivery_id for job in mine} & {job.delivery_id for job in theirs}


# -- outcomes ---------------------------------------------------------------------------------------------------


def test_a_failure_is_tried_again_when_it_is_due(store: Store, alice: Person, clock: StillClock) -> None:
    job = leased(store, alice)
    assert store.outbox.failed(job, "refused\x1b[31m" + "x" * 500, START + timedelta(seconds=90))
    seen = store.deliveries.last_deliveries(alice.token)[Channel.EMAIL]
    assert (seen.state, seen.attempts, seen.next_attempt_at) == (
        DeliveryState.WAITING,
        1,
        START + timedelta(seconds=90),
    )
    assert seen.error.startswith("refused\ufffd[31mxxx")
    assert len(seen.error) == 300
    assert store.deliveries.find(job.delivery_id) == seen
    assert store.deliveries.next_due() == START + timedelta(seconds=90)
    clock.advance(seconds=89)
    assert store.outbox.lease() == []
    assert [early.attempts for early in store.outbox.lease(delivery_id=job.delivery_id)] == [1]
    clock.advance(seconds=61)
    (again,) = store.outbox.lease()
    assert (again.attempts, again.message_id) == (1, job.message_id)


def test_a_delivery_ends_delivered_or_given_up(store: Store, alice: Person, clock: StillClock) -> None:
    delivered, given_up = leased(store, alice), leased(store, alice)
    clock.advance(seconds=5)
    assert store.outbox.delivered(delivered)
    assert store.outbox.failed(given_up, "gone", None)
    assert store.deliveries.find(delivered.delivery_id) == LastDelivery(
        Channel.EMAIL, TEST, DeliveryState.DELIVERED, clock.now(), 1, "", None
    )
    assert store.deliveries.find(given_up.delivery_id) == LastDelivery(
        Channel.EMAIL, TEST, DeliveryState.FAILED, clock.now(), 1, "gone", None
    )
    clock.advance(days=1)
    assert store.outbox.lease() == []
    assert store.deliveries.next_due() is None


def test_the_newest_delivery_of_each_channel(store: Store, alice: Person, bob: Person, clock: StillClock) -> None:
    store.settings.save(alice.token, FULL, 1)
    assert store.deliveries.last_deliveries(alice.token) == {}
    store.outbox.delivered(leased(store, alice, Channel.WEBHOOK))
    clock.advance(seconds=1)
    store.outbox.enqueue_test(alice.token, Channel.WEBHOOK)
    store.outbox.failed(leased(store, alice, Channel.BARK), "no route", None)
    store.outbox.enqueue_test(bob.token, Channel.EMAIL)
    last = store.deliveries.last_deliveries(alice.token)
    assert {channel: (one.state, one.at) for channel, one in last.items()} == {
        Channel.WEBHOOK: (DeliveryState.WAITING, clock.now()),
        Channel.BARK: (DeliveryState.FAILED, clock.now()),
    }


def test_a_receiver_that_is_gone_switches_its_channel_off(store: Store, alice: Person, bob: Person) -> None:
    store.settings.save(alice.token, FULL, 1)
    job = leased(store, alice, Channel.WEBHOOK)
    assert not store.outbox.disable_channel(job, version=1)
    assert store.outbox.disable_channel(job, version=2)
    saved = store.settings.load(alice.token, NotificationSettings)
    assert (saved.section.webhook_on, saved.section.bark_on, saved.version) == (False, True, 3)
    assert saved.section.webhook_url == FULL.webhook_url
    assert store.settings.load(bob.token, NotificationSettings).version == 1


def test_old_messages_are_forgotten_once_settled(store: Store, alice: Person, clock: StillClock) -> None:
    store.outbox.delivered(leased(store, alice))
    store.outbox.enqueue_test(alice.token, Channel.EMAIL)
    clock.time += MESSAGE_RETENTION
    assert store.outbox.prune() == 0
    clock.advance(seconds=1)
    assert store.outbox.prune() == 1
    assert len(contents(store)["outbox"]) == len(contents(store)["deliveries"]) == 1


# -- notices ----------------------------------------------------------------------------------------------------


def test_a_notice_goes_to_the_accounts_own_address(store: Store, alice: Person) -> None:
    configure_mail(store)
    store.settings.save(alice.token, NotificationSettings(email_on=False, email_address="else@example.com"), 1)
    store.access_token.generate(alice.token)
    (job,) = store.outbox.lease()
    assert (job.kind, job.channel, job.recipient) == ("access-token:generated", Channel.EMAIL, None)
    assert job.payload["name"] == "alice"
    assert job.payload["sentence"].startswith("A new System Access Token was generated.")


@pytest.mark.parametrize("missing", ["mail server", "address"])
def test_without_a_way_there_is_no_notice(store: Store, alice: Person, missing: str) -> None:
    if missing == "address":
        configure_mail(store)
        with store.database.write() as tx:
            tx.execute(update(Account).values(email=""))
    store.access_token.generate(alice.token)
    assert contents(store)["outbox"] == []
    store.deletion.delete(alice.token, "alice")
    assert contents(store)["outbox"] == []


def test_every_notice_is_a_sentence() -> None:
    for sentence in SENTENCES.values():
        assert sentence.endswith(".")
        assert sentence[0].isupper()


# -- the last message -------------------------------------------------------------------------------------------


@pytest.fixture
def farewell(store: Store, alice: Person) -> Job:
    """The message that outlives alice's account."""
    configure_mail(store)
    store.deletion.delete(alice.token, "alice")
    (job,) = store.outbox.lease()
    return job


def test_the_last_message_outlives_its_account(store: Store, farewell: Job) -> None:
    assert (farewell.kind, farewell.account_id, farewell.recipient) == (DELETED, None, "alice@example.com")
    assert "alice" not in repr(farewell)
    assert "alice" not in repr(contents(store))


@pytest.mark.parametrize("how", ["delivered", "given up"])
def test_nothing_is_left_once_it_is_settled(store: Store, farewell: Job, how: str) -> None:
    retry = store.outbox.failed(farewell, "busy", START)
    assert retry
    (again,) = store.outbox.lease()
    assert again.recipient == "alice@example.com"
    assert store.outbox.delivered(again) if how == "delivered" else store.outbox.failed(again, "no", None)
    assert contents(store)["outbox"] == contents(store)["deliveries"] == []


def test_no_channel_of_a_deleted_account_is_switched_off(store: Store, farewell: Job) -> None:
    assert not store.outbox.disable_channel(farewell, version=1)


def test_a_sealed_address_opens_in_its_own_message_alone(store: Store, farewell: Job, bob: Person) -> None:
    store.deletion.delete(bob.token, "bob")
    with store.database.write() as tx:
        sealed = tx.execute(
            select(Delivery.c.recipient_sealed).where(Delivery.c.id == farewell.delivery_id)
        ).scalar_one()
        tx.execute(update(Delivery).where(Delivery.c.id != farewell.delivery_id).values(recipient_sealed=sealed))
    assert store.outbox.lease() == []
    with store.database.read() as tx:
        left = tx.execute(select(Delivery.c.id)).scalars().all()
    assert left == [farewell.delivery_id]  # the other was given up, and went with its message
    assert len(contents(store)["outbox"]) == 1


def given_up_when_damaged(store: Store, person: Person, clock: StillClock, spoil: str) -> LastDelivery | None:
    """Two messages, the first one damaged by `spoil`; the second is leased next. How the first stands."""
    damaged = store.outbox.enqueue_test(person.token, Channel.EMAIL)
    with store.database.write() as tx:
        tx.exec_driver_sql(spoil)
    clock.advance(seconds=1)
    whole = store.outbox.enqueue_test(person.token, Channel.WEBHOOK)
    assert [job.delivery_id for job in store.outbox.lease(1)] == [whole]
    with store.database.write() as tx:
        tx.exec_driver_sql("UPDATE deliveries SET channel = 'email' WHERE channel = 'x'")
    return store.deliveries.find(damaged)


def test_a_damaged_delivery_did_not_stand_in_the_way_of_others(store: Store, alice: Person, clock: StillClock) -> None:
    store.settings.save(alice.token, FULL, 1)
    last = given_up_when_damaged(store, alice, clock, "UPDATE deliveries SET channel = 'x'")
    assert last is not None
    assert (last.state, last.attempts, last.error) == (DeliveryState.DAMAGED, 1, DAMAGED_SENTENCE)
    assert store.deliveries.count_damaged() == 1


def test_a_damaged_message_did_not_stand_in_the_way_of_others(clock: StillClock) -> None:
    """On SQLite; PostgreSQL takes nothing for JSON that is none."""
    with make_store(clock=clock) as store:
        alice = Person(add_account(store, "alice").id, "alice", sign_in(store))
        store.settings.save(alice.token, FULL, 1)
        last = given_up_when_damaged(store, alice, clock, "UPDATE outbox SET payload = 'x'")
    assert last is not None
    assert last.state is DeliveryState.DAMAGED


def test_a_damaged_time_keeps_nothing_from_being_due(clock: StillClock) -> None:
    """On SQLite, which takes any text for a time."""
    with make_store(clock=clock) as store:
        alice = Person(add_account(store, "alice").id, "alice", sign_in(store))
        store.outbox.enqueue_test(alice.token, Channel.EMAIL)
        with store.database.write() as tx:
            tx.exec_driver_sql("UPDATE deliveries SET next_attempt_at = '0 o clock'")
        whole = store.outbox.enqueue_test(alice.token, Channel.EMAIL)
        assert store.deliveries.is_anything_due()
        assert [job.delivery_id for job in store.outbox.lease(1)] == [whole]
        assert store.deliveries.count_damaged() == 1
        assert store.outbox.lease() == []


def test_a_clock_that_jumps_ends_no_lease(store: Store, alice: Person, clock: StillClock) -> None:
    job = leased(store, alice)
    clock.jump(hours=5)
    assert store.outbox.lease() == []
    clock.advance(seconds=59)
    assert store.outbox.lease() == []
    assert store.outbox.delivered(job)


def test_a_clock_set_back_keeps_no_lease_alive(store: Store, alice: Person, clock: StillClock) -> None:
    job = leased(store, alice)
    clock.jump(hours=-5)
    clock.advance(seconds=60)
    (again,) = store.outbox.lease(delivery_id=job.delivery_id)
    assert again.message_id == job.message_id


def test_a_lease_of_another_machine_ends_by_the_clock(store: Store, alice: Person, clock: StillClock) -> None:
    leased(store, alice)
    with store.database.write() as tx:
        tx.execute(update(Delivery).values(lease_boot="another machine", lease_uptime_ms=0))
    clock.jump(seconds=59)
    assert store.outbox.lease() == []
    clock.jump(seconds=1)
    assert len(store.outbox.lease()) == 1


def test_waiting_messages_of_an_account_go_with_it(store: Store, alice: Person, bob: Person) -> None:
    spend_quota(store, alice.id, 5_000_000)
    spend_quota(store, bob.id, 5_000_000)
    prove(store, alice.token)
    store.deletion.delete(alice.token, "alice")
    assert [(job.kind, job.account_id) for job in store.outbox.lease()] == [(QUOTA_WARNING, bob.id)]
