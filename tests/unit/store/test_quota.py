"""The ledger: held before a call, taken after it, never below zero, and a warning once per crossing."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update

from store import quota_warnings
from store.errors import AlreadySettled, GatekeyError, InvalidMoney, NoSuchAccount, QuotaExceeded
from store.models import Account, ApiKey, NotificationSettingsRow, Quota, Reservation, UsageEntryRow
from store.money import MAXIMUM_MICRO_USD
from store.quota_warnings import QUOTA_WARNING, WARNING_INTERVAL
from store.reservations import ABANDONED_AFTER, SETTLED_RETENTION, Hold
from store.sections import Channel, NotificationSettings
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from store.values.billing import QuotaState
from store.values.usage import Kind, UsageEntry
from tests.harness.people import Person, contents, fail_between, queued, tags
from tests.harness.quota_calls import book_call, count_open_reservations, hold_quota, spend_quota
from tests.harness.stores import PASSWORD, StillClock, add_account, sign_in

FIVE = 5_000_000
ENTRY = UsageEntry(Kind.CONSUMPTION, "gpt-5", prompt_tokens=10, completion_tokens=5)


def state(store: Store, person: Person) -> tuple[int, int, int]:
    now = store.quota.state(person.token)
    return now.remaining_micro_usd, now.held_micro_usd, now.used_micro_usd


# -- reserving and settling -------------------------------------------------------------------------------------


def test_a_call_is_held_then_taken(store: Store, alice: Person) -> None:
    reservation = hold_quota(store, alice.id, 1_000_000)
    assert state(store, alice) == (FIVE, 1_000_000, 0)
    assert book_call(store, reservation, 400_000, ENTRY) == 400_000
    assert state(store, alice) == (4_600_000, 0, 400_000)
    (logged,) = store.usage.page(alice.token).entries
    assert logged.entry.cost_micro_usd == 400_000


def test_what_is_held_cannot_be_held_again(store: Store, alice: Person) -> None:
    hold_quota(store, alice.id, 3_000_000)
    with pytest.raises(QuotaExceeded):
        hold_quota(store, alice.id, 2_000_001)
    hold_quota(store, alice.id, 2_000_000)
    with pytest.raises(QuotaExceeded):
        spend_quota(store, alice.id, 1)
    assert state(store, alice) == (FIVE, FIVE, 0)


def test_a_call_settles_once(store: Store, alice: Person) -> None:
    reservation = hold_quota(store, alice.id, 10)
    book_call(store, reservation, 10, ENTRY)
    before = contents(store)
    for cost in (10, 20):
        with pytest.raises(AlreadySettled):
            book_call(store, reservation, cost, ENTRY)
    assert contents(store) == before


def test_a_late_second_settlement_does_not_hit_another_call(store: Store, alice: Person, bob: Person) -> None:
    first = hold_quota(store, alice.id, 10)
    book_call(store, first, 10, ENTRY)
    second = hold_quota(store, bob.id, 20)
    assert second != first
    with pytest.raises(AlreadySettled):
        book_call(store, first, 10, ENTRY)
    assert state(store, bob) == (FIVE, 20, 0)


def test_a_free_call_needs_something_left(store: Store, alice: Person) -> None:
    book_call(store, hold_quota(store, alice.id, 0), 0, ENTRY)
    spend_quota(store, alice.id, FIVE)
    with pytest.raises(QuotaExceeded):
        hold_quota(store, alice.id, 0)


def test_a_call_that_cost_more_takes_what_is_left(store: Store, alice: Person) -> None:
    reservation = hold_quota(store, alice.id, 10)
    assert book_call(store, reservation, FIVE + 1, ENTRY) == FIVE
    assert state(store, alice) == (0, 0, FIVE)
    (logged,) = store.usage.page(alice.token).entries
    assert logged.entry.cost_micro_usd == FIVE


def test_a_call_that_cost_more_leaves_what_is_held_for_others(store: Store, alice: Person) -> None:
    """Or those, who were let in because they can pay, would be served for nothing."""
    others = [hold_quota(store, alice.id, FIVE // 4) for _ in range(3)]
    greedy = hold_quota(store, alice.id, 1)
    assert book_call(store, greedy, FIVE, ENTRY) == FIVE // 4
    assert [book_call(store, other, FIVE // 4, ENTRY) for other in others] == [FIVE // 4] * 3
    assert state(store, alice) == (0, 0, FIVE)


def test_what_is_held_comes_back_when_less_is_left_than_was_held(store: Store, alice: Person) -> None:
    """An administrator took money away meanwhile."""
    first, second = hold_quota(store, alice.id, 1000), hold_quota(store, alice.id, 1000)
    store.quota.adjust("alice", set_to=600, actor="test")
    assert book_call(store, first, 0, ENTRY) == 0
    assert book_call(store, second, 1000, ENTRY) == 600
    assert state(store, alice) == (0, 0, 600)


@pytest.mark.parametrize("amount", [MAXIMUM_MICRO_USD + 1, 2**63, 10**400])
def test_a_cost_beyond_every_account_is_no_fault(store: Store, alice: Person, amount: int) -> None:
    with pytest.raises(QuotaExceeded):
        hold_quota(store, alice.id, amount)
    with pytest.raises(QuotaExceeded):
        spend_quota(store, alice.id, amount)
    assert book_call(store, hold_quota(store, alice.id, 1), amount, ENTRY) == FIVE


def test_a_cost_below_zero_is_refused(store: Store, alice: Person) -> None:
    reservation = hold_quota(store, alice.id, 1)
    before = contents(store)
    for act in (
        lambda: hold_quota(store, alice.id, -1),
        lambda: book_call(store, reservation, -1, ENTRY),
        lambda: spend_quota(store, alice.id, -1),
    ):
        with pytest.raises(InvalidMoney):
            act()
    assert contents(store) == before


def test_an_account_that_is_not_there_has_no_quota(store: Store) -> None:
    for act in (lambda: hold_quota(store, 4711, 1), lambda: spend_quota(store, 4711, 1)):
        with pytest.raises(QuotaExceeded):
            act()
    with store.database.read() as tx, pytest.raises(NoSuchAccount):
        store.quota.state_of(tx, 4711)


def test_a_large_account_is_no_different(store: Store, alice: Person) -> None:
    """More than 2,147 dollars does not fit into 32 bits."""
    large = MAXIMUM_MICRO_USD // 10
    store.quota.adjust("alice", set_to=5 * large, actor="root")
    store.quota.adjust("alice", add=5 * large, actor="root")
    key = store.api_keys.create(alice.token, "laptop", ApiKeyLimits(spend_limit_micro_usd=5 * large)).info.id
    reservation = hold_quota(store, alice.id, 2 * large, api_key_id=key)
    assert book_call(store, reservation, 3 * large, ENTRY) == 3 * large
    spend_quota(store, alice.id, large)
    assert state(store, alice) == (6 * large, 0, 4 * large)
    assert store.usage.days(alice.token)[0].cost_micro_usd == 4 * large
    assert store.api_keys.list(alice.token)[0].spent_micro_usd == 3 * large
    saved = store.settings.save(alice.token, NotificationSettings(threshold_micro_usd=6 * large), 1)
    spend_quota(store, alice.id, 1)
    assert (saved.section.threshold_micro_usd, len(warnings(store))) == (6 * large, 1)


def test_a_failed_log_takes_nothing(store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    reservation = hold_quota(store, alice.id, 10)
    before = contents(store)
    monkeypatch.setattr(type(store.usage), "append_locked", fail_between)
    with pytest.raises(GatekeyError), store.database.write() as tx:
        store.quota.book(tx, reservation, 10, ENTRY)
    assert contents(store) == before


def test_a_top_up_during_a_settlement_is_not_taken_along(postgres_store: Store) -> None:
    """PostgreSQL lets another transaction in between two statements; SQLite has one writer."""
    store = postgres_store
    info = add_account(store)
    alice = Person(info.id, info.name, sign_in(store))
    store.quota.adjust("alice", set_to=3, actor="root")
    reservation = hold_quota(store, alice.id, 0)
    topped_up: list[bool] = []

    def top_up(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE quotas") and not topped_up:
            topped_up.append(True)
            store.quota.adjust("alice", add=100, actor="root")

    event.listen(store.database.engine, "after_cursor_execute", top_up)
    try:
        assert book_call(store, reservation, 5, ENTRY) == 5
    finally:
        event.remove(store.database.engine, "after_cursor_execute", top_up)
    assert topped_up
    assert state(store, alice) == (98, 0, 5)


def test_the_sums_hold_over_any_course_of_events(store: Store, alice: Person) -> None:
    rng, taken, open_reservations = random.Random(8), 0, []
    for _ in range(150):
        match rng.randrange(4):
            case 0 | 1:
                try:
                    open_reservations.append((hold_quota(store, alice.id, held := rng.randrange(200_000)), held))
                except QuotaExceeded:
                    continue
            case 2 if open_reservations:
                reservation, _ = open_reservations.pop(rng.randrange(len(open_reservations)))
                taken += book_call(store, reservation, rng.randrange(400_000), ENTRY)
            case _:
                try:
                    spend_quota(store, alice.id, cost := rng.randrange(50_000))
                    taken += cost
                except QuotaExceeded:
                    continue
        remaining, held, used = state(store, alice)
        assert remaining >= 0
        assert (remaining + used, used) == (FIVE, taken)
        assert held == sum(amount for _, amount in open_reservations)


# -- abandoned calls --------------------------------------------------------------------------------------------


def test_what_dead_processes_held_comes_into_the_ledger_by_age(store: Store, alice: Person, clock: StillClock) -> None:
    for amount in range(1, 7):
        hold_quota(store, alice.id, amount)
        clock.advance(seconds=1)
    clock.time += ABANDONED_AFTER
    assert store.quota.release_abandoned() == 6
    reasons = [entry.reason for entry in reversed(store.ledger.page(sign_in(store), limit=6).entries)]
    assert [reason.partition(" ")[0] for reason in reasons] == [f"$0.00000{amount}" for amount in range(1, 7)]


def test_what_a_dead_process_held_is_given_back(store: Store, alice: Person, clock: StillClock) -> None:
    key = store.api_keys.create(alice.token, "laptop", ApiKeyLimits(spend_limit_micro_usd=100)).info.id
    for amount, api_key_id in ((60, key), (7, None)):
        hold_quota(store, alice.id, amount, api_key_id=api_key_id)
    clock.time += ABANDONED_AFTER - timedelta(seconds=1)
    assert store.quota.release_abandoned() == 0
    young = hold_quota(store, alice.id, 30, api_key_id=key)
    clock.advance(seconds=1)
    assert store.quota.release_abandoned() == 2
    assert store.quota.release_abandoned() == 0
    with store.database.read() as tx:
        assert tx.execute(select(Quota.c.held_micro_usd, Quota.c.used_micro_usd)).one() == (30, 0)
        assert tx.execute(select(Reservation.c.id)).scalars().all() == [young.id]
    hold_quota(store, alice.id, 70, api_key_id=key)


# -- a hold that was forgotten ----------------------------------------------------------------------------------


def forget(store: Store, *holds: Hold) -> None:
    """Undo what reserving did: the power cut of a database that had not yet written it down."""
    with store.database.write() as tx:
        for hold in holds:
            gone = delete(Reservation).where(Reservation.c.id == hold.id).returning(Reservation.c.held_micro_usd)
            amount = tx.execute(gone).scalar_one()
            of_account, of_key = Quota.c.account_id == hold.account_id, ApiKey.c.id == hold.api_key_id
            tx.execute(update(Quota).where(of_account).values(held_micro_usd=Quota.c.held_micro_usd - amount))
            tx.execute(update(ApiKey).where(of_key).values(held_micro_usd=ApiKey.c.held_micro_usd - amount))


def test_a_call_whose_hold_was_forgotten_is_booked_once(store: Store, alice: Person) -> None:
    key = store.api_keys.create(alice.token, "laptop", ApiKeyLimits(spend_limit_micro_usd=1000)).info.id
    lost, kept = (hold_quota(store, alice.id, 100, api_key_id=key) for _ in range(2))
    forget(store, lost)
    assert state(store, alice) == (FIVE, 100, 0)
    assert book_call(store, lost, 60, ENTRY) == 60
    with pytest.raises(AlreadySettled):
        book_call(store, lost, 60, ENTRY)
    assert book_call(store, kept, 40, ENTRY) == 40
    assert state(store, alice) == (FIVE - 100, 0, 100)
    assert store.api_keys.list(alice.token)[0].spent_micro_usd == 100
    with store.database.read() as tx:
        assert tx.execute(select(UsageEntryRow.c.cost_micro_usd).order_by(UsageEntryRow.c.id)).scalars().all() == [
            60,
            40,
        ]
    hold_quota(store, alice.id, 900, api_key_id=key)


def test_a_forgotten_call_never_takes_what_is_held_for_others(store: Store, alice: Person) -> None:
    lost = hold_quota(store, alice.id, FIVE)
    forget(store, lost)
    other = hold_quota(store, alice.id, FIVE - 10)
    assert book_call(store, lost, FIVE, ENTRY) == 10
    assert book_call(store, other, FIVE - 10, ENTRY) == FIVE - 10
    assert state(store, alice) == (0, 0, FIVE)


def test_a_call_that_outlived_its_hold_is_booked_once(store: Store, alice: Person, clock: StillClock) -> None:
    slow = hold_quota(store, alice.id, 60)
    clock.time += ABANDONED_AFTER
    assert store.quota.release_abandoned() == 1
    assert book_call(store, slow, 50, ENTRY) == 50
    with pytest.raises(AlreadySettled):
        book_call(store, slow, 50, ENTRY)
    with store.database.read() as tx:
        assert store.quota.state_of(tx, alice.id) == QuotaState(FIVE - 50, 0, 50)


def test_a_forgotten_call_of_an_account_that_is_gone_is_not_booked(store: Store, alice: Person) -> None:
    lost = hold_quota(store, alice.id, 60)
    forget(store, lost)
    with store.database.write() as tx:
        tx.execute(delete(Account).where(Account.c.id == alice.id))
    before = contents(store)
    with pytest.raises(AlreadySettled):
        book_call(store, lost, 50, ENTRY)
    assert contents(store) == before


def test_what_was_settled_is_known_for_a_while(store: Store, alice: Person, clock: StillClock) -> None:
    first = hold_quota(store, alice.id, 60)
    book_call(store, first, 50, ENTRY)
    clock.time += SETTLED_RETENTION - timedelta(seconds=1)
    second = hold_quota(store, alice.id, 60)
    book_call(store, second, 50, ENTRY)
    open_one = hold_quota(store, alice.id, 60)
    assert (store.quota.release_abandoned(), store.quota.reservations.forget_settled()) == (0, 0)
    clock.advance(seconds=1)
    assert store.quota.reservations.forget_settled() == 1
    with pytest.raises(AlreadySettled):
        book_call(store, second, 50, ENTRY)
    with store.database.read() as tx:
        assert tx.execute(select(Reservation.c.id)).scalars().all() in (
            [second.id, open_one.id],
            [open_one.id, second.id],
        )
        assert count_open_reservations(tx, alice.id) == 1


# -- the administrator's side -----------------------------------------------------------------------------------


def test_a_quota_is_topped_up_taken_away_and_set(store: Store, alice: Person) -> None:
    assert store.quota.adjust("ALICE", add=1_000_000, actor="root") == QuotaState(6_000_000, 0, 0)
    assert store.quota.adjust("alice", add=-6_000_000, actor="root") == QuotaState(0, 0, 0)
    assert store.quota.adjust("alice", set_to=MAXIMUM_MICRO_USD, actor="root").remaining_micro_usd == MAXIMUM_MICRO_USD
    assert store.quota.adjust("alice", set_to=0, actor="root").remaining_micro_usd == 0
    assert tags(store, alice.id).count("quota:changed") == 4


@pytest.mark.parametrize(
    "change",
    [
        {"add": -FIVE - 1},
        {"add": MAXIMUM_MICRO_USD},
        {"add": 10**40},
        {"add": -(10**40)},
        {"set_to": -1},
        {"set_to": MAXIMUM_MICRO_USD + 1},
        {"set_to": 10**40},
    ],
)
def test_a_quota_stays_within_its_bounds(store: Store, alice: Person, change: dict[str, Any]) -> None:
    before = contents(store)
    with pytest.raises(InvalidMoney, match="below zero or grow beyond"):
        store.quota.adjust("alice", actor="root", **change)
    assert contents(store) == before


def test_a_quota_needs_an_account(store: Store) -> None:
    with pytest.raises(NoSuchAccount):
        store.quota.adjust("nobody", add=1, actor="root")


# -- the warning ------------------------------------------------------------------------------------------------


def warnings(store: Store) -> list[str]:
    return [row[3] for row in contents(store)["outbox"]]


def test_one_warning_for_one_crossing(store: Store, alice: Person) -> None:
    spend_quota(store, alice.id, 4_000_000)
    assert warnings(store) == []
    spend_quota(store, alice.id, 1)
    assert warnings(store) == [QUOTA_WARNING]
    for _ in range(20):
        spend_quota(store, alice.id, 1)
        book_call(store, hold_quota(store, alice.id, 1), 1, ENTRY)
    print(f"warnings after one crossing and 40 more charges: {len(warnings(store))}")
    assert warnings(store) == [QUOTA_WARNING]
    (job,) = queued(store)
    assert (job.channel, job.kind, job.account_id) == (Channel.EMAIL, QUOTA_WARNING, alice.id)
    assert job.payload == {"name": "alice", "remaining_micro_usd": 999_999, "threshold_micro_usd": 1_000_000}


def test_a_settlement_crosses_too(store: Store, alice: Person) -> None:
    book_call(store, hold_quota(store, alice.id, 1), 4_000_001, ENTRY)
    assert warnings(store) == [QUOTA_WARNING]
    assert queued(store)[0].payload["remaining_micro_usd"] == 999_999


def test_a_settlement_that_takes_the_rest_crosses_too(store: Store, alice: Person) -> None:
    book_call(store, hold_quota(store, alice.id, 1), FIVE + 1, ENTRY)
    assert warnings(store) == [QUOTA_WARNING]
    assert queued(store)[0].payload["remaining_micro_usd"] == 0


@pytest.mark.parametrize("change", [{"add": 10}, {"set_to": 500_001}])
def test_a_top_up_arms_it_again(store: Store, alice: Person, clock: StillClock, change: dict[str, Any]) -> None:
    spend_quota(store, alice.id, 4_500_000)
    clock.time += WARNING_INTERVAL
    store.quota.adjust("alice", actor="root", **change)
    assert len(warnings(store)) == 1
    spend_quota(store, alice.id, 1)
    spend_quota(store, alice.id, 1)
    assert len(warnings(store)) == 2


@pytest.mark.parametrize("change", [{"add": 0}, {"add": -10}, {"set_to": 500_000}, {"set_to": 10}])
def test_what_adds_nothing_does_not_arm_it(store: Store, alice: Person, change: dict[str, Any]) -> None:
    spend_quota(store, alice.id, 4_500_000)
    store.quota.adjust("alice", actor="root", **change)
    book_call(store, hold_quota(store, alice.id, 0), 1, ENTRY)
    assert len(warnings(store)) == 1


@pytest.mark.parametrize("change", [{"add": -4_000_001}, {"set_to": 999_999}, {"set_to": 0}])
def test_an_administrator_who_takes_it_below_the_threshold_is_a_crossing(
    store: Store, alice: Person, change: dict[str, Any]
) -> None:
    """Without a quota no charge follows that could tell the person."""
    store.quota.adjust("alice", actor="root", **change)
    assert warnings(store) == [QUOTA_WARNING]
    store.quota.adjust("alice", actor="root", add=-0)
    assert warnings(store) == [QUOTA_WARNING]


def test_a_new_threshold_arms_it_again(store: Store, alice: Person, clock: StillClock) -> None:
    spend_quota(store, alice.id, 4_500_000)
    clock.time += WARNING_INTERVAL
    store.sign_in.prove_with_password(alice.token, PASSWORD)
    store.settings.save(alice.token, NotificationSettings(threshold_micro_usd=400_000), 1)
    spend_quota(store, alice.id, 1)
    assert len(warnings(store)) == 1
    spend_quota(store, alice.id, 99_999)
    assert len(warnings(store)) == 1
    spend_quota(store, alice.id, 1)
    assert len(warnings(store)) == 2
    store.settings.save(alice.token, NotificationSettings(threshold_micro_usd=400_000, gotify_priority=9), 2)
    spend_quota(store, alice.id, 1)
    assert len(warnings(store)) == 2


def test_thresholds_changed_in_a_row_warn_once_in_ten_minutes(store: Store, alice: Person, clock: StillClock) -> None:
    spend_quota(store, alice.id, 4_000_000)
    for version in range(1, 31):
        store.settings.save(alice.token, NotificationSettings(threshold_micro_usd=2_000_000 + version), version)
        spend_quota(store, alice.id, 1)
    assert len(warnings(store)) == 1
    assert store.quota_warnings.warn_postponed() == 0
    clock.time += WARNING_INTERVAL - timedelta(seconds=1)
    assert store.quota_warnings.warn_postponed() == 0
    clock.advance(seconds=1)
    assert store.quota_warnings.warn_postponed() == 1
    assert store.quota_warnings.warn_postponed() == 0
    assert len(warnings(store)) == 2


def test_a_postponed_warning_is_dropped_once_the_quota_is_topped_up(
    store: Store, alice: Person, clock: StillClock
) -> None:
    spend_quota(store, alice.id, 4_500_000)
    store.quota.adjust("alice", add=4_000_000, actor="root")
    spend_quota(store, alice.id, 4_000_000)
    store.quota.adjust("alice", add=4_000_000, actor="root")
    clock.time += WARNING_INTERVAL
    assert store.quota_warnings.warn_postponed() == 0
    assert len(warnings(store)) == 1


def test_a_clock_set_back_silences_no_warning(store: Store, alice: Person, clock: StillClock) -> None:
    spend_quota(store, alice.id, 4_500_000)
    clock.jump(days=-2)
    store.quota.adjust("alice", add=4_000_000, actor="root")
    spend_quota(store, alice.id, 4_000_000)
    assert len(warnings(store)) == 2


def test_a_threshold_of_zero_never_warns(store: Store, alice: Person) -> None:
    store.settings.save(alice.token, NotificationSettings(threshold_micro_usd=0), 1)
    spend_quota(store, alice.id, FIVE)
    assert warnings(store) == []


def test_a_warning_goes_to_the_channels_that_are_on(store: Store, alice: Person) -> None:
    with store.database.write() as tx:
        tx.execute(update(NotificationSettingsRow).values(webhook_on=True, bark_on=True, gotify_on=True))
    spend_quota(store, alice.id, FIVE)
    jobs = queued(store)
    assert [job.channel for job in jobs] == [Channel.EMAIL, Channel.WEBHOOK, Channel.BARK, Channel.GOTIFY]
    assert len({job.message_id for job in jobs}) == 1


def test_without_a_channel_the_crossing_is_noted_all_the_same(store: Store, alice: Person) -> None:
    store.settings.save(alice.token, NotificationSettings(email_on=False), 1)
    spend_quota(store, alice.id, FIVE)
    assert warnings(store) == [QUOTA_WARNING]
    assert queued(store) == []


def test_the_warning_stands_or_falls_with_the_charge(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(store)
    monkeypatch.setattr(quota_warnings, "enqueue", fail_between)
    with pytest.raises(GatekeyError):
        spend_quota(store, alice.id, FIVE)
    assert contents(store) == before
    monkeypatch.undo()
    spend_quota(store, alice.id, FIVE)
    assert warnings(store) == [QUOTA_WARNING]


def test_one_accounts_crossing_is_not_anothers(store: Store, alice: Person) -> None:
    add_account(store, "carol")
    spend_quota(store, alice.id, FIVE)
    with store.database.read() as tx:
        rows = tx.execute(select(Account.c.name, Quota.c.warning_armed).join(Quota, Quota.c.account_id == Account.c.id))
        armed = {row.name: row.warning_armed for row in rows}
    assert armed == {"alice": False, "carol": True}


@pytest.mark.parametrize(("threshold", "warned"), [(3_000_000, [QUOTA_WARNING]), (500_000, [])])
def test_a_call_crosses_the_threshold_of_its_own_account(
    store: Store, alice: Person, bob: Person, threshold: int, warned: list[str]
) -> None:
    with store.database.write() as tx:
        own = update(NotificationSettingsRow).where(NotificationSettingsRow.c.account_id == bob.id)
        tx.execute(own.values(threshold_micro_usd=threshold))
    spend_quota(store, bob.id, FIVE - 2_000_000)
    assert warnings(store) == warned
