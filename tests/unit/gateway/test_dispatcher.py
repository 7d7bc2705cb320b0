"""The dispatcher over days: repeated as scheduled under one id, through an outage, until delivered or given up."""

import asyncio
import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from gateway import dispatcher
from gateway.channels.webhook import WebhookTarget
from gateway.dispatcher import Dispatcher, deliver_now, run_once
from gateway.messages import build_message
from gateway.retry import JITTER_SHARE, RETRY_DELAYS
from gateway.targets import find_destination
from store.errors import DatabaseBusy, StoreUnavailable
from store.models import Account, OutboxMessage, SiteSetting
from store.notices import DELETED, SENTENCES
from store.outbox import LEASE_DURATION, TEST, Job
from store.quota_warnings import QUOTA_WARNING, WARNING_INTERVAL
from store.secret_fields import StoredSecret
from store.sections import Channel, NotificationSettings
from store.store import Store
from store.values.notifications import CONFIRM_EMAIL, DeliveryState, LastDelivery
from tests.fakes.receivers import Recorded, reply
from tests.harness.channels import WEBHOOK_PATH, WEBHOOK_SECRET
from tests.harness.notifications import (
    HOST,
    NotificationReceivers,
    add_person,
    allow,
    deliveries,
    latest,
    spend,
    targets,
    use,
)
from tests.harness.quota_calls import spend_quota
from tests.harness.stores import START, StillClock, make_store, sign_in, sqlite_url

EVERYWHERE = set(Channel)
PATIENCE = 90.0
"""Seconds for whatever is waited for: a machine at work on other things is slow, not broken."""


@dataclass
class Site:
    """A store whose mail server and allow list lead to `boxes`."""

    store: Store
    clock: StillClock
    boxes: NotificationReceivers

    def add(self, name: str = "alice", *channels: Channel) -> int:
        """Somebody who is warned on these channels, or on all; returns the account."""
        wanted = set(channels or Channel)
        origins = {channel: origin for channel, origin in self.boxes.origins.items() if channel in wanted}
        return add_person(self.store, name, targets(origins, by_mail=Channel.EMAIL in wanted))

    def run(self) -> int:
        return run_once(self.store, self.boxes.ways()).delivered

    def run_until(self, end: datetime | None = None) -> list[datetime]:
        """Run whenever something is due, up to `end` or until nothing waits; returns the moments."""
        moments = []
        while (due := self.store.deliveries.next_due()) is not None and (end is None or due <= end):
            self.clock.time = max(self.clock.time, due)
            moments.append(self.clock.time)
            self.run()
        return moments


@pytest.fixture
def site(boxes: NotificationReceivers) -> Iterator[Site]:
    clock = StillClock()
    with make_store(clock=clock) as store:
        use(store, boxes)
        yield Site(store, clock, boxes)


def message_ids(store: Store) -> set[str]:
    with store.database.read() as tx:
        return set(tx.execute(select(OutboxMessage.c.message_id)).scalars())


# -- delivered, repeated, given up ------------------------------------------------------------------------------


def test_a_warning_went_out_on_every_channel_that_was_on(site: Site) -> None:
    alice = site.add("alice")
    bob = site.add("bob", Channel.GOTIFY)
    spend(site.store, alice)
    spend(site.store, bob)
    assert site.run() == 5
    assert {channel: len(site.boxes.ids(channel)) for channel in Channel} == {
        Channel.EMAIL: 1,
        Channel.WEBHOOK: 1,
        Channel.BARK: 1,
        Channel.GOTIFY: 2,
    }
    (mail,) = site.boxes.mail.mails
    assert mail.recipients == ("alice@example.com",)
    assert b"$0.50" in mail.content
    said = {channel: receiver.requests[0].body.decode() for channel, receiver in site.boxes.web.items()}
    assert all("$0.50" in body for body in said.values())
    assert '"remaining_usd":"0.50"' in said[Channel.WEBHOOK]
    assert {one.state for one in deliveries(site.store, alice)} == {DeliveryState.DELIVERED}
    assert site.run() == 0
    assert site.store.deliveries.next_due() is None


