"""Every rule of the store is tested on all three kinds of database it runs on."""

import pytest

from tests.harness.fixtures import run_on


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run_on(metafunc, "memory", "sqlite", "postgresql")
