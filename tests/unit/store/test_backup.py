"""A backup holds everything of one moment, from either database into either, and nobody else's file is restored."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from store import backup, backup_file, row_copy
from store.accounts import Role
from store.at_rest import KeyRing
from store.audit import Audit
from store.errors import BackupRefused, DatabaseBusy, DatabaseFull, DatabaseInUse, DatabaseRefused
from store.restore import Restored, restore
from store.revisions import schema_revision
from store.store import Store
from tests.harness.full_account import live, prepare_site
from tests.harness.people import contents
from tests.harness.stores import StillClock, add_account, make_ring, make_store, sign_in
from tests.unit.store.audit_log import report, take_back_to_0002

LEFT_OUT = {"sessions", "pending_sign_ins", "passkey_ceremonies"}
CHANGED = {"audit_totals", "site_events"}


def back_up(store: Store, path: Path, *, with_key: bool = False) -> Path:
    path.touch(0o600)
    backup.write(store.context, path, with_key=with_key)
    return path


def put_back(path: Path, url: str, *, replace: bool = False, ring: KeyRing | None = None) -> Restored:
    return restore(
        path,
        url,
        ring or make_ring(),
        replace=replace,
        actor="unix:root",
        clock=StillClock(),
        ready=lambda: None,
    )


@pytest.fixture
def alices_backup(file_url: str, tmp_path: Path) -> Path:
    """A backup of a store with one account."""
    with make_store(file_url) as store:
        add_account(store)
        return back_up(store, tmp_path / "backup")


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


# -- everything -------------------------------------------------------------------------------------------------


def test_everything_comes_back_in_either_database(
    store: Store, clock: StillClock, empty_url: str, tmp_path: Path
) -> None:
    prepare_site(store)
    live(store, clock, "alice", role=Role.ADMIN)
    live(store, clock, "bob", number=2)
    carol = add_account(store, "carol")
    store.deletion.delete(sign_in(store, "carol"), "carol")
    before = contents(store)
    path = back_up(store, tmp_path / "backup")
    assert path.stat().st_mode & 0o777 == 0o600
    done = put_back(path, empty_url)
    assert done.replaced is None
    assert done.is_audit_intact
    with make_store(empty_url, clock=clock) as restored:
        after = contents(restored)
        for name, rows in before.items():
            if name in LEFT_OUT:
                assert after[name] == []
            elif name not in CHANGED:
                assert after[name] == rows, name
        assert done.manifest.rows == {name: len(rows) for name, rows in before.items()}
        assert report(restored).is_intact
        with restored.database.read() as tx:
            assert [event.tag for event in restored.audit.site_page(tx, limit=1)] == ["database:restored"]
        assert add_account(restored, "dave").id > carol.id, "the id of a deleted account is not given out again"
        assert restored.bindings.provider("github").client_secret == "planted-client"


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)  # in memory readers delay writers
def test_a_backup_is_of_one_moment(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_account(store)
    original: Callable[..., int] = row_copy.copy_rows

    def copy(source: Any, target: Any, table: Any) -> int:
        if table.name == "quotas":
            store.accounts.create("late", None, actor="test")
        return original(source, target, table)

    monkeypatch.setattr(row_copy, "copy_rows", copy)
    path = back_up(store, tmp_path / "backup")
    with backup_file.open_backup(path) as (connection, sealed):
        backup_file.verify(connection, sealed, store.context.ring)
        assert sealed.manifest.rows["accounts"] == sealed.manifest.rows["quotas"] == 1
    assert len(store.accounts.all()) == 2


def test_the_key_is_in_it_only_when_asked_for(memory_store: Store, tmp_path: Path) -> None:
    add_account(memory_store)
    ring = memory_store.context.ring
    for with_key in (False, True):
        path = back_up(memory_store, tmp_path / f"backup-{with_key}", with_key=with_key)
        with backup_file.open_backup(path) as (_, sealed):
            assert sealed.key == (ring.serialise() if with_key else None)
        assert (ring.serialise().split()[2].encode() in path.read_bytes()) is with_key


def test_a_backup_of_an_older_schema_is_brought_up(empty_url: str, alices_backup: Path) -> None:
    _make_older(alices_backup)
    done = put_back(alices_backup, empty_url)
    assert done.manifest.schema == "0002"
    with make_store(empty_url) as restored:
        assert report(restored).is_intact
        assert [account.name for account in restored.accounts.all()] == ["alice"]


def _make_older(path: Path) -> None:
    """A backup as the version before would have written it."""
    from store.database import Database

    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE backup_manifest")
        connection.commit()
    old = Database(f"sqlite:///{path}")
    take_back_to_0002(old)
    with old.read() as tx:
        there = set(inspect(tx).get_table_names())
    old.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        tables = [table.name for table in row_copy.TABLES if table.name in there]
        manifest = backup_file.new_manifest(
            connection, tables, schema="0002", ring=make_ring(), made_at="2026-11-23", source="sqlite", sequences={}
        )
        backup_file.write_manifest(connection, manifest, make_ring(), with_key=False)


# -- refused ----------------------------------------------------------------------------------------------------


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def forge(path: Path, **values: Any) -> None:
    """Change the manifest as somebody without the key can, and the hash in it to fit."""
    from dataclasses import replace

    with backup_file.open_backup(path) as (_, sealed):
        manifest = sealed.manifest
    with closing(sqlite3.connect(path)) as connection:
        rows, sha256 = backup_file.hash_rows(connection, manifest.rows)
        connection.execute("DROP TABLE backup_manifest")
        manifest = replace(manifest, **{"rows": rows, "sha256": sha256, **values})
        backup_file.write_manifest(connection, manifest, make_ring(8), with_key=False)


def cut(share: float) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, int(path.stat().st_size * share))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    at = content.find(b"alice@example.com")
    content[at] ^= 1
    path.write_bytes(content)


def replace_by(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def alter_and_forge(path: Path) -> None:
    alter(path, "UPDATE accounts SET role = 'root'")
    forge(path)


HOSTILE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: os.truncate(path, 0),
    "text": lambda path: path.write_text("Dear diary, " * 100),
    "missing": lambda path: path.unlink(),
    "folder": replace_by(lambda path: path.mkdir()),
    "pipe": replace_by(lambda path: os.mkfifo(path)),
    "cut to the header": lambda path: os.truncate(path, 100),
    "cut to a tenth": cut(0.1),
    "cut to a half": cut(0.5),
    "cut by a page": lambda path: os.truncate(path, path.stat().st_size - 4096),
    "a bit turned": flip,
    "another program's": replace_by(lambda path: alter(path, "CREATE TABLE recipes (id INTEGER)")),
    "a database": lambda path: alter(path, "PRAGMA application_id=1195067737"),
    "no manifest": lambda path: alter(path, "DROP TABLE backup_manifest"),
    "manifest of nothing": lambda path: alter(path, "UPDATE backup_manifest SET value = '[]' WHERE name = 'manifest'"),
    "manifest altered": lambda path: alter(
        path, "UPDATE backup_manifest SET value = replace(value, '2026', '2027') WHERE name = 'manifest'"
    ),
    "a row altered": lambda path: alter(path, "UPDATE accounts SET role = 'root'"),
    "a row added": lambda path: alter(path, "INSERT INTO meta VALUES ('x', 'y')"),
    "a row altered, and the manifest to fit": alter_and_forge,
    "newer schema": lambda path: forge(path, schema="9999"),
    "newer format": lambda path: forge(path, format=2),
    "a trigger": lambda path: alter(path, "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM meta; END"),
    "a view": lambda path: alter(path, "DROP TABLE prices", "CREATE VIEW prices AS SELECT 1"),
    "a table more": lambda path: alter(path, "CREATE TABLE more (id INTEGER)"),
    "a table less": lambda path: alter(path, "DROP TABLE prices"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_backup_of_ours_changes_nothing(file_url: str, tmp_path: Path, kind: str) -> None:
    with make_store(file_url) as store:
        add_account(store)
        path = back_up(store, tmp_path / "backup")
        before = contents(store)
    HOSTILE[kind](path)
    files = sorted(path_of(file_url).parent.iterdir())
    with pytest.raises(BackupRefused) as refused:
        put_back(path, file_url, replace=True)
    assert str(refused.value).endswith(".")
    assert sorted(path_of(file_url).parent.iterdir()) == files
    with make_store(file_url) as store:
        assert contents(store) == before


def test_a_newer_schema_says_so(file_url: str, tmp_path: Path) -> None:
    with make_store(file_url) as store:
        path = back_up(store, tmp_path / "backup")
    forge(path, schema="9999")
    with pytest.raises(BackupRefused, match="newer Gatekey"):
        put_back(path, file_url)


def test_a_backup_of_another_key_is_refused(empty_url: str, alices_backup: Path) -> None:
    with pytest.raises(BackupRefused, match="under another key"):
        put_back(alices_backup, empty_url, ring=make_ring(8))
    put_back(alices_backup, empty_url)


def test_data_is_replaced_only_when_said(empty_url: str, alices_backup: Path, clock: StillClock) -> None:
    with make_store(empty_url) as other:
        add_account(other, "bob")
        before = contents(other)
    with pytest.raises(DatabaseInUse, match="--replace"):
        put_back(alices_backup, empty_url)
    with make_store(empty_url) as other:
        assert contents(other) == before
    done = put_back(alices_backup, empty_url, replace=True)
    with make_store(empty_url) as other:
        assert [account.name for account in other.accounts.all()] == ["alice"]
        assert report(other).is_intact
    assert (done.replaced is None) is other.database.is_postgresql
    if done.replaced is not None:
        with make_store(f"sqlite:///{done.replaced}") as old:
            assert contents(old) == before


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)  # an SQLite file is restored beside the old one
@pytest.mark.parametrize("is_failing", [True, False])
def test_no_id_is_given_out_again(
    empty_url: str, alices_backup: Path, monkeypatch: pytest.MonkeyPatch, is_failing: bool
) -> None:
    with make_store(empty_url) as other:
        last = [add_account(other, f"person-{number}").id for number in range(5)][-1]
        other.deletion.delete(sign_in(other, "person-4"), "person-4")
    if is_failing:

        def full(*_: object, **__: object) -> None:
            raise DatabaseFull

        with monkeypatch.context() as patch:
            patch.setattr(Audit, "record_site", full)
            with pytest.raises(DatabaseFull):
                put_back(alices_backup, empty_url, replace=True)
    else:
        put_back(alices_backup, empty_url, replace=True)
    with make_store(empty_url, seed=2) as other:
        assert add_account(other, "late").id > last


def test_a_database_that_is_open_is_left_alone(file_url: str, tmp_path: Path) -> None:
    with make_store(file_url) as store:
        add_account(store)
        path = back_up(store, tmp_path / "backup")
        files = sorted(path_of(file_url).parent.iterdir())
        with pytest.raises(DatabaseBusy, match="Another program has the database open"):
            put_back(path, file_url, replace=True)
        assert sorted(path_of(file_url).parent.iterdir()) == files
        store.accounts.create("bob", None, actor="test")
    put_back(path, file_url, replace=True)
    with make_store(file_url) as store:
        assert [account.name for account in store.accounts.all()] == ["alice"]


def test_a_damaged_database_is_replaced_and_kept(file_url: str, alices_backup: Path) -> None:
    damaged = b"\xa5" * 10_000
    path_of(file_url).write_bytes(damaged)
    with pytest.raises(DatabaseInUse):
        put_back(alices_backup, file_url)
    done = put_back(alices_backup, file_url, replace=True)
    assert done.replaced is not None
    assert done.replaced.read_bytes() == damaged
    with make_store(file_url) as store:
        assert [account.name for account in store.accounts.all()] == ["alice"]


def test_a_log_of_the_old_file_is_not_taken_for_the_new_ones(file_url: str, tmp_path: Path) -> None:
    """After a crash the last changes lie in the write-ahead log beside the file."""
    path = path_of(file_url)
    with make_store(file_url) as store:
        add_account(store)
        saved = back_up(store, tmp_path / "backup")
        add_account(store, "bob")
        left = {side: path.with_name(path.name + side).read_bytes() for side in ("-wal", "-shm")}
        main = path.read_bytes()
    path.write_bytes(main)
    for side, content in left.items():
        path.with_name(path.name + side).touch(0o600)
        path.with_name(path.name + side).write_bytes(content)
    done = put_back(saved, file_url, replace=True)
    with make_store(file_url) as store:
        assert [account.name for account in store.accounts.all()] == ["alice"]
    assert done.replaced is not None
    assert list(path.parent.glob("*.replaced*")) == [done.replaced], "all that was in its log is in it"
    with make_store(f"sqlite:///{done.replaced}") as old:
        assert [account.name for account in old.accounts.all()] == ["alice", "bob"]


def test_a_full_disk_says_so(memory_store: Store, tmp_path: Path) -> None:
    add_account(memory_store)
    with pytest.raises(DatabaseRefused, match="disk full"):
        backup.write(memory_store.context, Path("/dev/full"), with_key=False)


def test_the_current_schema_is_what_a_backup_says(memory_store: Store, tmp_path: Path) -> None:
    path = back_up(memory_store, tmp_path / "backup")
    with backup_file.open_backup(path) as (connection, sealed):
        assert sealed.manifest.schema == schema_revision()
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (schema_revision(),)
