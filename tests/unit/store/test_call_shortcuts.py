"""The shortcuts of a call: each leaves the rows that the steps leave, or changes nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from operator import itemgetter
from typing import Any, Final

import pytest
from sqlalchemy import delete, func, select, text, update

from store.errors import DatabaseRefused, InvalidMoney
from store.models import Account, ApiKey, NotificationSettingsRow, Quota, Reservation, UsageDay, UsageEntryRow
from store.reservations import Hold
from store.sections import PrivacySettings
from store.shortcut import Shortcut, WholeStatement, take_shortcuts
from store.store import Store
from store.values.api_keys import ApiKeyLimits, LimitPeriod
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry
from tests.harness.people import Person, contents
from tests.harness.quota_calls import book_call, hold_quota, taken
from tests.harness.stores import StillClock
from tests.harness.waiting import wait_until

ON_POSTGRESQL: Final = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)

FIVE: Final = 5_000_000
ENTRY: Final = UsageEntry(
    Kind.CONSUMPTION,
    "gpt-5",
    api_key_name="laptop",
    request_id="req_1",
    prompt_tokens=10,
    completion_tokens=5,
    client_ip="::ffff:203.0.113.7",
    price=ModelPrice("gpt-5", 3, 4, 5, 1),
)
LIMITED: Final = ApiKeyLimits(spend_limit_micro_usd=2_000_000, limit_period=LimitPeriod.MONTHLY)


def make_key(store: Store, limits: ApiKeyLimits = LIMITED, name: str = "alice") -> int:
    with store.api_keys.administering(name, actor="test") as (tx, by):
        store.api_keys.acts.create(tx, by, "laptop", limits)
        return max(key.id for key in store.api_keys.acts.list(tx, by.account_id))


def records_addresses(store: Store, person: Person) -> None:
    version = store.settings.load(person.token, PrivacySettings).version
    store.settings.save(person.token, PrivacySettings(record_client_ip=True), version)


def by_steps(store: Store, account_id: int, key: int, amount: int, cost: int, entry: UsageEntry) -> None:
    with store.database.write() as tx:
        hold = store.quota.hold(tx, account_id, amount, api_key_id=key)
    with store.database.write() as tx:
        assert store.quota.book(tx, hold, cost, entry) == cost


def by_shortcuts(store: Store, account_id: int, key: int, amount: int, cost: int, entry: UsageEntry) -> None:
    hold = taken(store, store.quota.shortcuts.hold(account_id, amount, api_key_id=key), durable=False)
    assert hold is not None
    assert taken(store, store.quota.shortcuts.book(hold, cost, entry)) == cost


def rows_of(store: Store, account_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """The account's rows of the tables that a call changes, without ids."""
    random = {"id", "usage_entry_id", "account_id", "api_key_id", "first_entry_id", "last_entry_id", "key_hash"}
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in (model for model in Account.metadata.sorted_tables if "account_id" in model.c):
        if table.name not in (
            "quotas",
            "reservations",
            "api_keys",
            "usage_log",
            "usage_days",
            "usage_totals",
            "ledger",
        ):
            continue
        names = [column.name for column in table.c if column.name not in random and column.name != "last_four"]
        with store.database.read() as tx:
            rows = tx.execute(table.select().where(table.c.account_id == account_id)).mappings().all()
        found[table.name] = sorted(tuple(str(row[name]) for name in names) for row in rows)
    return found


