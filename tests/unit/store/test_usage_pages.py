"""Pages of the usage log: each filter shows the entries that match it, in both directions, and reads few rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, update

from store import usage_keyset
from store.errors import InvalidNumber
from store.models import UsageEntryRow
from store.store import Store
from store.usage_keyset import MAX_PAGE_SIZE, MAX_VALUES
from store.usage_pages import MAX_CHOICES, PAGE_SIZE
from store.values.usage import EVERYTHING, Kind, UsageChoices, UsageEntry, UsageFilter
from tests.harness.fixtures import in_memory
from tests.harness.people import Person
from tests.harness.stores import START, StillClock

ADDRESS = "203.0.113.77"


@pytest.fixture
def many(store: Store, alice: Person, bob: Person) -> list[int]:
    """The ids of 40 entries of alice's, of every kind and of two models, among those of bob's."""
    ids = []
    for number in range(40):
        store.usage.record(bob.id, UsageEntry(Kind.CONSUMPTION, "gpt-5"))
        kind = list(Kind)[number % 4]
        ids.append(store.usage.record(alice.id, UsageEntry(kind, "gpt-5" if number % 2 else "o9")))
    return ids


def pages(store: Store, person: Person, limit: int, only: UsageFilter = EVERYTHING) -> list[int]:
    """The ids of all entries, page by page."""
    ids: list[int] = []
    before: int | None = None
    while True:
        page = store.usage.page(person.token, only, before=before, limit=limit)
        ids += [entry.id for entry in page.entries]
        assert page.next_after is None
        if page.next_before is None:
            return ids
        assert before is None or page.next_before < before
        before = page.next_before


def pages_up(store: Store, person: Person, limit: int, only: UsageFilter = EVERYTHING) -> list[int]:
    """The ids of all entries, from the oldest page to the newest, newest first."""
    ids: list[int] = []
    after: int | None = None
    while True:
        page = store.usage.page_after(person.token, only, after=after, limit=limit)
        ids[:0] = [entry.id for entry in page.entries]
        assert page.next_before is None
        if page.next_after is None:
            return ids
        assert after is None or page.next_after > after
        after = page.next_after


@pytest.mark.parametrize("limit", [1, 7, 40, 41, MAX_PAGE_SIZE])
def test_the_pages_are_the_log(store: Store, alice: Person, many: list[int], limit: int) -> None:
    assert pages(store, alice, limit) == many[::-1]
    assert pages_up(store, alice, limit) == many[::-1]


def test_a_page_is_full_while_another_follows(store: Store, alice: Person, many: list[int]) -> None:
    for only in (EVERYTHING, UsageFilter(models=("o9",)), UsageFilter(models=("o9", "gpt-5"))):
        page = store.usage.page(alice.token, only, limit=7)
        assert len(page.entries) == 7
        assert page.next_before == page.entries[-1].id
        oldest = store.usage.page_after(alice.token, only, limit=7)
        assert [entry.id for entry in oldest.entries] == pages(store, alice, 50, only)[-7:]
        assert oldest.next_after == oldest.entries[0].id
    assert len(many) == 40


def test_the_pages_of_a_kind_or_a_model(store: Store, alice: Person, many: list[int]) -> None:
    for read in (pages, pages_up):
        assert read(store, alice, 3, UsageFilter(kind=Kind.DRAWING)) == many[2::4][::-1]
        assert read(store, alice, 3, UsageFilter(models=("gpt-5",))) == many[1::2][::-1]
        assert read(store, alice, 3, UsageFilter(models=("gpt-5", "o9", "x", "gpt-5"))) == many[::-1]
        assert read(store, alice, 3, UsageFilter(Kind.ERROR, models=("gpt-5",))) == many[1::4][::-1]
        assert read(store, alice, 3, UsageFilter(Kind.ERROR, models=("o9",))) == []
        for model in ("GPT-5", "", "\x00", "\ud800", "gpt-5%"):
            assert read(store, alice, 3, UsageFilter(models=(model,))) == []
        for ip in ("", "not an address", "\x00", ADDRESS):
            assert read(store, alice, 3, UsageFilter(ip=ip)) == []
    assert store.usage.page(alice.token, before=0).entries == ()
    assert len(store.usage.page(alice.token).entries) == min(40, PAGE_SIZE)


@in_memory
@pytest.mark.parametrize("limit", [0, -1, MAX_PAGE_SIZE + 1, 10**30])
def test_a_page_has_a_size(store: Store, alice: Person, limit: int) -> None:
    with pytest.raises(InvalidNumber, match="1 to 500"):
        store.usage.page(alice.token, limit=limit)
    with pytest.raises(InvalidNumber, match="1 to 500"):
        store.usage.page_after(alice.token, limit=limit)


@in_memory
def test_a_filter_has_a_number_of_values(store: Store, alice: Person) -> None:
    names = tuple(str(number) for number in range(MAX_VALUES + 1))
    with pytest.raises(InvalidNumber, match="at most 20 values"):
        store.usage.page(alice.token, UsageFilter(models=names))


# -- every filter against a scan of the whole log ----------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of a made-up log. `late` are minutes since the line before."""

    kind: str
    model: str
    key: str
    status: str
    ip: str | None
    late: int


