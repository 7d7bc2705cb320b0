"""The schema: migrations make what the models say, and a database of another version is left alone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect, select, text
from sqlalchemy.dialects import sqlite

from store import schema
from store.database import Database
from store.errors import DatabaseForeign, DatabaseRefused, SchemaTooNew, SchemaTooOld
from store.models import METADATA, Account, Price, Reservation, UsageDay, UsageTotal, UtcDateTime
from store.revisions import revisions, schema_revision
from store.sqlite_engine import APPLICATION_ID
from store.store import Store, prepare
from tests.harness.people import contents
from tests.harness.stores import START, add_account, make_store, sqlite_url


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    """A database without a table in it."""
    with closing(Database(empty_url)) as database:
        yield database


def set_revision(database: Database, value: str) -> None:
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :value"), {"value": value})


def tables(database: Database) -> set[str]:
    """The tables, without the partitions that PostgreSQL has of one."""
    with database.read() as tx:
        return set(inspect(tx).get_table_names()) - partitions(database)


def partitions(database: Database) -> set[str]:
    if not database.is_postgresql:
        return set()
    with database.read() as tx:
        return set(tx.execute(text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")).scalars())


def differences(database: Database) -> list[object]:
    """The differences between the models and `database`."""
    parts = partitions(database)
    options = {"include_name": lambda name, kind, _: kind != "table" or name not in parts}
    with database.read() as tx:
        return list(compare_metadata(MigrationContext.configure(tx, opts=options), METADATA))


def never_used_again(database: Database) -> set[str]:
    """The tables whose ids SQLite does not give out twice; the comparison of schemas does not see that."""
    with database.read() as tx:
        return set(tx.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")).scalars())


# -- what migrations make ---------------------------------------------------------------------------------------


def test_migrations_make_what_the_models_say(empty: Database) -> None:
    assert schema.upgrade(empty) is None
    assert differences(empty) == []
    with empty.read() as tx:
        assert schema.revision(tx) == schema_revision()
        schema.check(tx)
    assert tables(empty) == {table.name for table in METADATA.sorted_tables} | {"alembic_version"}


def test_in_memory_it_is_the_same(empty: Database) -> None:
    memory = Database("sqlite://")
    prepare(memory, create=True)
    schema.upgrade(empty)
    assert differences(memory) == []
    with memory.read() as tx:
        assert schema.revision(tx) == schema_revision()
    assert tables(memory) == tables(empty)
    if not empty.is_postgresql:
        assert never_used_again(memory) == never_used_again(empty) >= {"accounts", "reservations", "sessions"}
    memory.close()


def test_the_revisions_are_those_in_the_folder() -> None:
    scripts = ScriptDirectory(str(Path(schema.__file__).with_name("migrations")))
    in_folder = tuple(script.revision for script in scripts.walk_revisions())[::-1]
    assert in_folder == revisions()
    assert in_folder[-1] == schema_revision()


def test_an_sqlite_file_carries_our_id(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    make_store(url).close()
    header = Path(url.removeprefix("sqlite:///")).read_bytes()[:100]
    assert header[68:72] == APPLICATION_ID.to_bytes(4, "big") == b"GKEY"


# -- versions ---------------------------------------------------------------------------------------------------


def test_an_upgrade_of_the_current_schema_does_nothing(empty: Database) -> None:
    schema.upgrade(empty)
    assert schema.upgrade(empty) == schema_revision()


def test_a_newer_schema_is_left_alone(empty: Database) -> None:
    schema.upgrade(empty)
    set_revision(empty, "9999")
    with pytest.raises(SchemaTooNew, match="made by a newer Gatekey"):
        schema.upgrade(empty)
    with pytest.raises(SchemaTooNew):
        prepare(empty, create=True)
    with empty.read() as tx:
        assert schema.revision(tx) == "9999"


def test_an_older_schema_asks_for_an_upgrade(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    schema.upgrade(empty)
    set_revision(empty, "0000")
    monkeypatch.setattr(schema, "revisions", lambda: ("0000", schema_revision()))
    with pytest.raises(SchemaTooOld, match="gatekey admin upgrade"):
        prepare(empty, create=True)
    with empty.read() as tx:
        assert schema.revision(tx) == "0000"


def test_an_empty_database_is_too_old_unless_it_may_be_set_up(empty: Database) -> None:
    with pytest.raises(SchemaTooOld):
        prepare(empty, create=False)
    assert tables(empty) == set()


def test_a_version_table_without_a_version_is_refused(empty: Database) -> None:
    schema.upgrade(empty)
    with empty.write() as tx:
        tx.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(SchemaTooOld):
        prepare(empty, create=False)


def test_another_programs_tables_are_left_alone(empty: Database) -> None:
    with empty.write() as tx:
        tx.execute(text("CREATE TABLE recipes (id INTEGER)"))
    with pytest.raises(DatabaseForeign):
        prepare(empty, create=True)
    with pytest.raises(DatabaseForeign):
        schema.upgrade(empty)
    assert tables(empty) == {"recipes"}


def test_a_failed_upgrade_leaves_nothing(empty: Database) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "usage_log" in statement:
            raise Interrupted

    event.listen(empty.engine, "before_cursor_execute", interrupt)
    with pytest.raises(Interrupted):
        schema.upgrade(empty)
    event.remove(empty.engine, "before_cursor_execute", interrupt)
    assert tables(empty) == set()
    schema.upgrade(empty)
    assert "usage_log" in tables(empty)


def test_a_change_of_schema_never_leaves_orphans(file_url: str) -> None:
    with make_store(file_url) as store:
        add_account(store)
        before = contents(store)
        with pytest.raises(DatabaseRefused, match="without what they refer to"), store.database.restructure() as tx:
            tx.execute(text("DELETE FROM accounts"))
        assert contents(store) == before
        with store.database.read() as tx:
            assert tx.execute(text("PRAGMA foreign_keys")).scalar() == 1


def begin_at(revision: str, empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create the schema as it was at `revision`, with one account."""
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "schema_revision", lambda: revision)
        schema.upgrade(empty)
    with empty.write() as tx:
        tx.execute(
            text(
                "INSERT INTO accounts (id, name, name_key, email, role, auth_epoch, user_handle, created_at)"
                " VALUES (1, 'a', 'a', 'a@example.com', 'user', 1, :handle, '2026-01-01')"
            ),
            {"handle": b"1"},
        )