def test_the_schedule_was_followed_to_its_end_under_one_id(site: Site) -> None:
    alice = site.add()
    site.boxes.break_down()
    spend(site.store, alice)
    moments = site.run_until()
    (sent,) = message_ids(site.store)
    assert {channel: site.boxes.ids(channel) for channel in Channel} == {channel: [sent] * 10 for channel in Channel}
    for one in deliveries(site.store, alice):
        assert (one.state, one.attempts, one.next_attempt_at) == (DeliveryState.FAILED, 10, None)
        assert "answered 503" in one.error or "refused the message" in one.error
    hours = (moments[-1] - START) / timedelta(hours=1)
    stamps = [int(request.headers["webhook-timestamp"]) for request in site.boxes.web[Channel.WEBHOOK].requests]
    waits = [later - earlier for earlier, later in pairwise(stamps)]
    print(f"BAR M5 the last of 10 tries was made {hours:.1f} h after the first; 40 tries on 4 channels, 1 id")
    assert 75 * (1 - JITTER_SHARE) < hours < 76 * (1 + JITTER_SHARE)
    for wait, planned in zip(waits, RETRY_DELAYS[1:], strict=True):
        assert abs(wait - planned.total_seconds()) <= JITTER_SHARE * planned.total_seconds() + 1
    assert waits != [planned.total_seconds() for planned in RETRY_DELAYS[1:]]
    signatures = [request.headers["webhook-signature"] for request in site.boxes.web[Channel.WEBHOOK].requests]
    assert len(set(signatures)) == 10
    # It was only late: a channel is switched off by a receiver's word alone.
    assert set(site.store.settings.load_for(alice, NotificationSettings).section.channels) == EVERYWHERE


@pytest.mark.parametrize("people", [3, pytest.param(100, marks=pytest.mark.long)])
def test_after_an_outage_of_a_day_nothing_was_lost(site: Site, people: int) -> None:
    """Warnings are queued all through the outage; each is delivered in the end, the same at every try."""
    accounts = [site.add(f"user{number}") for number in range(people)]
    site.boxes.break_down()
    back = START + timedelta(hours=24)
    for number, account_id in enumerate(accounts):
        site.clock.time = max(site.clock.time, START + timedelta(hours=24) * number / people)
        spend(site.store, account_id)
        site.run_until(START + timedelta(hours=24) * (number + 1) / people)
    waiting = [one for account_id in accounts for one in deliveries(site.store, account_id)]
    assert {one.state for one in waiting} == {DeliveryState.WAITING}
    tries = {channel: Counter(site.boxes.ids(channel)) for channel in Channel}
    assert max(tries[Channel.EMAIL].values()) >= 7
    site.clock.time = max(site.clock.time, back)
    site.boxes.recover()
    site.run_until()
    after = {channel: Counter(site.boxes.ids(channel)) - tries[channel] for channel in Channel}
    lost = sum(message_ids(site.store) != set(ids) for ids in after.values())
    late = max(one.at for account_id in accounts for one in deliveries(site.store, account_id)) - back
    print(
        f"BAR M5 outage of 24 h: {people * 4} messages, {sum(sum(ids.values()) for ids in tries.values())} tries in "
        f"vain, {lost} lost, the last delivered {late / timedelta(hours=1):.1f} h after"
    )
    assert len(message_ids(site.store)) == people
    assert all(set(ids) == message_ids(site.store) and set(ids.values()) == {1} for ids in after.values())
    ended = [one.state for account_id in accounts for one in deliveries(site.store, account_id)]
    assert ended == [DeliveryState.DELIVERED] * people * 4


def test_a_test_message_was_tried_once(site: Site) -> None:
    alice = site.add()
    site.boxes.break_down()
    delivery_id = site.store.outbox.enqueue_test(sign_in(site.store), Channel.WEBHOOK)
    result = asyncio.run(deliver_now(site.store, delivery_id, site.boxes.ways()))
    assert result is not None
    assert (result.kind, result.state, result.next_attempt_at) == (TEST, DeliveryState.FAILED, None)
    assert latest(site.store, alice) == {Channel.WEBHOOK: result}
    site.run_until()
    assert len(site.boxes.ids(Channel.WEBHOOK)) == 1