LINES = st.builds(
    Line,
    st.sampled_from([kind.value for kind in Kind]),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["", "laptop", "build"]),
    st.sampled_from(["ok", "503"]),
    st.sampled_from([None, "10.0.0.1", "2001:db8::1"]),
    st.sampled_from([0, 0, 1, 7, 90, -4, -60, 5000, -5000]),
)
FILTERS = st.builds(
    UsageFilter,
    kind=st.none() | st.sampled_from(list(Kind)),
    models=st.sampled_from([(), (), ("a",), ("a", "b"), ("absent",)]),
    keys=st.sampled_from([(), (), ("laptop",), ("laptop", "build")]),
    statuses=st.sampled_from([(), (), ("ok",), ("503", "ok")]),
    ip=st.sampled_from([None, None, None, "10.0.0.1", "::ffff:10.0.0.1"]),
    since=st.none() | st.integers(-10, 500).map(lambda minutes: START + timedelta(minutes=minutes)),
    until=st.none() | st.integers(-10, 500).map(lambda minutes: START + timedelta(minutes=minutes)),
)


def write(store: Store, account_id: int, lines: list[Line]) -> list[tuple[int, Any, Line]]:
    """Log `lines` as they are; returns their ids and times."""
    minutes = accumulate(line.late for line in lines)
    times = [START + timedelta(minutes=late) for late in minutes]
    with store.database.write() as tx:
        calls = [
            (at, UsageEntry(Kind(line.kind), line.model, api_key_name=line.key, status=line.status))
            for at, line in zip(times, lines, strict=True)
        ]
        ids = store.usage.append_past(tx, account_id, calls) if calls else []
        for entry_id, line in zip(ids, lines, strict=True):
            if line.ip is not None:
                tx.execute(update(UsageEntryRow).where(UsageEntryRow.c.id == entry_id).values(client_ip=line.ip))
    return list(zip(ids, times, lines, strict=True))


def matches(only: UsageFilter, at: Any, line: Line) -> bool:
    """The filter as it is described, for one line."""
    return (
        (only.kind is None or line.kind == only.kind.value)
        and (not only.models or line.model in only.models)
        and (not only.keys or line.key in only.keys)
        and (not only.statuses or line.status in only.statuses)
        and (only.ip is None or line.ip == only.ip.removeprefix("::ffff:"))
        and (only.since is None or at >= only.since)
        and (only.until is None or at < only.until)
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=30), only=FILTERS, limit=st.sampled_from([1, 3, 50]), data=st.data())
def test_a_filter_shows_what_a_scan_of_the_log_finds(
    store: Store, alice: Person, lines: list[Line], only: UsageFilter, limit: int, data: st.DataObject
) -> None:
    with store.database.write() as tx:
        tx.execute(UsageEntryRow.delete())
    candidates = data.draw(st.sampled_from([20, 2000]))
    written = write(store, alice.id, lines)
    expected = [entry_id for entry_id, at, line in reversed(written) if matches(only, at, line)]
    with candidates_of(candidates):
        assert pages(store, alice, limit, only) == expected
        assert pages_up(store, alice, limit, only) == expected


