"""Every fault is tried on both databases."""

import pytest

from tests.harness.fixtures import run_on


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run_on(metafunc, "sqlite", "postgresql")


@pytest.fixture(params=[8, pytest.param(100, marks=pytest.mark.long)])
def kill_count(request: pytest.FixtureRequest) -> int:
    """The number of kills in the middle of one act."""
    count: int = request.param
    return count
