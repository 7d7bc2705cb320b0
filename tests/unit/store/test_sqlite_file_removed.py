"""A database file that is taken away while it is open: SQLite would go on writing to what nobody can read again."""

from pathlib import Path

import pytest

from store.errors import DatabaseUnreachable
from tests.harness.stores import add_account, make_store, sign_in, sqlite_url


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return Path(sqlite_url(tmp_path).removeprefix("sqlite:///"))


def test_nothing_is_written_to_a_file_that_was_removed(database: Path) -> None:
    store = make_store(f"sqlite:///{database}")
    add_account(store)
    token = sign_in(store)
    aside = database.with_name("aside")
    database.rename(aside)
    with pytest.raises(DatabaseUnreachable, match="removed or replaced"):
        store.access_token.generate(token)
    with pytest.raises(DatabaseUnreachable, match="removed or replaced"):
        store.sessions.whoami(token)
    assert not database.exists(), "asking made a new, empty file"

    aside.rename(database)
    assert store.access_token.generate(token).token
    store.close()


def test_nothing_is_written_to_a_file_that_was_replaced(database: Path) -> None:
    store = make_store(f"sqlite:///{database}")
    add_account(store)
    token = sign_in(store)
    copy = database.with_name("copy")
    copy.write_bytes(database.read_bytes())
    copy.replace(database)
    with pytest.raises(DatabaseUnreachable, match="removed or replaced"):
        store.access_token.generate(token)
    store.close()
