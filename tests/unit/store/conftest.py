"""Every rule of the store is tested on all three kinds of database it runs on."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from store.models import Base
from store.store import Store
from tests.postgres import PostgresServer, postgres_server
from tests.stores import StillClock, add_account, make_store, sqlite_url
from tests.stores import sign_in as signed_in
from tests.unit.store.acts import Person

__all__ = ["postgres_server"]

MakeUrl = Callable[[str], str]


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
def shared_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def emptied_postgres_url(shared_postgres_url: str) -> str:
    """The run's database on PostgreSQL, emptied: making a new one costs more than most tests."""
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    engine = create_engine(shared_postgres_url)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return shared_postgres_url


@pytest.fixture(params=["memory", "file", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Where the store of this test lies: the test runs once for each kind."""
    match request.param:
        case "memory":
            return "sqlite://"
        case "file":
            return str(request.getfixturevalue("file_url"))
        case _:
            return str(request.getfixturevalue("emptied_postgres_url"))


@pytest.fixture
def store(url: str, clock: StillClock) -> Iterator[Store]:
    """An empty store on each kind of database."""
    with make_store(url, clock=clock) as store:
        yield store


@pytest.fixture
def memory_store(clock: StillClock) -> Iterator[Store]:
    """A store in memory, for what does not depend on the kind of database."""
    with make_store(clock=clock) as store:
        yield store


@pytest.fixture
def alice(store: Store) -> Person:
    """A user with five dollars, signed in, who has just proved who she is."""
    info = add_account(store)
    return Person(info.id, info.name, signed_in(store))


@pytest.fixture
def bob(store: Store) -> Person:
    info = add_account(store, "bob", email="bob@example.com")
    return Person(info.id, info.name, signed_in(store, "bob", source="pts/1"))