def test_an_upgrade_of_the_first_schema_keeps_prices_and_what_is_held(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_at("0001", empty, monkeypatch)
    with empty.write() as tx:
        tx.execute(
            text(
                "INSERT INTO reservations (id, account_id, held_micro_usd, created_at) VALUES (7, 1, 60, '2026-01-01')"
            )
        )
        for model, price in (("gpt-5", 2), ("GPT-5", 9), ("Gpt-5", 9), ("Straße", 1)):
            tx.execute(
                text(
                    "INSERT INTO prices (model, input_micro_usd_per_million, output_micro_usd_per_million,"
                    " request_micro_usd, updated_at) VALUES (:model, 1, :price, 3, '2026-01-01')"
                ),
                {"model": model, "price": price},
            )
    assert schema.upgrade(empty) == "0001"
    with empty.read() as tx:
        prices = select(
            Price.c.model, Price.c.model_key, Price.c.output_micro_usd_per_million, Price.c.max_output_tokens
        )
        assert {tuple(row) for row in tx.execute(prices)} == {
            ("gpt-5", None, 2, None),
            ("Gpt-5", None, 9, None),
            ("GPT-5", "gpt-5", 9, None),
            ("Straße", "strasse", 1, None),
        }
        held = select(Reservation.c.id, Reservation.c.held_micro_usd, Reservation.c.settled_at)
        assert [tuple(row) for row in tx.execute(held)] == [(7, 60, None)]


def test_an_upgrade_counts_the_calls_of_each_day_and_finds_its_entries(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_at("0005", empty, monkeypatch)
    with empty.write() as tx:
        for kind, model, key, day, tokens, cost in (
            ("error", "m", "k", "2026-01-02", 0, 0),
            ("error", "m", "", "2026-01-02", 0, 0),
            ("consumption", "m", "k", "2026-01-02", 5, 70),
            ("consumption", "m", "k", "2026-01-03", 5, 70),
        ):
            tx.execute(
                text(
                    "INSERT INTO usage_log (account_id, kind, at, model, api_key_name, request_id, status, detail,"
                    " prompt_tokens, completion_tokens, cost_micro_usd, duration_ms, unpriced)"
                    " VALUES (1, :kind, :at, :model, :key, '', '', '', :tokens, 0, :cost, 0, :unpriced)"
                ),
                {
                    "kind": kind,
                    "at": f"{day} 10:00:00+00:00" if empty.is_postgresql else f"{day} 10:00:00.000000",
                    "model": model,
                    "key": key,
                    "tokens": tokens,
                    "cost": cost,
                    "unpriced": False,
                },
            )
        for day, calls, errors, tokens, cost in (
            ("2026-01-01", 3, 1, 9, 11),  # its entries were deleted
            ("2026-01-02", 61, 60, 5, 70),
            ("2026-01-03", 1, 0, 5, 70),
        ):
            tx.execute(
                text("INSERT INTO usage_days VALUES (1, :day, :calls, :errors, :tokens, :cost)"),
                {"day": day, "calls": calls, "errors": errors, "tokens": tokens, "cost": cost},
            )
    assert schema.upgrade(empty) == "0005"
    with empty.read() as tx:
        assert {tuple(row)[1:] for row in tx.execute(select(UsageTotal))} == {
            ("2026-01-01", "", "", 3, 1, 9, 11),
            ("2026-01-02", "", "k", 1, 1, 0, 0),
            ("2026-01-02", "", "", 59, 59, 0, 0),
            ("2026-01-02", "m", "k", 1, 0, 5, 70),
            ("2026-01-03", "m", "k", 1, 0, 5, 70),
        }
        days = select(UsageDay.c.day, UsageDay.c.first_entry_id, UsageDay.c.last_entry_id, UsageDay.c.set_back_ms)
        assert {tuple(row) for row in tx.execute(days)} == {
            ("2026-01-01", None, None, None),
            ("2026-01-02", 1, 3, None),
            ("2026-01-03", 4, 4, None),
        }


# -- backups ----------------------------------------------------------------------------------------------------


def test_a_backup_is_whole_and_private(file_url: str, tmp_path: Path) -> None:
    with make_store(file_url) as store:
        add_account(store)
        copy = schema.back_up(store.database, tmp_path / "private", START)
        before = contents(store)
    assert copy is not None
    assert copy.name == "gatekey-20261123T120000000000.backup.sqlite3"
    assert copy.stat().st_mode & 0o777 == 0o600
    with make_store(f"sqlite:///{copy}") as restored:
        assert contents(restored) == before


def test_a_backup_never_touches_one_that_is_there(file_url: str, tmp_path: Path) -> None:
    with make_store(file_url) as store:
        copy = schema.back_up(store.database, tmp_path / "private", START)
        assert copy is not None
        content = copy.read_bytes()
        with pytest.raises(DatabaseRefused, match=r"could not be made\. Nothing was changed"):
            schema.back_up(store.database, tmp_path / "private", START)
        assert copy.read_bytes() == content
        assert schema.back_up(store.database, tmp_path / "private", START + timedelta(microseconds=1)) is not None


def test_a_backup_that_fails_leaves_no_half_file(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    path = Path(url.removeprefix("sqlite:///"))
    path.write_bytes(b"not a database, and longer than a header" * 10)
    with pytest.raises(DatabaseRefused):
        schema.back_up(Database(url), path.parent, START)
    with pytest.raises(DatabaseRefused):
        schema.back_up(Database(url), path.parent / "missing", START)
    assert list(path.parent.iterdir()) == [path]


def test_other_databases_are_backed_up_by_their_own_means(postgres_store: Store, memory_store: Store) -> None:
    for store in (postgres_store, memory_store):
        assert schema.back_up(store.database, Path("/nowhere"), START) is None


def test_a_backup_while_others_write(file_url: str, tmp_path: Path) -> None:
    with make_store(file_url) as store, store.database.write() as tx:
        tx.execute(text("INSERT INTO tombstones VALUES ('x', '2026-01-01')"))
        copy = schema.back_up(store.database, tmp_path / "private", START)
    assert copy is not None
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM tombstones").fetchone() == (0,)


# -- columns ----------------------------------------------------------------------------------------------------


def test_time_comes_back_in_utc(store: Store) -> None:
    east = datetime(2026, 11, 23, 14, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    store.context.clock.time = east  # type: ignore[attr-defined]  # the tests' clock can be set
    add_account(store)
    with store.database.read() as tx:
        kept = tx.execute(select(Account.c.created_at)).scalar_one()
    assert kept == east
    assert kept.tzinfo is UTC


def test_time_without_a_zone_is_refused(memory_store: Store) -> None:
    dialect = memory_store.database.engine.dialect
    with pytest.raises(ValueError, match="without a zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), dialect)  # noqa: DTZ001 - the point of the test
    assert UtcDateTime().process_bind_param(None, dialect) is None
    assert UtcDateTime().process_result_value(None, dialect) is None


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 27, 1, 2, 3, 4, tzinfo=UTC),
        datetime(2026, 11, 27, tzinfo=UTC),
        datetime(1, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 27, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_sqlite_keeps_times_in_the_text_of_sqlalchemy(moment: datetime) -> None:
    """A database may hold times that earlier versions wrote, and they are compared as text."""
    dialect = sqlite.dialect()
    theirs = sqlite.DATETIME().bind_processor(dialect)  # type: ignore[no-untyped-call]  # it has no annotations
    ours = UtcDateTime().bind_processor(dialect)
    assert ours is not None
    assert theirs is not None
    assert ours(moment) == theirs(moment.astimezone(UTC).replace(tzinfo=None))
    assert ours(None) is None


def test_names_of_constraints_are_stable() -> None:
    named = [constraint.name for table in METADATA.sorted_tables for constraint in table.constraints]
    assert all(named)
    assert "fk_sessions_account_id_accounts" in named
    assert all(index.name for table in METADATA.sorted_tables for index in table.indexes)