@contextmanager
def candidates_of(number: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(usage_keyset, "MAX_CANDIDATES", number)
        yield


def test_a_search_that_finds_nothing_says_how_far_it_came(store: Store, alice: Person, clock: StillClock) -> None:
    lines = [Line("consumption", "a", "laptop", "ok", None, 1)] * 90 + [
        Line("error", "b", "build", "503", None, 1)
    ] * 90
    written = write(store, alice.id, lines)
    with candidates_of(20):
        page = store.usage.page(alice.token, UsageFilter(models=("a",), statuses=("503",)))
        assert (page.entries, page.next_before) == ((), written[70][0])
        assert page.searched_to == written[70][1]
        assert pages(store, alice, 50, UsageFilter(models=("a",), statuses=("503",))) == []
    assert clock.now() == START


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))])
def test_a_time_may_be_any(store: Store, alice: Person, many: list[int], zone: timezone) -> None:
    first, last = datetime.min.replace(tzinfo=zone), datetime.max.replace(tzinfo=zone)
    assert pages(store, alice, 50, UsageFilter(since=first, until=last)) == many[::-1]
    assert pages(store, alice, 50, UsageFilter(since=last)) == []
    assert pages_up(store, alice, 50, UsageFilter(until=first)) == []


def test_two_clocks_that_differ_hide_no_entry(store: Store, alice: Person) -> None:
    written = write(store, alice.id, [Line("error", "a", "", "ok", None, late) for late in (0, 8, -4, 8, -4, 8, 8)])
    for minutes in range(-1, 26):
        time = START + timedelta(minutes=minutes)
        for only in (UsageFilter(since=time), UsageFilter(until=time)):
            assert_shown(store, alice, only, written)


@pytest.mark.parametrize("hours", [-24 * 9000, -24 * 8, -20, -3, 20, 24 * 8, 24 * 9000])
def test_a_clock_that_was_off_for_a_while_hides_no_entry(store: Store, alice: Person, hours: int) -> None:
    """A log of 30 days, in whose middle the clock was off by `hours` for 500 calls."""
    late = [*[30] * 700, 60 * hours, *[1] * 499, -60 * hours, *[30] * 700]
    lines = [Line("error", "ab"[number % 2], "", "ok", None, each) for number, each in enumerate(late)]
    written = write(store, alice.id, lines)
    first_off, last_off = written[700][1], written[1199][1]
    minute = timedelta(minutes=1)
    days = {START + timedelta(days=day) for day in (1, 14, 16, 29)}
    for time in sorted({first_off - minute, first_off + minute, last_off - minute, last_off + minute, *days}):
        for only in (
            UsageFilter(since=time),
            UsageFilter(until=time),
            UsageFilter(until=time, models=("a",)),
            UsageFilter(since=time, until=time + timedelta(days=1)),
        ):
            assert_shown(store, alice, only, written)


@pytest.mark.parametrize("days", [-8, 8])
def test_the_gap_that_a_clock_leaves_is_not_searched(store: Store, alice: Person, days: int) -> None:
    """The entries of one day stand in two places of the log: 384 others are between."""
    late = [*[30] * 700, days * 24 * 60, *[1] * 99, -days * 24 * 60, *[30] * 700]
    written = write(store, alice.id, [Line("error", "a", "", "ok", None, each) for each in late])
    noon = written[700][1]
    only = UsageFilter(since=noon - timedelta(hours=12), until=noon + timedelta(hours=12))
    with candidates_of(50):
        found, before = 0, None
        while True:
            page = store.usage.page(alice.token, only, before=before)
            found, before = found + len(page.entries), page.next_before
            if before is None:
                break
            assert page.entries
        assert found == sum(matches(only, at, line) for _, at, line in written)
        assert_shown(store, alice, only, written)


