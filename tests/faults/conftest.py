"""Every fault is tried on both databases."""

import pytest

from tests.harness.postgres import postgres_server
from tests.races.conftest import kind, url

__all__ = ["blow_count", "kind", "postgres_server", "url"]


@pytest.fixture(params=[8, pytest.param(100, marks=pytest.mark.long)])
def blow_count(request: pytest.FixtureRequest) -> int:
    """How often a process is killed in the middle of one act."""
    count: int = request.param
    return count