@pytest.mark.parametrize("limits", [LIMITED, ApiKeyLimits()])
@pytest.mark.parametrize("records", [False, True])
@pytest.mark.parametrize(
    ("cost", "entry"),
    [
        (450, ENTRY),
        (0, ENTRY._replace(kind=Kind.ERROR, status="upstream_failed", detail="It\x1b[2J failed", price=None)),
        (7, ENTRY._replace(kind=Kind.TASK, client_ip=None, unpriced=True, prompt_tokens=10**30)),
    ],
)
def test_a_call_by_shortcuts_leaves_the_rows_of_the_steps(
    store: Store,
    alice: Person,
    bob: Person,
    clock: StillClock,
    limits: ApiKeyLimits,
    records: bool,
    cost: int,
    entry: UsageEntry,
) -> None:
    keys = {person: make_key(store, limits, person.name) for person in (alice, bob)}
    if records:
        for person in (alice, bob):
            records_addresses(store, person)
    for pause in (0, 40 * 24, -1):  # another period of the key, and a clock that was set back
        clock.jump(hours=pause)
        by_steps(store, alice.id, keys[alice], 1000, cost, entry)
        by_shortcuts(store, bob.id, keys[bob], 1000, cost, entry)
    found = rows_of(store, bob.id)
    assert found == rows_of(store, alice.id)
    assert len(found["usage_log"]) == len(found["reservations"]) == 3
    assert len(found["ledger"]) == 1 + 3 * (cost > 0)


@ON_POSTGRESQL
def test_shortcuts_that_are_taken_together_are_all_committed(store: Store, alice: Person) -> None:
    key, shortcuts = make_key(store), store.quota.shortcuts
    holds = [shortcuts.hold(alice.id, amount, api_key_id=key) for amount in (1_000_000, 2_000_000, 1_000_000, 1)]
    rows = take_shortcuts(store.database, holds, durable=False)
    assert [row is not None for row in rows] == [True, False, True, False]  # the key may spend two dollars
    bookings = [shortcuts.book(hold.result(row), 9, ENTRY) for hold, row in zip(holds, rows, strict=True) if row]
    assert [row is not None for row in take_shortcuts(store.database, bookings, durable=True)] == [True, True]
    state = store.quota.state(alice.token)
    assert (state.remaining_micro_usd, state.held_micro_usd, state.used_micro_usd) == (FIVE - 18, 0, 18)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_holds_of_a_key_are_made_together_on_sqlite_or_none_of_them(store: Store, alice: Person) -> None:
    key, shortcuts = make_key(store), store.quota.shortcuts
    for amounts, is_made in (((1_000_000, 2_000_000), False), ((1_000_000, 999_999, 1), True), ((1,), False)):
        before = contents(store)
        holds = [shortcuts.hold(alice.id, amount, api_key_id=key) for amount in amounts]
        rows = take_shortcuts(store.database, holds, durable=False)
        assert [row is not None for row in rows] == [is_made] * len(amounts)
        assert (contents(store) != before) is is_made
    with store.database.read() as tx:
        held = tx.execute(select(Reservation.c.held_micro_usd).order_by(Reservation.c.held_micro_usd)).scalars().all()
    assert held == [1, 999_999, 1_000_000]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_value_that_sqlite_cannot_store_leaves_none_of_the_shortcuts(store: Store, alice: Person) -> None:
    key = make_key(store)
    holds = [hold_quota(store, alice.id, 100, api_key_id=key) for _ in range(2)]
    good, bad = (store.quota.shortcuts.book(hold, 7, ENTRY) for hold in holds)
    for value in ("\ud800", 1 << 70):
        before = contents(store)
        broken = replace(bad, parameters={**bad.parameters, "log_request_id": [value]})
        with pytest.raises(DatabaseRefused):
            take_shortcuts(store.database, [good, broken], durable=True)
        assert contents(store) == before
    assert take_shortcuts(store.database, [good, bad], durable=True) == [(), ()]


@ON_POSTGRESQL
def test_a_commit_that_need_not_wait_does_not_and_the_next_does(store: Store) -> None:
    with store.database.write() as tx:
        name = tx.execute(select(func.current_database())).scalar_one()
        tx.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit TO on'))  # the servers of tests have it off
    store.database.engine.dispose()
    setting = Shortcut(WholeStatement(select(func.current_setting("synchronous_commit"))), {}, itemgetter(0))
    for durable, expected in ((False, "off"), (True, "on"), (False, "off"), (True, "on")):
        assert take_shortcuts(store.database, [setting, setting], durable=durable) == [(expected,)] * 2


