"""The export of the usage log: row by row what the store has, in every format, and nothing a spreadsheet runs."""

import csv
import json
import tracemalloc
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from store.audit_tags import COMMAND_LINE, Tag
from store.errors import InvalidInput
from store.export_rows import CALL_COLUMNS, call_row
from store.money import MICRO_PER_USD
from store.new_files import NewFiles
from store.store import Store
from store.values.billing import ModelPrice
from store.values.row_export import ExportFormat, ExportProgress
from store.values.usage import EVERYTHING, Kind, LoggedEntry, UsageEntry, UsageFilter
from tests.harness.fixtures import in_memory
from tests.harness.full_disk import largest_file
from tests.harness.people import Person, tags
from tests.harness.stores import StillClock, sign_in

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＠x")


@pytest.fixture
def log(store: Store, alice: Person, bob: Person) -> list[LoggedEntry]:
    """Alice's log, newest first, among calls of bob's."""
    prices = (None, ModelPrice("m", 3_000_000, 15_000_001, 7, 300_000), ModelPrice("m", 1, 2))
    for number in range(1203):
        entry = UsageEntry(
            list(Kind)[number % 4],
            f'model "{number % 5}", a',
            api_key_name="=cmd()" if number % 7 == 0 else "laptop",
            request_id=f"req-{number}",
            status="ok" if number % 3 else "503",
            detail="-2+3" if number % 11 == 0 else "",
            prompt_tokens=number,
            completion_tokens=2 * number,
            cached_tokens=number // 2,
            cost_micro_usd=number * 1_000_003,
            images=number % 3,
            image_size="1024x1024" if number % 3 else "",
            task_done=number if number % 4 == 3 else None,
            task_total=2000 if number % 8 == 7 else None,
            unpriced=number % 2 == 0,
            price=prices[number % 3],
        )
        store.usage.record(alice.id, entry)
        if number % 10 == 0:
            store.usage.record(bob.id, entry)
    found: list[LoggedEntry] = []
    before = None
    while True:
        page = store.usage.page(alice.token, before=before, limit=100)
        found += page.entries
        if page.next_before is None:
            return found
        before = page.next_before


def export(store: Store, person: Person, form: ExportFormat, only: UsageFilter = EVERYTHING) -> str:
    return "".join(store.usage_export.pieces(person.token, form, only, lambda _: None))


@in_memory
def test_every_format_has_every_row_of_the_store(store: Store, alice: Person, log: list[LoggedEntry]) -> None:
    expected = [call_row(logged) for logged in log]
    assert len(expected) == 1203
    assert json.loads(export(store, alice, ExportFormat.JSON)) == expected
    lines = export(store, alice, ExportFormat.JSONL).splitlines()
    assert [json.loads(line) for line in lines] == expected
    rows = list(csv.DictReader(StringIO(export(store, alice, ExportFormat.CSV), newline="")))
    assert tuple(rows[0]) == CALL_COLUMNS
    for row, logged in zip(rows, log, strict=True):
        assert same(row, logged)


def same(row: dict[str, str], logged: LoggedEntry) -> bool:
    """True if a row of the CSV file says what the store has."""
    entry = logged.entry
    price = entry.price
    assert (int(row["id"]), datetime.fromisoformat(row["at"])) == (logged.id, logged.at)
    assert [row[name].removeprefix("'") for name in ("model", "api_key_name", "request_id", "status", "detail")] == [
        *(entry.model, entry.api_key_name, entry.request_id, entry.status, entry.detail)
    ]
    counts = ("prompt_tokens", "cached_tokens", "completion_tokens", "images", "duration_ms")
    assert [int(row[name]) for name in counts] == [getattr(entry, name) for name in counts]
    assert [row["task_done"], row["task_total"]] == [
        "" if number is None else str(number) for number in (entry.task_done, entry.task_total)
    ]
    assert Decimal(row["cost_usd"]) * MICRO_PER_USD == entry.cost_micro_usd
    assert row["unpriced"] == str(entry.unpriced).lower()
    output = row["output_usd_per_million"]
    assert (Decimal(output) * MICRO_PER_USD if output else None) == (price and price.output_per_million)
    return True


