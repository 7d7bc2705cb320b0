"""The benchmark of the filters of the usage log: it reads what it says, and at full size every bar is met."""

from pathlib import Path

import pytest

from tests.benchmarks import store_usage_filters
from tests.benchmarks.store_usage_filters import export, measure, table
from tests.benchmarks.store_usage_log import Log


def test_each_filter_finds_what_it_is_for(tmp_path: Path) -> None:
    rows = 20_000
    log = Log(tmp_path / "log", rows)
    with log.store as store:
        found = {timed.what: timed for timed in measure(store, log.token, rows, turns=2)}
        assert {name: timed.entries for name, timed in found.items() if name.endswith("newest")} == {
            **{f"{name}, newest": 50 for name in store_usage_filters.filters(rows)},
            "ip, newest": 17,
            "model and status, newest": 43,
            "model and key until, newest": 43,
            "a model that is absent, newest": 0,
            "kind and status, no match, newest": 0,
        }
        assert len(table(list(found.values()))) == len(found) + 1
        assert export(store, log.token, tmp_path).startswith("export of 10,000 rows: ")


@pytest.mark.long
def test_every_filter_of_ten_million_rows_is_fast(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        assert store_usage_filters.main(["--rows", "10000000", "--export"]) == 0
