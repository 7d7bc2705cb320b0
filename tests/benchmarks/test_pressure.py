"""One client's worst, and what the others feel of it."""

import pytest

from tests.benchmarks import pressure


@pytest.mark.long
def test_the_others_are_served_whatever_one_client_does() -> None:
    for felt in pressure.main():
        assert felt.failures == 0, felt
        # Ten million empty lists or objects take 0.8 GiB, in a process that gives them back.
        assert felt.memory < (2048 if "large answer" in felt.attack else 1024), felt
        assert felt.logged < 1024 * 1024, felt