def held_on(store: Store, account_id: int, keys: list[int]) -> list[Hold]:
    return [hold_quota(store, account_id, 1000, api_key_id=key) for key in keys]


def booked_at_once(store: Store, holds: list[Hold], costs: list[int], entries: list[UsageEntry]) -> list[bool]:
    """Which of the calls were booked, all in one transaction; like ones by one statement."""
    calls = zip(holds, costs, entries, strict=True)
    rows = take_shortcuts(store.database, [store.quota.shortcuts.book(*call) for call in calls], durable=True)
    return [row is not None for row in rows]


@pytest.mark.parametrize("records", [False, True])
def test_calls_that_are_booked_at_once_leave_the_rows_of_the_steps(
    store: Store, alice: Person, bob: Person, records: bool
) -> None:
    others = {person: make_key(store, ApiKeyLimits(), person.name) for person in (alice, bob)}
    keys = {person: make_key(store, LIMITED, person.name) for person in (alice, bob)}
    if records:
        for person in (alice, bob):
            records_addresses(store, person)
    entries = [
        ENTRY,
        ENTRY._replace(request_id="req_2", prompt_tokens=99, duration_ms=12, client_ip="198.51.100.9"),
        ENTRY._replace(request_id="req_3", detail="It was limited.", cached_tokens=3, images=2),
        ENTRY._replace(model="gpt-6", request_id="req_4"),
        ENTRY._replace(kind=Kind.ERROR, status="upstream_failed", price=None, client_ip=None),
        ENTRY._replace(kind=Kind.ERROR, status="upstream_failed", price=None, client_ip=None, detail="It failed."),
        ENTRY._replace(request_id="req_5", client_ip=None),
        ENTRY._replace(request_id="req_6"),
    ]
    costs = [450, 0, 7, 20, 0, 0, 1000, 3]
    of_key = {person: [keys[person]] * 6 + [others[person]] * 2 for person in (alice, bob)}
    for call in zip(held_on(store, alice.id, of_key[alice]), costs, entries, strict=True):
        with store.database.write() as tx:
            store.quota.book(tx, *call)
    assert all(booked_at_once(store, held_on(store, bob.id, of_key[bob]), costs, entries))
    found = rows_of(store, bob.id)
    assert found == rows_of(store, alice.id)
    assert len(found["usage_log"]) == 8


def ledger_of(store: Store, person: Person) -> list[tuple[int, int, int]]:
    entries = store.ledger.page(person.token).entries
    return [(entry.sequence, entry.amount_micro_usd, entry.balance_micro_usd) for entry in reversed(entries)]


def test_calls_that_are_booked_at_once_have_a_line_of_the_ledger_each(store: Store, alice: Person) -> None:
    key, costs = make_key(store), [5, 0, 7, 9]
    entries = [ENTRY._replace(request_id=f"req_{number}") for number in range(4)]
    for _ in range(2):
        assert all(booked_at_once(store, held_on(store, alice.id, [key] * 4), costs, entries))
        with store.database.look() as tx:
            of_day = tx.execute(select(UsageDay.c.first_entry_id, UsageDay.c.last_entry_id)).one()
            of_log = tx.execute(select(func.min(UsageEntryRow.c.id), func.max(UsageEntryRow.c.id))).one()
        assert of_day == of_log
    begin = ledger_of(store, alice)[0]
    assert ledger_of(store, alice)[1:] == [
        (begin[0] + number, -amount, FIVE - spent)
        for number, amount, spent in ((1, 5, 5), (2, 7, 12), (3, 9, 21), (4, 5, 26), (5, 7, 33), (6, 9, 42))
    ]
    charged = {entry.usage_entry_id: -entry.amount_micro_usd for entry in store.ledger.page(alice.token).entries}
    logged = {each.id: each.entry.cost_micro_usd for each in store.usage.page(alice.token).entries}
    assert {number: cost for number, cost in logged.items() if cost} == {
        number: cost for number, cost in charged.items() if number is not None
    }


