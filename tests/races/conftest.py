"""Every race runs on both databases, between processes that stay for the whole run."""

import pytest

from tests.harness.fixtures import run_on


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run_on(metafunc, "sqlite", "postgresql")
