"""Every race runs on both databases, between processes that stay for the whole run."""

from collections.abc import Iterator

import pytest

from tests.harness.fixtures import run_on
from tests.harness.processes import Crew


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run_on(metafunc, "sqlite", "postgresql")


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    """Eight processes for the whole run."""
    crew = Crew()
    yield crew
    crew.close()