def assert_shown(store: Store, person: Person, only: UsageFilter, written: list[tuple[int, Any, Line]]) -> None:
    """Each entry that matches is on one page, from either end, and the first page from the end is the oldest one."""
    expected = [entry_id for entry_id, at, line in reversed(written) if matches(only, at, line)]
    assert pages(store, person, 500, only) == expected
    assert pages_up(store, person, 500, only) == expected


# -- the rows that are read ---------------------------------------------------------------------------------------


@in_memory
def test_every_page_is_read_on_an_index(store: Store, alice: Person) -> None:
    lines = [
        Line("consumption", f"m{at % 7}", f"k{at % 3}", "ok" if at % 9 else "503", "10.0.0.1", 1) for at in range(300)
    ]
    write(store, alice.id, lines)
    filters = {
        "kind": UsageFilter(kind=Kind.CONSUMPTION),
        "model": UsageFilter(models=("m1",)),
        "api_key_name": UsageFilter(keys=("k1",)),
        "status": UsageFilter(statuses=("503",)),
        "client_ip": UsageFilter(ip="10.0.0.1"),
        "at": UsageFilter(since=START, until=START + timedelta(hours=1)),
    }
    for column, only in filters.items():
        for read in (store.usage.page, store.usage.page_after):
            plan = plan_of(store, lambda read=read, only=only: read(alice.token, only))
            assert any(f"ix_usage_log_account_id_{column}_id" in step for step in plan), plan
            assert not any("SCAN usage_log" in step or "TEMP B-TREE" in step for step in plan), plan
    both = UsageFilter(models=("m1",), statuses=("503",))
    with candidates_of(20):
        plan = plan_of(store, lambda: store.usage.page(alice.token, both))
    assert "ix_usage_log_account_id_status_id" in plan[-1], plan
    choices = plan_of(store, lambda: store.usage.choices(alice.token))
    assert not any("SCAN usage_log" in step or "TEMP B-TREE" in step for step in choices), choices


@in_memory
def test_only_the_times_next_to_a_bound_are_read(store: Store, alice: Person) -> None:
    """SQLite reads an index up to the first of two bounds: the rest of the day, if that is the end of the day."""
    write(store, alice.id, [Line("error", "a", "", "ok", None, 1)] * 300)
    only = UsageFilter(since=START + timedelta(hours=1), until=START + timedelta(hours=2))
    statements = [text for text, _ in statements_of(store, lambda: store.usage.page(alice.token, only))]
    extremes = [text for text in statements if "usage_log.id + " in text]
    assert len(extremes) == 2
    for text in extremes:
        assert text.count("usage_log.at >= ") == text.count("usage_log.at < ") == 1
        assert "usage_log.at <= " not in text


def statements_of(store: Store, read: Any) -> list[tuple[str, Any]]:
    """The statements that `read` runs, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    engine = store.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        read()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return statements


def plan_of(store: Store, read: Any) -> list[str]:
    """The query plans of all statements on the log that `read` runs."""
    statements = statements_of(store, read)
    with store.database.read() as tx:
        return [
            str(row[-1])
            for statement, parameters in statements
            if "usage_log" in statement
            for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


# -- what is offered ----------------------------------------------------------------------------------------------


def test_the_choices_are_what_occurs(store: Store, alice: Person, bob: Person) -> None:
    assert store.usage.choices(alice.token) == UsageChoices()
    for model, key, status in (("o9", "laptop", "ok"), ("gpt-5", "", "503"), ("o9", "build", "ok")):
        store.usage.record(alice.id, UsageEntry(Kind.CONSUMPTION, model, api_key_name=key, status=status))
    store.usage.record(bob.id, UsageEntry(Kind.CONSUMPTION, "bobs", api_key_name="bobs", status="bobs"))
    assert store.usage.choices(alice.token) == UsageChoices(("gpt-5", "o9"), ("build", "laptop"), ("503", "ok"))


def test_the_choices_are_bounded(store: Store, alice: Person) -> None:
    write(store, alice.id, [Line("error", f"m{number:04}", "", "", None, 0) for number in range(MAX_CHOICES + 50)])
    assert store.usage.choices(alice.token).models == tuple(f"m{number:04}" for number in range(MAX_CHOICES))
