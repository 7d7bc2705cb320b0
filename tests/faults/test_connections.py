"""The settings of every connection to an SQLite file, read back from the connection."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection

from store.errors import NameTaken
from store.sqlite_engine import BUSY_TIMEOUT_MS
from store.store import Store
from tests.harness.stores import add_account, make_store, sqlite_url

FULL: Final = 2
MEMORY: Final = 2
EXPECTED: Final = {
    "journal_mode": "wal",
    "synchronous": FULL,
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
    "secure_delete": 1,
    "trusted_schema": 0,
    "temp_store": MEMORY,
}


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path)


def pragmas(connection: Connection) -> dict[str, object]:
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in EXPECTED}


def all_connections(store: Store, count: int = 12) -> list[dict[str, object]]:
    """The pragmas of as many connections as are open at once: those of the pool, and beyond."""
    with ExitStack() as stack:
        open_ones = [stack.enter_context(store.database.read()) for _ in range(count)]
        return [pragmas(connection) for connection in open_ones]


def test_every_connection_has_them(file_url: str) -> None:
    with make_store(file_url) as store:
        found = all_connections(store)
    print(f"BAR O1 {sum(one == EXPECTED for one in found)}/{len(found)} connections as they should be")
    assert found == [EXPECTED] * len(found)


def test_a_writer_has_them_inside_its_transaction(file_url: str) -> None:
    with make_store(file_url) as store, store.database.write() as tx:
        assert pragmas(tx) == EXPECTED


def test_they_survive_what_a_connection_goes_through(file_url: str) -> None:
    """A change of schema puts foreign keys off, a writer its waiting: both come back, also after a failure."""
    with make_store(file_url) as store:
        add_account(store)
        with pytest.raises(NameTaken):
            add_account(store)
        with pytest.raises(NameTaken):
            restructure_and_fail(store)
        assert all_connections(store) == [EXPECTED] * 12


def restructure_and_fail(store: Store) -> None:
    with store.database.restructure() as tx:
        assert tx.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 0
        raise NameTaken


def test_a_writer_is_one_from_its_start(file_url: str) -> None:
    """Before it has written anything, nobody else can begin to write."""
    with ExitStack() as stack:
        store = stack.enter_context(make_store(file_url))
        stack.enter_context(store.database.write())
        other = stack.enter_context(closing(sqlite3.connect(file_url.removeprefix("sqlite:///"), timeout=0)))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
