"""The usage log: pages from new to old, totals by day, and a client address only where it is wanted."""

import pytest
from sqlalchemy import delete, select

from store.models import PrivacySettingsRow, UsageEntryRow
from store.sections import PrivacySettings
from store.store import Store
from store.usage_keyset import canonical_ip
from store.values.usage import DayTotal, Kind, LoggedEntry, UsageEntry, UsageFilter
from tests.harness.people import Person, contents, tags
from tests.harness.stores import StillClock

ADDRESS = "203.0.113.77"
FULL = UsageEntry(
    kind=Kind.CONSUMPTION,
    model="gpt-5",
    api_key_name="laptop",
    request_id="req-1",
    status="ok",
    detail="stream",
    prompt_tokens=120,
    completion_tokens=30,
    cost_micro_usd=450,
    duration_ms=1200,
    unpriced=True,
    client_ip=ADDRESS,
)


def wants_addresses(store: Store, person: Person, wanted: bool = True) -> None:
    version = store.settings.load(person.token, PrivacySettings).version
    store.settings.save(person.token, PrivacySettings(record_client_ip=wanted), version)


def test_an_entry_is_logged_as_it_was(store: Store, alice: Person, clock: StillClock) -> None:
    wants_addresses(store, alice)
    entry_id = store.usage.record(alice.id, FULL)
    assert store.usage.page(alice.token).entries == (LoggedEntry(entry_id, clock.now(), FULL),)


def test_hostile_text_is_logged_on_one_line(store: Store, alice: Person) -> None:
    hostile = "a\nb\x1b[31m\x00\ud800\u202e" + "x" * 5000
    store.usage.record(
        alice.id,
        UsageEntry(Kind.ERROR, hostile, api_key_name=hostile, request_id=hostile, status=hostile, detail=hostile),
    )
    (logged,) = store.usage.page(alice.token).entries
    texts = [
        logged.entry.model,
        logged.entry.api_key_name,
        logged.entry.request_id,
        logged.entry.status,
        logged.entry.detail,
    ]
    assert all(text.startswith("a b\ufffd[31m\ufffd\ufffd\ufffd") and text.endswith("…") for text in texts)
    assert [len(text) for text in texts] == [200, 64, 100, 40, 500]


@pytest.mark.parametrize("count", [-5, 2**63, 10**400])
def test_made_up_counts_are_bounded(store: Store, alice: Person, count: int) -> None:
    entry = UsageEntry(Kind.CONSUMPTION, "m", prompt_tokens=count, completion_tokens=count, duration_ms=count)
    for _ in range(3):
        store.usage.record(alice.id, entry)
    expected = 0 if count < 0 else 1_000_000_000
    assert store.usage.page(alice.token).entries[0].entry.prompt_tokens == expected
    assert store.usage.days(alice.token)[0].tokens == 6 * expected


# -- days -------------------------------------------------------------------------------------------------------


def test_days_are_added_up(store: Store, alice: Person, bob: Person, clock: StillClock) -> None:
    store.usage.record(alice.id, FULL)
    store.usage.record(alice.id, FULL._replace(kind=Kind.ERROR, cost_micro_usd=0))
    store.usage.record(bob.id, FULL)
    clock.advance(days=1)
    store.usage.record(alice.id, FULL._replace(prompt_tokens=0))
    first = DayTotal("2026-11-23", calls=2, errors=1, tokens=300, cost_micro_usd=450)
    second = DayTotal("2026-11-24", calls=1, errors=0, tokens=30, cost_micro_usd=450)
    from tests.harness.stores import sign_in

    token = sign_in(store)
    assert store.usage.days(token) == [first, second]
    assert store.usage.days(token, 1) == [second]
    clock.advance(days=29)
    token = sign_in(store)
    assert store.usage.days(token) == [second]
    assert store.usage.days(token, 31) == [first, second]


def test_refused_calls_share_a_line_and_count_in_their_day(store: Store, alice: Person, bob: Person) -> None:
    refusal = UsageEntry(Kind.ERROR, "gpt-5", status="quota", detail="refused")

    def refuse(person: Person, count: int, entry_id: int | None) -> int:
        with store.database.write() as tx:
            entry = refusal._replace(detail=f"refused {count} times\x1b")
            return store.usage.append_refusals(tx, person.id, entry, count, entry_id=entry_id)

    first = refuse(alice, 1, None)
    assert refuse(alice, 40, first) == first
    (line,) = store.usage.page(alice.token).entries
    assert (line.id, line.entry.detail) == (first, "refused 40 times\ufffd")
    of_bob = refuse(bob, 2, first)
    assert of_bob != first, "the line of another account is not written to"
    assert store.usage.page(alice.token).entries == (line,)
    assert refuse(alice, 3, of_bob + 100) not in (first, of_bob), "a line that is gone is begun anew"
    (day,) = store.usage.days(alice.token)
    assert (day.calls, day.errors, day.tokens) == (44, 44, 0)
    assert store.usage.days(bob.token)[0].errors == 2


