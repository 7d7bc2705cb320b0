"""The export of the ledger: every change with the balance after it, in every format, and nothing a spreadsheet runs."""

import csv
import json
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest

from store.audit_tags import COMMAND_LINE, Tag
from store.errors import InvalidInput
from store.export_rows import CHANGE_COLUMNS, change_row
from store.money import MICRO_PER_USD
from store.new_files import NewFiles
from store.store import Store
from store.values.ledger import LedgerKind
from store.values.row_export import ExportFormat, ExportProgress
from tests.harness.fixtures import in_memory
from tests.harness.full_disk import largest_file
from tests.harness.ledger_checks import ledger_of
from tests.harness.people import Person, tags
from tests.harness.quota_calls import spend_quota

CALLS = 1203


@pytest.fixture
def spent(store: Store, alice: Person, bob: Person) -> Store:
    """Alice's calls among bob's."""
    for person in (alice, bob):
        store.quota.adjust(person.name, add=1_000 * MICRO_PER_USD, actor="=cmd()", reason="-2+3")
    for number in range(CALLS):
        spend_quota(store, alice.id, number + 1)
        if number % 10 == 0:
            spend_quota(store, bob.id, 7)
    return store


def export(store: Store, person: Person, form: ExportFormat) -> str:
    return "".join(store.ledger_export.pieces(person.token, form, lambda _: None))


@in_memory
def test_every_format_has_every_change_and_the_balances_add_up(spent: Store, alice: Person) -> None:
    expected = [change_row(entry) for entry in reversed(ledger_of(spent, alice.id))]
    assert json.loads(export(spent, alice, ExportFormat.JSON)) == expected
    lines = export(spent, alice, ExportFormat.JSONL).splitlines()
    assert [json.loads(line) for line in lines] == expected
    rows = list(csv.DictReader(StringIO(export(spent, alice, ExportFormat.CSV), newline="")))
    assert tuple(rows[0]) == CHANGE_COLUMNS
    assert [int(row["number"]) for row in rows] == list(range(len(expected), 0, -1))
    balance = Decimal(0)
    for row in reversed(rows):
        balance += Decimal(row["amount_usd"])
        assert Decimal(row["balance_usd"]) == balance
    remaining = spent.quota.state(alice.token).remaining_micro_usd
    assert balance * MICRO_PER_USD == remaining
    assert sum(row["kind"] == LedgerKind.CALL.value for row in rows) == CALLS


@in_memory
def test_no_text_is_a_formula_and_amounts_stay_numbers(spent: Store, alice: Person) -> None:
    rows = list(csv.DictReader(StringIO(export(spent, alice, ExportFormat.CSV), newline="")))
    added = next(row for row in rows if row["kind"] == LedgerKind.TOP_UP.value)
    assert (added["reason"], added["actor"]) == ("'-2+3", "'=cmd()")
    assert rows[0]["amount_usd"] == "-0.001203"


@in_memory
def test_changes_that_are_made_meanwhile_are_not_in_it(spent: Store, alice: Person) -> None:
    told: list[ExportProgress] = []
    newest = ledger_of(spent, alice.id)[-1].sequence

    def tell(progress: ExportProgress) -> None:
        told.append(progress)
        spend_quota(spent, alice.id, 1)

    pieces = spent.ledger_export.pieces(alice.token, ExportFormat.JSON, tell)
    assert [row["number"] for row in json.loads("".join(pieces))] == list(range(newest, 0, -1))
    assert [progress.rows for progress in told] == [500, 1000, newest]
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert 0.3 < shares[0] < 0.5
    assert shares[-1] == 1.0


def test_an_export_is_recorded_and_is_the_same_for_an_administrator(store: Store, alice: Person, bob: Person) -> None:
    spend_quota(store, bob.id, 1)
    pieces = store.ledger_export.pieces_of(
        alice.id, ExportFormat.CSV, lambda _: None, actor="unix:root", source=COMMAND_LINE
    )
    assert "".join(pieces) == export(store, alice, ExportFormat.CSV)
    assert tags(store, alice.id)[-2:] == [Tag.LEDGER_EXPORTED, Tag.LEDGER_EXPORTED]
    assert Tag.LEDGER_EXPORTED not in tags(store, bob.id)


@in_memory
def test_a_full_disk_leaves_nothing_half(spent: Store, alice: Person, tmp_path: Path) -> None:
    pieces = spent.ledger_export.pieces(alice.token, ExportFormat.CSV, lambda _: None)
    with largest_file(40_000), pytest.raises(InvalidInput, match="is the disk full"):
        NewFiles().write(tmp_path / "ledger.csv", pieces)
    assert list(tmp_path.iterdir()) == []