@in_memory
@pytest.mark.parametrize(
    "only",
    [
        UsageFilter(kind=Kind.TASK),
        UsageFilter(statuses=("503",), keys=("laptop",)),
        UsageFilter(models=("absent",)),
    ],
)
def test_a_filter_is_exported(store: Store, alice: Person, log: list[LoggedEntry], only: UsageFilter) -> None:
    expected = [
        logged.id
        for logged in log
        if (only.kind in (None, logged.entry.kind))
        and (not only.statuses or logged.entry.status in only.statuses)
        and (not only.keys or logged.entry.api_key_name in only.keys)
        and (not only.models or logged.entry.model in only.models)
    ]
    assert [row["id"] for row in json.loads(export(store, alice, ExportFormat.JSON, only))] == expected
    assert len(export(store, alice, ExportFormat.CSV, only).splitlines()) == len(expected) + 1


def test_the_pages_of_an_account_are_those_of_its_session(store: Store, alice: Person) -> None:
    for number in range(5):
        store.usage.record(alice.id, UsageEntry(Kind.CONSUMPTION, f"m{number}"))
    for form in ExportFormat:
        pieces = store.usage_export.pieces_of(
            alice.id, form, EVERYTHING, lambda _: None, actor="unix:root", source=COMMAND_LINE
        )
        assert "".join(pieces) == export(store, alice, form)


def test_an_export_is_recorded_when_it_begins(store: Store, alice: Person) -> None:
    store.usage_export.pieces(alice.token, ExportFormat.CSV, EVERYTHING, lambda _: None)
    store.usage_export.pieces_of(
        alice.id, ExportFormat.JSON, EVERYTHING, lambda _: None, actor="unix:root", source=COMMAND_LINE
    )
    assert tags(store, alice.id)[-2:] == [Tag.USAGE_EXPORTED, Tag.USAGE_EXPORTED]
    with store.database.read() as tx:
        events = store.audit.page(tx, alice.id, limit=2)
    assert [(event.actor, event.detail["format"]) for event in events] == [("unix:root", "json"), ("alice", "csv")]


@pytest.mark.parametrize(
    ("hours", "models"), [(24, "ccccccba"), (1.5, "ccccccba"), (0.9, "cccccca"), (0.25, "cccccca"), (0.1, "a")]
)
def test_an_export_until_a_time_has_the_calls_of_a_clock_that_was_set_back(
    store: Store, alice: Person, clock: StillClock, hours: float, models: str
) -> None:
    start = clock.now()
    store.usage.record(alice.id, UsageEntry(Kind.CONSUMPTION, "a"))
    clock.advance(hours=1)
    store.usage.record(alice.id, UsageEntry(Kind.CONSUMPTION, "b"))
    clock.jump(minutes=-50)
    for _ in range(6):
        store.usage.record(alice.id, UsageEntry(Kind.CONSUMPTION, "c"))
    clock.advance(days=2)
    store.usage.record(alice.id, UsageEntry(Kind.CONSUMPTION, "d"))
    token = sign_in(store)
    only = UsageFilter(until=start + timedelta(hours=hours))
    text = "".join(store.usage_export.pieces(token, ExportFormat.CSV, only, lambda _: None))
    assert "".join(row["model"] for row in csv.DictReader(StringIO(text))) == models


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_text_is_a_formula_and_numbers_stay_numbers(store: Store, alice: Person, formula: str) -> None:
    entry = UsageEntry(Kind.ERROR, formula, formula, formula, formula, formula, image_size=formula)
    store.usage.record(alice.id, entry)
    (row,) = csv.DictReader(StringIO(export(store, alice, ExportFormat.CSV), newline=""))
    for name in ("model", "api_key_name", "request_id", "status", "detail", "image_size"):
        assert row[name] == f"'{formula}"
    assert (row["cost_usd"], row["prompt_tokens"]) == ("0.00", "0")
    (plain,) = json.loads(export(store, alice, ExportFormat.JSON))
    assert plain["model"] == formula


