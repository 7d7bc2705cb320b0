"""The benchmark of the modules: the account that it fills is one that the store could have written."""

from pathlib import Path

from tests.benchmarks.account_rows import KEYS
from tests.benchmarks.modules import Opening, compare_statements, is_met, openings_table, prepare, statements_table
from tests.harness.ledger_checks import ledger_faults


def test_a_filled_account_adds_up(tmp_path: Path) -> None:
    few, many = prepare(tmp_path / "few", 100), prepare(tmp_path / "many", 2_000)
    with few.store, many.store as store:
        dashboard = store.dashboards.read(many.token, 90)
        assert (dashboard.chosen.now.calls, dashboard.chosen.now.errors) == (2_000, 100)
        assert dashboard.quota.used_micro_usd == dashboard.chosen.now.cost_micro_usd == 2 * 1_900
        assert ledger_faults(store, 1) == []
        assert len(store.api_keys.list(many.token)) == KEYS
        found = compare_statements(few, many, turns=2)
        assert len(statements_table(found, 2_000)) == len(found) + 1


def test_a_module_that_opens_too_late_is_told() -> None:
    quick, slow = [Opening(10.0, 5.0)], [Opening(16.0, 5.0)]
    assert is_met(quick, quick)
    assert not is_met(quick, slow)
    assert openings_table({"wallet": (quick, slow)}, 2_000)[1].endswith("missed")