def settle_one(store: Store, holds: list[Hold]) -> None:
    settle(store, holds[1])


def lose_one(store: Store, holds: list[Hold]) -> None:
    lose(store, holds[1])


def name_one_twice(_store: Store, holds: list[Hold]) -> None:
    holds[1] = holds[0]


def leave_too_little(store: Store, holds: list[Hold]) -> None:
    with store.database.write() as tx:
        tx.execute(update(Quota).values(remaining_micro_usd=2999))


def warn_of_all(store: Store, holds: list[Hold]) -> None:
    with store.database.write() as tx:
        tx.execute(update(NotificationSettingsRow).values(threshold_micro_usd=FIVE - 2999))


@pytest.mark.parametrize("before_it", [settle_one, lose_one, name_one_twice, leave_too_little, warn_of_all])
def test_of_calls_that_are_booked_at_once_none_is_if_one_is_not_ordinary(
    store: Store, alice: Person, before_it: Callable[[Store, list[Hold]], None]
) -> None:
    holds = held_on(store, alice.id, [make_key(store)] * 3)
    before_it(store, holds)
    before = contents(store)
    assert booked_at_once(store, holds, [1000] * 3, [ENTRY] * 3) == [False] * 3
    assert contents(store) == before


def test_a_call_of_another_account_is_not_booked_with_ones_own(store: Store, alice: Person, bob: Person) -> None:
    mine = hold_quota(store, alice.id, 1000, api_key_id=make_key(store))
    others = hold_quota(store, bob.id, 1000, api_key_id=make_key(store, name="bob"))
    claimed = others._replace(account_id=alice.id, api_key_id=mine.api_key_id)
    before = contents(store)
    assert booked_at_once(store, [mine, claimed], [1, 1], [ENTRY, ENTRY]) == [False, False]
    assert contents(store) == before


@pytest.mark.parametrize("why", ["above the quota", "above the key's limit", "another's key", "no account", "no key"])
def test_a_hold_that_the_steps_refuse_changes_nothing(store: Store, alice: Person, bob: Person, why: str) -> None:
    key, amount, account_id = make_key(store), 1, alice.id
    if why == "above the quota":
        key, amount = make_key(store, ApiKeyLimits()), FIVE + 1
    elif why == "above the key's limit":
        amount = 2_000_001
    elif why == "another's key":
        key = make_key(store, name="bob")
    elif why == "no account":
        account_id += 99
    else:
        key += 99
    before = contents(store)
    assert taken(store, store.quota.shortcuts.hold(account_id, amount, api_key_id=key)) is None
    assert contents(store) == before


def test_an_empty_quota_pays_for_no_free_call(store: Store, alice: Person) -> None:
    key = make_key(store)
    store.quota.adjust("alice", set_to=0, actor="test")
    assert taken(store, store.quota.shortcuts.hold(alice.id, 0, api_key_id=key)) is None


def settle(store: Store, hold: Hold) -> None:
    book_call(store, hold, 1)


def lose(store: Store, hold: Hold) -> None:
    with store.database.write() as tx:
        tx.execute(delete(Reservation).where(Reservation.c.id == hold.id))


def spend(store: Store, hold: Hold) -> None:
    with store.database.write() as tx:
        tx.execute(update(Quota).values(remaining_micro_usd=1000))


def warn(store: Store, hold: Hold) -> None:
    with store.database.write() as tx:
        tx.execute(update(NotificationSettingsRow).values(threshold_micro_usd=FIVE - 1999))


