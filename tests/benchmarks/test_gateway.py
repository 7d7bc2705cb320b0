"""A short run of the gateway's benchmark."""

import pytest

from tests.benchmarks import gateway
from tests.benchmarks.gateway import measure, set_up


def test_every_call_of_a_short_run_was_charged_and_measured() -> None:
    """`measure` raises if a call was refused or not charged."""
    with set_up() as setup:
        figures = measure(setup, rounds=1, seconds=0.2, calls=200)
    assert len(figures) == 5
    assert all(figure.value > 0 for figure in figures[:2])
    assert len(gateway.table(figures)) == 6


@pytest.mark.long
def test_every_bar_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    assert gateway.main(["--check"]) == 0, capsys.readouterr().out
