"""Every race runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.store import Store
from tests.harness.postgres import PostgresServer, postgres_server
from tests.harness.processes import Crew
from tests.harness.stores import make_store, sqlite_url

__all__ = ["postgres_server"]


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    """Eight processes for the whole run."""
    crew = Crew()
    yield crew
    crew.close()


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database on PostgreSQL without a table in it."""
    with postgres_server.database(migrated=False) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of one test, on each kind of server."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as postgres_url:
        yield postgres_url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The store that sets the race up and counts afterwards."""
    with make_store(url) as store:
        yield store


@pytest.fixture
def kind(url: str) -> str:
    """Which database the race ran on, for the figure."""
    return url.partition(":")[0].partition("+")[0]