@pytest.mark.parametrize("before_it", [settle, lose, spend, warn])
def test_a_booking_that_is_not_ordinary_changes_nothing(
    store: Store, alice: Person, before_it: Callable[[Store, Hold], None]
) -> None:
    hold = hold_quota(store, alice.id, 2000, api_key_id=make_key(store))
    before_it(store, hold)
    before = contents(store)
    assert taken(store, store.quota.shortcuts.book(hold, 2000, ENTRY)) is None
    assert contents(store) == before


def test_the_threshold_itself_is_not_crossed(store: Store, alice: Person) -> None:
    hold = hold_quota(store, alice.id, 2000, api_key_id=make_key(store))
    with store.database.write() as tx:
        tx.execute(update(NotificationSettingsRow).values(threshold_micro_usd=FIVE - 2000))
    assert taken(store, store.quota.shortcuts.book(hold, 2000, ENTRY)) == 2000


@ON_POSTGRESQL
def test_a_value_that_cannot_be_sent_leaves_none_of_the_shortcuts(store: Store, alice: Person) -> None:
    key, before = make_key(store), contents(store)
    good, bad = (store.quota.shortcuts.hold(alice.id, 1, api_key_id=key) for _ in range(2))
    before = contents(store)
    for value, error in (("\ud800", DatabaseRefused), (1 << 70, DatabaseRefused)):
        with pytest.raises(error):
            take_shortcuts(
                store.database, [good, replace(bad, parameters={**bad.parameters, "amount": value})], durable=True
            )
        assert contents(store) == before
    assert taken(store, good) is not None


def test_a_cost_below_zero_is_refused(store: Store, alice: Person) -> None:
    with pytest.raises(InvalidMoney):
        store.quota.shortcuts.book(Hold(1, alice.id, None), -1, ENTRY)
    with pytest.raises(InvalidMoney):
        store.quota.shortcuts.hold(alice.id, -1, api_key_id=1)


@ON_POSTGRESQL
@pytest.mark.parametrize("left", [0, 5])
@pytest.mark.parametrize("of_key", [False, True])
def test_a_row_that_another_transaction_changes_is_waited_for_and_read_anew(
    store: Store, alice: Person, left: int, of_key: bool
) -> None:
    """The free quota is that after the other's commit, though the statement began before."""
    key = make_key(store, ApiKeyLimits(spend_limit_micro_usd=FIVE) if of_key else ApiKeyLimits())
    other = make_key(store, ApiKeyLimits())
    shortcut = store.quota.shortcuts.hold(alice.id, 5, api_key_id=key)
    with ThreadPoolExecutor(1) as thread:
        with store.database.write() as tx:
            amount = FIVE - left
            if of_key:
                tx.execute(update(ApiKey).where(ApiKey.c.id == key).values(held_micro_usd=amount))
            else:
                store.quota.hold(tx, alice.id, amount, api_key_id=other)
            made = thread.submit(taken, store, shortcut)
            wait_until(lambda: is_somebody_waiting(store))
        hold = made.result()
    assert (hold is not None) == (left == 5)
    state = store.quota.state(alice.token)
    assert state.held_micro_usd == left * (hold is not None) + (0 if of_key else amount)


@ON_POSTGRESQL
def test_of_two_bookings_at_once_one_is_made(store: Store, alice: Person) -> None:
    hold = hold_quota(store, alice.id, 2000, api_key_id=make_key(store))
    with ThreadPoolExecutor(1) as thread:
        with store.database.write() as tx:
            store.quota.book(tx, hold, 7, ENTRY)
            second = thread.submit(taken, store, store.quota.shortcuts.book(hold, 7, ENTRY))
            wait_until(lambda: is_somebody_waiting(store))
        assert second.result() is None
    assert store.quota.state(alice.token).used_micro_usd == 7


def is_somebody_waiting(store: Store) -> bool:
    with store.database.read() as tx:
        return bool(tx.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one())
