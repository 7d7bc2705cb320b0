"""Every rule of the store is tested on all three kinds of database it runs on."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from store import schema
from store.context import Context
from store.database import Database
from store.key_check import check_ring
from store.models import Base
from store.store import Store, assemble
from tests.harness.people import Person
from tests.harness.postgres import PostgresServer, postgres_server
from tests.harness.stores import StillClock, add_account, cheap_hasher, make_ring, make_store, sqlite_url
from tests.harness.stores import sign_in as signed_in

__all__ = ["postgres_server"]


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the current schema and nobody in it; migrating one costs more than most tests."""
    url = sqlite_url(tmp_path_factory.mktemp("template"))
    make_store(url).close()
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def file_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A database file of its own for one test."""
    url = sqlite_url(tmp_path)
    path = Path(url.removeprefix("sqlite:///"))
    shutil.copyfile(sqlite_template, path)
    path.chmod(0o600)
    return url


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


@pytest.fixture(params=["memory", "file", "postgresql"])
def store(request: pytest.FixtureRequest, clock: StillClock) -> Iterator[Store]:
    """An empty store; the test runs once on each kind of database."""
    if request.param == "file":
        with make_store(request.getfixturevalue("file_url"), clock=clock) as store:
            yield store
    else:
        name = "shared_memory" if request.param == "memory" else "shared_postgres"
        yield on_shared(request.getfixturevalue(name), clock)


@pytest.fixture
def postgres_store(shared_postgres: Database, clock: StillClock) -> Store:
    """An empty store on PostgreSQL, for what only two writers at once can show."""
    return on_shared(shared_postgres, clock)


@pytest.fixture
def memory_store(shared_memory: Database, clock: StillClock) -> Store:
    """An empty store in memory, for what does not depend on the kind of database."""
    return on_shared(shared_memory, clock)


def on_shared(database: Database, clock: StillClock) -> Store:
    """A store on a database that other tests used before, emptied."""
    with database.write() as tx:
        for table in reversed(Base.metadata.sorted_tables):
            tx.execute(delete(table))
    context = Context(database=database, clock=clock, rng=random.Random(1), ring=make_ring(), hasher=cheap_hasher())
    check_ring(database, context.ring)
    return assemble(context)


@pytest.fixture
def alice(store: Store) -> Person:
    """A user with five dollars, signed in, who has just proved who she is."""
    info = add_account(store)
    return Person(info.id, info.name, signed_in(store))


@pytest.fixture
def bob(store: Store) -> Person:
    info = add_account(store, "bob", email="bob@example.com")
    return Person(info.id, info.name, signed_in(store, "bob", source="pts/1"))