@in_memory
def test_text_of_an_older_version_is_a_cell_of_its_own(store: Store, alice: Person) -> None:
    store.usage.record(alice.id, UsageEntry(Kind.ERROR, "m"))
    with store.database.write() as tx:
        tx.execute(text("UPDATE usage_log SET model = :model, detail = :detail"), {"model": "\t=1", "detail": "\r\n=2"})
    (row,) = csv.DictReader(StringIO(export(store, alice, ExportFormat.CSV), newline=""))
    assert (row["model"], row["detail"]) == ("'\t=1", "'\r\n=2")


@in_memory
def test_an_empty_log_is_a_whole_file(store: Store, alice: Person) -> None:
    assert export(store, alice, ExportFormat.CSV) == ",".join(CALL_COLUMNS) + "\r\n"
    assert json.loads(export(store, alice, ExportFormat.JSON)) == []
    assert export(store, alice, ExportFormat.JSONL) == ""


@in_memory
def test_calls_that_are_logged_meanwhile_are_not_in_it(store: Store, alice: Person, log: list[LoggedEntry]) -> None:
    told: list[ExportProgress] = []

    def tell(progress: ExportProgress) -> None:
        told.append(progress)
        store.usage.record(alice.id, UsageEntry(Kind.CONSUMPTION, "late"))

    pieces = store.usage_export.pieces(alice.token, ExportFormat.JSON, EVERYTHING, tell)
    assert [row["id"] for row in json.loads("".join(pieces))] == [logged.id for logged in log]
    assert [progress.rows for progress in told] == [500, 1000, 1203]
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert 0.3 < shares[0] < 0.5
    assert shares[-1] == 1.0


# -- the file ------------------------------------------------------------------------------------------------------


@in_memory
def test_a_full_disk_leaves_nothing_half(store: Store, alice: Person, log: list[LoggedEntry], tmp_path: Path) -> None:
    pieces = store.usage_export.pieces(alice.token, ExportFormat.CSV, EVERYTHING, lambda _: None)
    with largest_file(100_000), pytest.raises(InvalidInput, match="is the disk full"):
        NewFiles().write(tmp_path / "log.csv", pieces)
    assert list(tmp_path.iterdir()) == []
    assert len(log) == 1203


@in_memory
def test_the_file_appears_when_it_is_complete(
    store: Store, alice: Person, log: list[LoggedEntry], tmp_path: Path
) -> None:
    seen: list[Any] = []
    tell = lambda _: seen.append(list(tmp_path.iterdir()))  # noqa: E731 (one line)
    pieces = store.usage_export.pieces(alice.token, ExportFormat.CSV, EVERYTHING, tell)
    written = NewFiles().write(tmp_path / "log.csv", pieces)
    assert seen == [[], [], []]
    assert len(written.read_text().splitlines()) == len(log) + 1


@in_memory
def test_the_memory_does_not_grow_with_the_log(store: Store, alice: Person, tmp_path: Path) -> None:
    """One piece of 40 is held at a time: the last 30 need no more than the first 10."""
    fill(store, alice.id, 20_000)
    held: list[int] = []

    def note(_: object) -> None:
        if len(held) == 10:
            tracemalloc.reset_peak()
        held.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        path = NewFiles().write(
            tmp_path / "log.csv", store.usage_export.pieces(alice.token, ExportFormat.CSV, EVERYTHING, note)
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    with path.open(encoding="utf-8", newline="") as file:
        ids = [int(row["id"]) for row in csv.DictReader(file)]
    assert len(ids) == 20_000
    assert ids == sorted(set(ids), reverse=True)
    assert len(held) == 40
    assert max(held) - held[10] < 128 * 1024
    assert peak - held[10] < 1024 * 1024 < path.stat().st_size / 2


def fill(store: Store, account_id: int, rows: int) -> None:
    with store.database.write() as tx:
        tx.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows) INSERT INTO usage_log "
                "(account_id, kind, at, model, api_key_name, request_id, status, detail, prompt_tokens, "
                "completion_tokens, cost_micro_usd, duration_ms, unpriced) SELECT :account, 'consumption', "
                "'2026-01-01 00:00:00.000000', 'model-' || (i % 9), 'laptop', 'req-' || i, 'ok', '', i, i, i, i, 0 "
                "FROM n"
            ),
            {"rows": rows, "account": account_id},
        )
