"""The store's benchmark keeps comparing like with like."""

from pathlib import Path

import pytest

from tests.benchmarks import store
from tests.benchmarks.store_statements import compare_statements
from tests.benchmarks.store_usage_log import compare_pages


def test_both_sides_run_the_same_statements(tmp_path: Path) -> None:
    """It raises if they do not."""
    assert [found.what for found in compare_statements(tmp_path, turns=4)] == ["settings save", "access token lookup"]


def test_the_pages_of_a_log_are_full(tmp_path: Path) -> None:
    found = compare_pages(tmp_path, turns=2, rows=2000)
    assert [comparison.what for comparison in found][-1] == "usage log, page 20 of 2,000"


@pytest.mark.long
def test_every_bar_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    assert store.main(["--check"]) == 0, capsys.readouterr().out
