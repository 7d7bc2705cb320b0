"""The traces of a deletion on the disk, and the vacuum that removes them."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from store.store import Store
from store.vacuum import vacuum
from tests.harness.people import Person
from tests.harness.postgres import PostgresServer
from tests.harness.stores import add_account, make_store, sign_in

NAME = "alexandrina"


def files_with(server: PostgresServer, store: Store, value: str) -> list[Path]:
    """The files of this database that hold `value`, once everything in memory was written."""
    with psycopg.connect(f"host={server.folder} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    with store.database.read() as tx:
        oid = tx.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
    folder = Path(str(row[0]), "base", str(oid))
    return [path for path in folder.iterdir() if value.encode() in path.read_bytes()]


def test_postgresql_keeps_old_rows_until_the_vacuum(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, make_store(url) as store:
        add_account(store, NAME, email="x@example.com")
        token = sign_in(store, NAME)
        assert store.deletion.refuse_if_protected(token)
        assert not store.deletion.delete(token, NAME).is_off_disk
        left = files_with(postgres_server, store, NAME)
        assert left, "that is what the sentence warns of"
        assert vacuum(store.database)
        assert files_with(postgres_server, store, NAME) == []
        print(f"files with the name of a deleted account: {len(left)} before the vacuum, 0 after")
        with store.database.read() as tx:
            assert store.audit.verify_all(tx).is_intact


@pytest.mark.parametrize("database_kind", ["memory", "sqlite"], indirect=True)
def test_sqlite_keeps_nothing(store: Store, alice: Person) -> None:
    assert not store.deletion.refuse_if_protected(alice.token)
    assert store.deletion.delete(alice.token, "alice").is_off_disk
    assert vacuum(store.database)
