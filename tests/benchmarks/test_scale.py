"""Short runs of the benchmarks that stand behind docs/scale.md."""

import pytest

from tests.benchmarks import scale_flushes, scale_replica
from tests.benchmarks.scale_replica_reads import behind, read_costs


def test_each_call_of_one_client_is_a_flush() -> None:
    for row in scale_flushes.measure(1, clients=[1], delays_us=[0]):
        assert row.run.calls > 0
        # The server's own processes flush, too.
        assert row.run.calls <= row.flushes.number < 2 * row.run.calls + 20


def test_what_is_booked_on_the_primary_comes_to_the_standby() -> None:
    with scale_replica.paired(rows=500) as pair:
        found = behind(pair.on_primary, pair.on_standby, 0.2)
        assert found.asked == len(found.sizes) > 0
        assert 0 <= found.missed <= found.asked
        assert len(list(read_costs(pair.on_primary, pair.on_standby, 0.1))) == 3


@pytest.mark.long
def test_all_of_the_replica_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    scale_replica.main(["--seconds", "2"])
    refused, done = capsys.readouterr().out.splitlines()[-2:]
    assert "conflict with recovery" in refused
    assert "hot_standby_feedback = on: done" in done
