"""Many programs start on the same new database at once: one sets it up, and all can use it."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store.errors import DatabaseForeign
from store.sqlite_engine import APPLICATION_ID
from tests.harness.postgres import PostgresServer
from tests.harness.processes import FULL, ProcessGroup, Worker, enter
from tests.harness.stores import add_account, make_store, sqlite_url

NewDatabase = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Makes the URL of a database that nobody has opened yet."""
    made: list[str] = []
    if request.param == "sqlite":

        def new_file() -> str:
            made.append(sqlite_url(tmp_path, f"{len(made)}.sqlite3"))
            return made[-1]

        yield new_file
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")

    def new_on_server() -> str:
        made.append(server.create(migrated=False))
        return made[-1]

    yield new_on_server
    for url in made:
        server.drop(url)


def start(worker: Worker, url: str) -> bool:
    with enter(url).store as store:
        worker.meet()
        return store.accounts.is_empty()


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.long)])
def test_all_first_starts_succeed(processes: ProcessGroup, new_database: NewDatabase, rounds: int) -> None:
    started, database_kind = 0, ""
    for _ in range(rounds):
        url = new_database()
        database_kind = url.partition(":")[0].partition("+")[0]
        started += sum(processes.run(start, url))
    print(f"BAR O5-{database_kind} {rounds} new databases x {FULL} first starts: {started} succeeded")
    assert started == rounds * FULL


def test_a_database_can_be_opened_before_its_first_checkpoint(processes: ProcessGroup, tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    with make_store(url) as store:
        add_account(store)
        header = Path(url.removeprefix("sqlite:///")).read_bytes()[68:72]
        assert int.from_bytes(header, "big") != APPLICATION_ID, "the id is expected to lie in the log alone"
        assert processes.pair(start, url) == [False, False]


def test_a_copy_taken_by_kill_can_be_opened(tmp_path: Path) -> None:
    """The files of a killed first start: the header, and everything else in the log."""
    url = sqlite_url(tmp_path)
    with make_store(url) as store:
        add_account(store)
        left = tmp_path / "left"
        shutil.copytree(tmp_path / "private", left)
    with make_store(f"sqlite:///{left / 'gatekey.sqlite3'}") as store:
        assert not store.accounts.is_empty()


def test_a_file_of_another_program_stays_refused(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    path = Path(url.removeprefix("sqlite:///"))
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (body TEXT)")
    with pytest.raises(DatabaseForeign):
        make_store(url)
