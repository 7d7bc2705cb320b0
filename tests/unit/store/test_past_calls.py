"""Calls of the past: booked at once, they leave the rows that booking them one by one would have left."""

from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import select

from store.errors import QuotaExceeded
from store.models import ApiKey, LedgerEntryRow, Quota, UsageDay, UsageEntryRow, UsageTotal
from store.past_calls import PastCall, book_past_calls
from store.store import Store
from store.values.api_keys import ApiKeyLimits, LimitPeriod
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry
from tests.harness.ledger_checks import ledger_faults
from tests.harness.people import Person
from tests.harness.stores import StillClock

PRICE: Final = ModelPrice("gpt-5", 1_000_000, 2_000_000)
CALLS: Final = (
    (0, "laptop", UsageEntry(Kind.CONSUMPTION, "gpt-5", cost_micro_usd=40, prompt_tokens=7, price=PRICE)),
    (1, "build", UsageEntry(Kind.CONSUMPTION, "gpt-5", cost_micro_usd=2, completion_tokens=9, detail="a\nb")),
    (1, "laptop", UsageEntry(Kind.ERROR, "invented", status="upstream 503")),
    (26, "laptop", UsageEntry(Kind.CONSUMPTION, "other", cost_micro_usd=5, duration_ms=-3)),
    (27, "build", UsageEntry(Kind.DRAWING, "image-1", cost_micro_usd=1_000, images=2, image_size="1024x1024")),
    (900, "laptop", UsageEntry(Kind.TASK, "batch", request_id="batch_1", task_done=1, task_total=4)),
    (901, "laptop", UsageEntry(Kind.CONSUMPTION, "gpt-5", cost_micro_usd=11)),
)
"""Hours after the start, key and call, over days and months, with and without a cost."""
TABLES: Final = (UsageEntryRow, UsageDay, UsageTotal, LedgerEntryRow, Quota, ApiKey)
UNLIKE: Final = {
    *("id", "account_id", "usage_entry_id", "first_entry_id", "last_entry_id"),
    *("key_hash", "last_four", "created_at"),
}
"""Columns that differ between any two accounts."""


def make_keys(store: Store, token: str) -> dict[str, int]:
    daily = ApiKeyLimits(spend_limit_micro_usd=10**6, limit_period=LimitPeriod.DAILY)
    limits = {"laptop": daily, "build": ApiKeyLimits()}
    made = [store.api_keys.create(token, name, each) for name, each in limits.items()]
    return {key.info.name: key.info.id for key in made}


def rows_of(store: Store, account_id: int) -> list[list[dict[str, Any]]]:
    with store.database.read() as tx:
        found = [tx.execute(select(table).where(table.c.account_id == account_id)).mappings() for table in TABLES]
        known = [[{key: row[key] for key in row if key not in UNLIKE} for row in rows] for rows in found]
    return [sorted(rows, key=repr) for rows in known]


def test_the_rows_are_those_of_calls_booked_one_by_one(
    store: Store, alice: Person, bob: Person, clock: StillClock
) -> None:
    keys, keys_of_bob = make_keys(store, alice.token), make_keys(store, bob.token)
    start = clock.now()
    past = [
        PastCall(start + timedelta(hours=hour), keys[name], entry._replace(api_key_name=name))
        for hour, name, entry in CALLS
    ]
    for hour, name, entry in CALLS:
        clock.time = start + timedelta(hours=hour)
        with store.database.write() as tx:
            hold = store.quota.hold(tx, bob.id, entry.cost_micro_usd, api_key_id=keys_of_bob[name])
            store.quota.book(tx, hold, entry.cost_micro_usd, entry._replace(api_key_name=name))
    with store.database.write() as tx:
        book_past_calls(tx, alice.id, past, usage=store.usage, ledger=store.ledger)
    assert rows_of(store, alice.id) == rows_of(store, bob.id)
    assert ledger_faults(store, alice.id) == []


def test_calls_without_a_cost_and_no_calls_at_all(store: Store, alice: Person, clock: StillClock) -> None:
    keys, before = make_keys(store, alice.token), store.quota.state(alice.token)
    free = PastCall(clock.now(), keys["build"], UsageEntry(Kind.ERROR, "gpt-5", api_key_name="build"))
    for calls in ([], [free]):
        with store.database.write() as tx:
            book_past_calls(tx, alice.id, calls, usage=store.usage, ledger=store.ledger)
    assert store.quota.state(alice.token) == before
    assert [logged.entry.kind for logged in store.usage.page(alice.token).entries] == [Kind.ERROR]
    assert ledger_faults(store, alice.id) == []


def test_a_cost_above_the_free_quota_books_nothing(store: Store, alice: Person, clock: StillClock) -> None:
    keys, before = make_keys(store, alice.token), rows_of(store, alice.id)
    left = store.quota.state(alice.token).remaining_micro_usd
    entry = UsageEntry(Kind.CONSUMPTION, "gpt-5", api_key_name="build", cost_micro_usd=left // 2 + 1)
    calls = [PastCall(clock.now(), keys["build"], entry)] * 2
    with pytest.raises(QuotaExceeded), store.database.write() as tx:
        book_past_calls(tx, alice.id, calls, usage=store.usage, ledger=store.ledger)
    assert rows_of(store, alice.id) == before