# -- gone for good ----------------------------------------------------------------------------------------------


def test_410_switched_that_channel_off_and_no_other(site: Site) -> None:
    alice, bob = site.add("alice"), site.add("bob")
    gone = site.boxes.web[Channel.BARK]
    gone.respond = reply(410)
    spend(site.store, alice)
    assert site.run() == 3
    section = site.store.settings.load_for(alice, NotificationSettings).section
    assert set(section.channels) == EVERYWHERE - {Channel.BARK}
    assert section.bark_url.is_set
    last = latest(site.store, alice)[Channel.BARK]
    assert (last.state, last.attempts) == (DeliveryState.FAILED, 1)
    assert last.error == f"{HOST} answered 410 Gone. It wants no more notifications. The channel was switched off."
    assert set(site.store.settings.load_for(bob, NotificationSettings).section.channels) == EVERYWHERE


def test_410_did_not_switch_off_an_address_that_was_saved_meanwhile(site: Site) -> None:
    alice = site.add("alice", Channel.WEBHOOK)

    async def gone(request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        saved = site.store.settings.load_for(alice, NotificationSettings)
        moved = replace(saved.section, webhook_url="https://new.example/")
        site.store.settings.save_for(alice, moved, saved.version, actor="test")
        await reply(410)(request, reader, writer)

    site.boxes.web[Channel.WEBHOOK].respond = gone
    spend(site.store, alice)
    assert site.run() == 0
    section = site.store.settings.load_for(alice, NotificationSettings).section
    assert (section.webhook_on, section.webhook_url) == (True, "https://new.example/")
    last = latest(site.store, alice)[Channel.WEBHOOK]
    assert last.state is DeliveryState.FAILED
    assert "switched off" not in last.error


def test_a_channel_that_was_switched_off_meanwhile_got_nothing_more(site: Site) -> None:
    alice = site.add("alice", Channel.GOTIFY)
    site.boxes.break_down()
    spend(site.store, alice)
    site.run()
    saved = site.store.settings.load_for(alice, NotificationSettings)
    off = replace(saved.section, gotify_on=False)
    site.store.settings.save_for(alice, off, saved.version, actor="test")
    site.boxes.recover()
    site.run_until()
    assert len(site.boxes.ids(Channel.GOTIFY)) == 1
    last = latest(site.store, alice)[Channel.GOTIFY]
    assert (last.state, last.error) == (DeliveryState.FAILED, "The channel was switched off before this was sent.")


def test_a_secret_that_was_saved_meanwhile_was_not_sent_to_the_server_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_store(sqlite_url(tmp_path)) as store:
        alice = add_person(store, "alice", targets({Channel.WEBHOOK: "https://old.example"}))
        spend(store, alice)
        (job,) = store.outbox.lease()
        secret = store.settings.secret

        def saved_meanwhile(tx: Connection, account_id: int, column: str) -> str | None:
            moved = replace(
                store.settings.load_for(alice, NotificationSettings).section,
                webhook_url="https://new.example/",
                webhook_secret=StoredSecret(new=f"whsec_{'A' * 43}="),
            )
            store.settings.save_for(alice, moved, 2, actor="test")
            return secret(tx, account_id, column)

        monkeypatch.setattr(store.settings, "secret", saved_meanwhile)
        where = find_destination(store, job)
    assert where.version == 2
    assert where.target == WebhookTarget(f"https://old.example/{WEBHOOK_PATH}", WEBHOOK_SECRET)


# -- what the administrator mistook -------------------------------------------------------------------------------


def test_an_entry_of_the_allow_list_that_cannot_be_read_spoiled_no_other(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    alice = site.add()
    spared = [f"{HOST}:{site.boxes.web[channel].port}" for channel in (Channel.BARK, Channel.GOTIFY)]
    allow(site.store, *spared)
    with site.store.database.write() as tx:
        # No value that was checked when it was set: from an older release, or from another hand.
        broken = f'["{spared[0]}", "{HOST}:{site.boxes.web[Channel.WEBHOOK].port}/", "{spared[1]}"]'
        is_list = SiteSetting.c.name == "channels.private_network_allow"
        tx.execute(update(SiteSetting).where(is_list).values(value=broken))
    spend(site.store, alice)
    assert site.run() == 3
    last = latest(site.store, alice)
    assert {channel for channel, one in last.items() if one.state is DeliveryState.DELIVERED} == EVERYWHERE - {
        Channel.WEBHOOK
    }
    refused = last[Channel.WEBHOOK]
    assert refused.state is DeliveryState.WAITING
    assert refused.error.endswith(
        "can allow it by host and port. An entry of the list of what is allowed cannot be read."
    )
    assert f"{HOST}:{site.boxes.web[Channel.WEBHOOK].port}/ is not host:port" in caplog.text
    use(site.store, site.boxes)
    site.run_until()
    assert latest(site.store, alice)[Channel.WEBHOOK].state is DeliveryState.DELIVERED


@pytest.mark.parametrize("how", ["topped up", "threshold lowered"])
def test_a_warning_of_what_is_over_was_not_sent(site: Site, how: str) -> None:
    alice = site.add("alice", Channel.WEBHOOK)
    site.boxes.break_down()
    spend(site.store, alice)
    site.run()
    tries = len(site.boxes.web[Channel.WEBHOOK].requests)
    if how == "topped up":
        site.store.quota.adjust("alice", add=50_000_000, actor="test")
    else:
        session = sign_in(site.store)
        saved = site.store.settings.load(session, NotificationSettings)
        site.store.settings.save(session, replace(saved.section, threshold_micro_usd=1), saved.version)
    site.run_until()
    last = latest(site.store, alice)[Channel.WEBHOOK]
    assert last.state is DeliveryState.FAILED
    assert last.error == "The quota was topped up, or the threshold lowered, before this was sent."
    assert len(site.boxes.web[Channel.WEBHOOK].requests) == tries
    session = sign_in(site.store)
    assert Channel.WEBHOOK in site.store.settings.load(session, NotificationSettings).section.channels


def test_without_a_mail_server_a_warning_waited_for_one(site: Site) -> None:
    alice = site.add("alice", Channel.EMAIL)
    site.store.site.unset("smtp.host")
    spend(site.store, alice)
    assert site.run() == 0
    assert latest(site.store, alice)[Channel.EMAIL].error == "The administrator has not configured a mail server."
    use(site.store, site.boxes)
    site.run_until()
    assert latest(site.store, alice)[Channel.EMAIL].state is DeliveryState.DELIVERED


# -- beside others ------------------------------------------------------------------------------------------------


def test_a_message_whose_sender_died_was_sent_by_the_next_when_its_lease_ran_out(site: Site) -> None:
    alice = site.add("alice", Channel.WEBHOOK)
    spend(site.store, alice)
    (dead,) = site.store.outbox.lease()
    assert site.run() == 0
    site.clock.advance(seconds=LEASE_DURATION.total_seconds())
    assert site.run() == 1
    assert site.boxes.ids(Channel.WEBHOOK) == [dead.message_id]
    # It was not dead, only slow: what it finds out now is no longer its to say.
    assert not site.store.outbox.failed(dead, "too late", None)
    assert latest(site.store, alice)[Channel.WEBHOOK].state is DeliveryState.DELIVERED


def test_send_test_waited_for_the_process_that_was_sending_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add()
    delivery_id = site.store.outbox.enqueue_test(sign_in(site.store), Channel.GOTIFY)
    (theirs,) = site.store.outbox.lease()
    seen = threading.Event()

    async def both() -> DeliveryState | None:
        waiting = asyncio.create_task(deliver_now(site.store, delivery_id, site.boxes.ways()))
        await asyncio.to_thread(seen.wait, PATIENCE)
        assert not waiting.done()
        await Dispatcher(site.store, site.boxes.ways()).attempt(theirs)
        result = await waiting
        return result.state if result else None

    read = site.store.deliveries.find

    def watched(number: int) -> LastDelivery | None:
        seen.set()
        return read(number)

    monkeypatch.setattr(site.store.deliveries, "find", watched)
    assert asyncio.run(both()) is DeliveryState.DELIVERED
    assert len(site.boxes.ids(Channel.GOTIFY)) == 1


def test_send_test_of_a_deleted_account_had_no_result(site: Site) -> None:
    assert asyncio.run(deliver_now(site.store, 4711, site.boxes.ways())) is None


def test_a_stop_let_what_was_on_its_way_arrive(site: Site) -> None:
    accounts = [site.add(f"user{number}", Channel.WEBHOOK) for number in range(8)]
    for account_id in accounts:
        spend(site.store, account_id)

    async def life() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        async def slow(request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            loop.call_soon_threadsafe(stop.set)
            await reply(200)(request, reader, writer)

        site.boxes.web[Channel.WEBHOOK].respond = slow
        await Dispatcher(site.store, site.boxes.ways()).run(stop)

    asyncio.run(life())
    states = Counter(latest(site.store, account_id)[Channel.WEBHOOK].state for account_id in accounts)
    assert (
        states[DeliveryState.DELIVERED] == len(site.boxes.ids(Channel.WEBHOOK)) <= dispatcher.CONCURRENT_DELIVERIES * 2
    )
    assert states[DeliveryState.WAITING] == 8 - states[DeliveryState.DELIVERED] > 0
    site.boxes.recover()
    assert site.run() == states[DeliveryState.WAITING]  # none of them is held by a lease


def test_a_database_that_was_busy_cost_no_message_a_try(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice = site.add("alice", Channel.WEBHOOK)
    spend(site.store, alice)
    monkeypatch.setattr(dispatcher, "RETRY_DELAY_S", 0.0)
    monkeypatch.setattr(dispatcher, "POLL_INTERVAL_S", 0.0)
    read, failures = site.store.settings.read, iter([DatabaseBusy(), DatabaseBusy()])

    def busy(*arguments: Any) -> Any:
        if (failure := next(failures, None)) is not None:
            site.clock.advance(seconds=LEASE_DURATION.total_seconds())
            raise failure
        return read(*arguments)

    monkeypatch.setattr(site.store.settings, "read", busy)

    async def life() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        delivered = site.store.outbox.delivered

        def noted(job: Job) -> bool:
            loop.call_soon_threadsafe(stop.set)
            return delivered(job)

        monkeypatch.setattr(site.store.outbox, "delivered", noted)
        with caplog.at_level(logging.WARNING):
            async with asyncio.timeout(60):
                await Dispatcher(site.store, site.boxes.ways()).run(stop)

    asyncio.run(life())
    last = latest(site.store, alice)[Channel.WEBHOOK]
    assert (last.state, last.attempts) == (DeliveryState.DELIVERED, 1)
    # Both failures may fall into one round of the dispatcher, which tells of the first.
    assert 1 <= caplog.text.count("The outbox could not be read: Another program is writing") <= 2


def test_a_busy_database_was_reported_when_all_that_was_on_its_way_had_arrived(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = site.add("alice", Channel.WEBHOOK), site.add("bob", Channel.WEBHOOK)
    spend(site.store, alice)
    spend(site.store, bob)
    read, has_arrived, is_refused = site.store.settings.read, threading.Event(), threading.Event()

    def busy_for_bob(tx: Connection, account_id: int, kind: type[NotificationSettings]) -> Any:
        if account_id != bob:
            return read(tx, account_id, kind)
        assert has_arrived.wait(PATIENCE)
        is_refused.set()
        raise DatabaseBusy

    async def slow(request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        has_arrived.set()
        assert await asyncio.to_thread(is_refused.wait, PATIENCE)
        await reply(200)(request, reader, writer)

    monkeypatch.setattr(site.store.settings, "read", busy_for_bob)
    site.boxes.web[Channel.WEBHOOK].respond = slow
    with pytest.raises(DatabaseBusy):
        site.run()
    monkeypatch.undo()
    assert latest(site.store, alice)[Channel.WEBHOOK].state is DeliveryState.DELIVERED
    assert latest(site.store, bob)[Channel.WEBHOOK].attempts == 0


def test_notify_once_said_that_the_database_could_not_be_reached(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> object:
        raise DatabaseBusy

    monkeypatch.setattr(site.store.outbox, "lease", busy)
    with pytest.raises(StoreUnavailable):
        site.run()


# -- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*(tag.value for tag in SENTENCES), DELETED, TEST, QUOTA_WARNING])
def test_every_kind_of_message_had_words(kind: str) -> None:
    payload = {"name": "alice", "sentence": "Something changed.", "remaining_micro_usd": 0, "threshold_micro_usd": 1}
    message = build_message(Job(1, "lease", 1, Channel.EMAIL, "msg_1", kind, payload, START, 0, None))
    assert message.title
    assert message.text.endswith(".")
    assert "." in message.kind


# -- what cannot be read, and whom nobody asked -----------------------------------------------------------------


@pytest.mark.parametrize("payload", ["{}", "[]", '{"name": "alice"}', '{"name":"a","threshold_micro_usd":1}', '"x"'])
def test_a_damaged_warning_is_set_aside_and_the_rest_goes_out(site: Site, payload: str) -> None:
    alice, bob = site.add("alice", Channel.WEBHOOK), site.add("bob", Channel.WEBHOOK)
    spend(site.store, alice)
    with site.store.database.write() as tx:
        tx.execute(update(OutboxMessage).values(payload=json.loads(payload)))
    spend(site.store, bob)
    assert site.run() == 1
    assert latest(site.store, bob)[Channel.WEBHOOK].state is DeliveryState.DELIVERED
    damaged = latest(site.store, alice)[Channel.WEBHOOK]
    assert (damaged.state, damaged.next_attempt_at) == (DeliveryState.DAMAGED, None)
    assert site.store.deliveries.count_damaged() == 1
    site.clock.advance(days=7)
    assert not site.store.deliveries.is_anything_due()


def test_no_warning_goes_to_an_address_that_nobody_confirmed(site: Site) -> None:
    alice = site.add("alice", Channel.EMAIL)
    choose = NotificationSettings(email_address="stranger@example.com")
    site.store.settings.save_for(alice, choose, 2, actor="test")
    spend(site.store, alice)
    assert site.run() == 1
    site.store.email_confirmations.send_code_for(alice)
    assert site.run() == 1
    warning, code = site.boxes.mail.mails
    assert (warning.recipients, code.recipients) == (("alice@example.com",), ("stranger@example.com",))
    assert b"$0.50" not in code.content


def test_a_warning_without_a_confirmed_address_waits_for_one(site: Site) -> None:
    alice = site.add("alice", Channel.EMAIL)
    with site.store.database.write() as tx:
        tx.execute(update(Account).values(email=""))
    choose = NotificationSettings(email_address="pager@example.com")
    site.store.settings.save_for(alice, choose, 2, actor="test")
    spend(site.store, alice)
    assert site.run() == 0
    assert "not confirmed" in latest(site.store, alice)[Channel.EMAIL].error
    site.store.email_confirmations.send_code_for(alice)
    job = next(job for job in site.store.outbox.lease() if job.kind == CONFIRM_EMAIL)
    site.store.email_confirmations.confirm_for(alice, str(job.payload["code"]), actor="test")
    site.clock.advance(minutes=10)
    site.run()
    assert ("pager@example.com",) in {mail.recipients for mail in site.boxes.mail.mails}


def test_postponed_warnings_go_out_with_the_next_round(site: Site) -> None:
    alice = site.add("alice", Channel.GOTIFY)
    spend(site.store, alice)
    site.store.quota.adjust("alice", add=4_000_000, actor="root")
    spend_quota(site.store, alice, 4_000_000)
    assert site.run() == 1
    site.clock.time += WARNING_INTERVAL
    assert site.run() == 1