# -- addresses --------------------------------------------------------------------------------------------------


def test_no_address_is_kept_unless_wanted(store: Store, alice: Person) -> None:
    for kind in Kind:
        store.usage.record(alice.id, FULL._replace(kind=kind))
    assert ADDRESS not in repr(contents(store))
    assert store.usage.count_ips(alice.token) == 0


def test_an_address_is_kept_for_consumption_and_errors(store: Store, alice: Person, bob: Person) -> None:
    wants_addresses(store, alice)
    for person in (alice, bob):
        for kind in Kind:
            store.usage.record(person.id, FULL._replace(kind=kind))
    kept = {entry.entry.kind: entry.entry.client_ip for entry in store.usage.page(alice.token).entries}
    assert kept == {Kind.CONSUMPTION: ADDRESS, Kind.ERROR: ADDRESS, Kind.DRAWING: None, Kind.TASK: None}
    assert store.usage.count_ips(alice.token) == 2
    assert store.usage.count_ips(bob.token) == 0


def test_the_switch_holds_from_the_next_entry_on(store: Store, alice: Person) -> None:
    stale = 0
    for round_ in range(20):
        wants_addresses(store, alice, wanted=round_ % 2 == 0)
        store.usage.record(alice.id, FULL)
        newest = store.usage.page(alice.token, limit=1).entries[0].entry.client_ip
        stale += (newest is not None) is not (round_ % 2 == 0)
    print(f"entries that went by an old switch: {stale} of 20")
    assert stale == 0


def test_a_switch_that_is_missing_is_off(store: Store, alice: Person) -> None:
    wants_addresses(store, alice)
    with store.database.write() as tx:
        tx.execute(delete(PrivacySettingsRow))
    store.usage.record(alice.id, FULL)
    assert store.usage.count_ips(alice.token) == 0


def test_addresses_can_be_erased(store: Store, alice: Person, bob: Person) -> None:
    for person in (alice, bob):
        wants_addresses(store, person)
        for _ in range(3):
            store.usage.record(person.id, FULL)
    assert store.usage.erase_ips(alice.token) == 3
    assert store.usage.erase_ips(alice.token) == 0
    assert store.usage.count_ips(bob.token) == 3
    with store.database.read() as tx:
        assert tx.execute(select(UsageEntryRow.c.id).where(UsageEntryRow.c.account_id == alice.id)).all()
    assert tags(store, alice.id)[-2:] == ["privacy:ips-erased", "privacy:ips-erased"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("203.0.113.77", "203.0.113.77"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("::ffff:203.0.113.77", "203.0.113.77"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unknown", None),
        ("203.0.113.077", None),
        ("203.0.113.77:443", None),
        ("٢٠٣.0.113.77", None),
        ("\ud800", None),
    ],
    ids=ascii,
)
def test_an_address_has_one_form(text: str, kept: str | None) -> None:
    assert canonical_ip(text) == kept


# -- tasks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_id", ["task-1", "x" * 300, "hostile\x00\ud800"], ids=lambda text: ascii(text[:12]))
def test_a_task_is_found_by_its_account(store: Store, alice: Person, bob: Person, request_id: str) -> None:
    store.usage.record(alice.id, UsageEntry(Kind.TASK, "video", request_id=request_id, status="queued"))
    store.usage.record(alice.id, UsageEntry(Kind.CONSUMPTION, "video", request_id="other"))
    assert store.usage.has_task(alice.id, request_id)
    assert not store.usage.has_task(bob.id, request_id)
    assert not store.usage.has_task(alice.id, "other")
    with store.database.write() as tx:
        store.usage.note_task_status(tx, bob.id, request_id, "stolen")
        store.usage.note_task_status(tx, alice.id, request_id, "done\x1b")
    (task,) = store.usage.page(alice.token, UsageFilter(kind=Kind.TASK)).entries
    assert task.entry.status == "done\ufffd"
