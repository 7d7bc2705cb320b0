"""Write transactions on the connection that the gateway's writer keeps commit, roll back and fail as others do."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection, event, insert, select

from store.compiled_statement import CompiledStatement
from store.database import Database
from store.errors import AlreadySettled, DatabaseBusy, DatabaseForeign, DatabaseRefused, DatabaseUnreachable
from store.models import SiteSetting
from store.store import Store
from tests.harness.stores import START, make_store, sqlite_url

FULL: Final = (2,)
NORMAL: Final = (1,)
_INSERT: Final = CompiledStatement(insert(SiteSetting), columns=("name", "value", "updated_at"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with make_store(sqlite_url(tmp_path)) as store:
        yield store


@pytest.fixture
def database(store: Store) -> Database:
    return store.database


@pytest.fixture
def kept(database: Database) -> Iterator[Connection]:
    with database.connect() as connection:
        assert database._has_kept
        yield connection


def driver_of(kept: Connection) -> sqlite3.Connection:
    driver: Any = kept.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def synchronous(kept: Connection) -> tuple[int]:
    row: tuple[int] = driver_of(kept).execute("PRAGMA synchronous").fetchone()
    return row


def note(tx: Connection, name: str, *, is_compiled: bool) -> None:
    row = {"name": name, "value": "1", "updated_at": START}
    if is_compiled:
        _INSERT.change(tx, row)
    else:
        tx.execute(insert(SiteSetting), row)


def noted(database: Database) -> set[str]:
    with database.read() as tx:
        return set(tx.execute(select(SiteSetting.c.name)).scalars())


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("kinds", ["c", "s", "cs", "sc", ""])
def test_all_statements_are_committed(database: Database, kept: Connection, durable: bool, kinds: str) -> None:
    for turn in range(2):
        with database.write(durable=durable, on=kept) as tx:
            assert synchronous(kept) == (FULL if durable else NORMAL)
            for kind in kinds:
                note(tx, f"{kind}{turn}", is_compiled=kind == "c")
        assert not driver_of(kept).in_transaction
        assert not kept.in_transaction()
        assert synchronous(kept) == FULL
    assert noted(database) >= {f"{kind}{turn}" for kind in kinds for turn in range(2)}


@pytest.mark.parametrize("raised", [AlreadySettled, KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("kinds", ["c", "s", "cs", "sc"])
def test_an_error_takes_all_of_them_back(
    database: Database, kept: Connection, raised: type[BaseException], kinds: str
) -> None:
    before, error = noted(database), raised()

    def fail() -> None:
        with database.write(durable=False, on=kept) as tx:
            for kind in kinds:
                note(tx, kind, is_compiled=kind == "c")
            raise error

    with pytest.raises(raised) as caught:
        fail()
    assert caught.value is error
    assert noted(database) == before
    assert synchronous(kept) == FULL
    with database.write(on=kept) as tx:
        note(tx, "later", is_compiled=True)
    assert "later" in noted(database)


def test_the_errors_of_the_driver_are_the_stores(database: Database, kept: Connection) -> None:
    def run(statement: str, *, is_compiled: bool) -> None:
        with database.write(on=kept) as tx:
            if is_compiled:
                driver_of(kept).execute(statement)
            else:
                tx.exec_driver_sql(statement)

    for is_compiled in (False, True):
        with pytest.raises(DatabaseForeign):
            run("SELECT 1 FROM nowhere", is_compiled=is_compiled)
        with pytest.raises(DatabaseRefused):
            run("INSERT INTO quotas (account_id) VALUES (99)", is_compiled=is_compiled)
    assert not driver_of(kept).in_transaction


@pytest.mark.parametrize("is_compiled", [False, True])
def test_a_commit_that_is_refused_changes_nothing_and_the_next_is_made(
    database: Database, kept: Connection, is_compiled: bool
) -> None:
    """A deferred constraint is checked at the end."""

    def orphan() -> None:
        with database.write(durable=False, on=kept) as tx:
            driver_of(kept).execute("PRAGMA defer_foreign_keys=ON")
            statement = "INSERT INTO unpriced_models VALUES (99, 'gpt', 1, '2026-01-01 00:00:00.000000')"
            if is_compiled:
                driver_of(kept).execute(statement)
            else:
                tx.exec_driver_sql(statement)

    with pytest.raises(DatabaseRefused):
        orphan()
    assert not driver_of(kept).in_transaction
    assert synchronous(kept) == FULL
    with database.look(on=kept) as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM unpriced_models").scalar_one() == 0
    with database.write(on=kept) as tx:
        note(tx, "later", is_compiled=is_compiled)
    assert "later" in noted(database)


def test_what_is_done_before_a_commit_may_refuse_it(
    database: Database, kept: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_tx: Connection) -> None:
        raise DatabaseBusy

    monkeypatch.setattr(database, "before_commit", refuse)

    def write() -> None:
        with database.write(durable=False, on=kept) as tx:
            note(tx, "refused", is_compiled=True)

    with pytest.raises(DatabaseBusy):
        write()
    assert "refused" not in noted(database)
    assert synchronous(kept) == FULL


def test_a_lock_that_another_program_keeps_is_busy(database: Database, kept: Connection) -> None:
    def write() -> None:
        with database.write(durable=False, lock_timeout_s=0, on=kept):
            pytest.fail("the lock was taken twice")

    with database.write():
        with pytest.raises(DatabaseBusy):
            write()
        assert synchronous(kept) == FULL
    with database.write(lock_timeout_s=0, on=kept) as tx:
        note(tx, "later", is_compiled=True)
    assert "later" in noted(database)


def test_a_connection_that_was_closed_says_so(database: Database) -> None:
    with database.connect() as kept:
        driver_of(kept).close()
        with pytest.raises(DatabaseRefused), database.write(durable=False, on=kept):
            pytest.fail("a closed connection took a transaction")


def test_a_closed_database_takes_no_transaction(tmp_path: Path) -> None:
    with make_store(sqlite_url(tmp_path)) as store:
        kept = store.database.connect()
        store.database.close()
        with pytest.raises(DatabaseUnreachable), store.database.write(on=kept):
            pytest.fail("a closed database took a transaction")
        kept.close()


def test_the_audit_log_counts_what_such_a_transaction_records(store: Store, kept: Connection) -> None:
    heard = list[Connection]()
    before = store.database.before_commit
    assert before is not None

    def listen(tx: Connection) -> None:
        heard.append(tx)
        before(tx)

    store.database.before_commit = listen
    with store.database.write(on=kept):
        pass
    assert heard == [kept]


def test_sqlalchemy_believes_in_no_transaction_that_the_driver_ended(database: Database, kept: Connection) -> None:
    """Else its next commit would commit nothing, or those of the pool would wait."""
    commits = list[Connection]()
    event.listen(kept, "commit", commits.append)
    with database.write(on=kept) as tx:
        note(tx, "by the driver", is_compiled=True)
    assert commits == []
    with database.write(on=kept) as tx:
        note(tx, "by SQLAlchemy", is_compiled=False)
    assert commits == [kept]
    assert noted(database) >= {"by the driver", "by SQLAlchemy"}
