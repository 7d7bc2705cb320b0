"""The fixtures that every room of the tests shares."""

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import delete

from store import schema
from store.context import Context
from store.database import Database
from store.key_check import check_ring
from store.models import METADATA
from store.store import Store, assemble
from tests.harness.brief_run import is_brief, one_kind
from tests.harness.people import Person
from tests.harness.postgres import PostgresServer, running_server
from tests.harness.processes import ProcessGroup
from tests.harness.stores import (
    StillClock,
    add_account,
    cheap_hasher,
    estimate_once,
    make_ring,
    make_store,
    sign_in,
    sqlite_url,
)

URLS: Final = {"sqlite": "file_url", "postgresql": "postgres_url"}
"""The fixture with a database of one test, by kind of database."""


in_memory: Final = pytest.mark.parametrize("database_kind", ["memory"], indirect=True)
"""Marks a rule that no SQL carries: its cases run once, not on every kind of database."""


def run_on(metafunc: pytest.Metafunc, *kinds: str) -> None:
    """Run a test that uses `database_kind`, or a fixture built on it, once on each of these kinds of database.

    A test that names its kinds itself, with `parametrize("database_kind", ..., indirect=True)`, keeps them. One that
    asks for `url` does not run in memory.
    """
    marks = metafunc.definition.iter_markers("parametrize")
    if "database_kind" in metafunc.fixturenames and all(mark.args[0] != "database_kind" for mark in marks):
        has_url = "url" in metafunc.fixturenames
        possible = [kind for kind in kinds if kind in URLS or not has_url]
        asked = one_kind(possible) if is_brief(metafunc.config) else possible
        metafunc.parametrize("database_kind", asked, indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """The kind of the test's database: `memory`, `sqlite` (a file) or `postgresql`."""
    return str(getattr(request, "param", "memory"))


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the run (under xdist: for each worker)."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database on PostgreSQL of one test, with the current schema."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database on PostgreSQL without a table in it."""
    with postgres_server.database(migrated=False) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database file that does not exist yet, then a database on PostgreSQL without a table in it."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path, "empty.sqlite3")
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture(scope="session")
def processes() -> Iterator[ProcessGroup]:
    """Eight processes for the whole run."""
    with closing(ProcessGroup()) as group:
        yield group


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the current schema and nobody in it; migrating one costs more than most tests."""
    url = sqlite_url(tmp_path_factory.mktemp("template"))
    make_store(url).close()
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def file_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A database file of one test."""
    url = sqlite_url(tmp_path)
    path = Path(url.removeprefix("sqlite:///"))
    shutil.copyfile(sqlite_template, path)
    path.chmod(0o600)
    return url


@pytest.fixture
def url(database_kind: str, request: pytest.FixtureRequest) -> str:
    """A database of one test, of its kind."""
    return str(request.getfixturevalue(URLS[database_kind]))


@pytest.fixture(scope="session")
def shared_postgres(postgres_server: PostgresServer) -> Iterator[Database]:
    """The run's database on PostgreSQL: making one for each test would cost more than most tests."""
    with postgres_server.database() as url:
        database = Database(url)
        yield database
        database.close()


@pytest.fixture(scope="session")
def shared_memory() -> Iterator[Database]:
    """The run's database in memory; an engine that is kept compiles each statement once."""
    database = Database("sqlite://")
    schema.create_in_memory(database)
    yield database
    database.close()


@pytest.fixture
def store(database_kind: str, request: pytest.FixtureRequest, clock: StillClock) -> Iterator[Store]:
    """An empty store: on `url` where the test asks for that too or for a file, else on the database that all share."""
    if database_kind == "sqlite" or "url" in request.fixturenames:
        with make_store(request.getfixturevalue("url"), clock=clock) as store:
            yield store
    else:
        yield request.getfixturevalue({"memory": "memory_store", "postgresql": "postgres_store"}[database_kind])


@pytest.fixture
def memory_store(shared_memory: Database, clock: StillClock) -> Store:
    """An empty store in memory, for what does not depend on the kind of database."""
    schema.create_in_memory(shared_memory)  # replaces what there was: see `schema_in_memory`
    return _assembled(shared_memory, clock)


@pytest.fixture
def postgres_store(shared_postgres: Database, clock: StillClock) -> Store:
    """An empty store on PostgreSQL, for what only two writers at once can show."""
    with shared_postgres.write() as tx:
        for table in reversed(METADATA.sorted_tables):
            tx.execute(delete(table))
    return _assembled(shared_postgres, clock)


@pytest.fixture
def alice(store: Store) -> Person:
    """A user with five dollars, signed in, who has just proved who she is."""
    info = add_account(store)
    return Person(info.id, info.name, sign_in(store))


@pytest.fixture
def bob(store: Store) -> Person:
    """A second user like `alice`, signed in at another terminal."""
    info = add_account(store, "bob", email="bob@example.com")
    return Person(info.id, info.name, sign_in(store, "bob", source="pts/1"))


def _assembled(database: Database, clock: StillClock) -> Store:
    context = Context(
        database=database,
        clock=clock,
        rng=random.Random(1),
        ring=make_ring(),
        hasher=cheap_hasher(),
        estimator=estimate_once,
    )
    check_ring(database, context.ring)
    return assemble(context)
