"""Opening a store: ours, private, whole, of this version and under this key, or one sentence and nothing changed."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text

from store import file_systems, sqlite_engine, sqlite_file
from store.clock import SystemClock
from store.database import Database
from store.default_paths import default_key_path, default_path
from store.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseExposed,
    DatabaseForeign,
    DatabaseFull,
    DatabaseMissing,
    DatabaseOnNetwork,
    DatabaseReadOnly,
    DatabaseUnreachable,
    KeyWrong,
    SchemaTooNew,
    SchemaTooOld,
    StoreUnavailable,
)
from store.key_check import check_ring
from store.sqlite_engine import APPLICATION_ID, prepare_file
from store.store import Store, open_store
from tests.harness.people import Person, contents
from tests.harness.postgres import PostgresServer
from tests.harness.stores import PASSWORD, StillClock, add_account, make_ring, make_store, sign_in, sqlite_url

NOBODY = 65534


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@contextmanager
def as_nobody(*paths: Path) -> Iterator[None]:
    """Without root's power to open anything; `paths` are handed over first."""
    if os.getuid() != 0:
        yield
        return
    for path in paths:
        os.chown(path, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def reachable(tmp_path: Path) -> Iterator[Path]:
    """A private folder that an ordinary user can get to."""
    opened = [tmp_path, *(folder for folder in tmp_path.parents if folder.name.startswith(("pytest", "popen", "test")))]
    modes = {folder: folder.stat().st_mode for folder in opened}
    for folder in opened:
        folder.chmod(modes[folder] | 0o011)
    private = tmp_path / "private"
    private.mkdir(mode=0o700, exist_ok=True)
    yield private
    for folder, mode in modes.items():
        folder.chmod(mode)


# -- what a start makes -----------------------------------------------------------------------------------------


def test_a_first_start_makes_a_private_database(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data" / "gatekey.sqlite3"
    old = os.umask(0)
    try:
        with make_store(f"sqlite:///{path}") as store:
            add_account(store)
            sign_in(store)
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert modes == {"gatekey.sqlite3": 0o600, "gatekey.sqlite3-wal": 0o600, "gatekey.sqlite3-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_second_start_finds_everything(file_url: str) -> None:
    with make_store(file_url) as store:
        add_account(store)
        before = contents(store)
    with make_store(file_url) as store:
        assert contents(store) == before


def test_a_store_in_memory_is_its_own() -> None:
    with make_store() as one, make_store("sqlite:///:memory:") as two:
        add_account(one)
        assert two.accounts.is_empty()
        assert one.database.path is two.database.path is None
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.append(one.accounts.all()[0].name))
        reader.start()
        reader.join()
        assert seen == ["alice"]
        assert one.database.checkpoint()
        one.close()


def test_what_is_not_said_is_taken_from_the_machine(file_url: str) -> None:
    with open_store(file_url, make_ring()) as store:
        assert isinstance(store.context.clock, SystemClock)
        assert store.context.clock.now().utcoffset() is not None
        assert store.context.rng.randbytes(8) != store.context.rng.randbytes(8)


def test_the_default_places_lie_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert default_path() == tmp_path / ".local/share/gatekey/gatekey.sqlite3"
    assert default_key_path() == tmp_path / ".config/gatekey/key"
    assert not any(tmp_path.iterdir())


def test_every_connection_has_its_pragmas(file_url: str) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "secure_delete": 1,
        "trusted_schema": 0,
        "temp_store": 2,
        "application_id": APPLICATION_ID,
    }
    with make_store(file_url) as store, store.database.read() as one, store.database.read() as two:
        for tx in (one, two):
            assert {name: tx.execute(text(f"PRAGMA {name}")).scalar() for name in expected} == expected


# -- addresses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://localhost/x",
        "postgresql+asyncpg://localhost/x",
        "sqlite+aiosqlite:///x",
        "sqlite+pysqlcipher:///x",
        "sqlite:///x?mode=ro",
        "sqlite:///file:x?uri=true",
        "postgresql://host:port/x",
        "oracle://x",
        "http://example.com",
        "://",
        "sqlite//x",
    ],
)
def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(DatabaseForeign):
        Database(url)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_has_three_spellings(scheme: str) -> None:
    found = Database(f"{scheme}://user@localhost/x")
    assert found.is_postgresql
    assert found.path is None
    assert not found.is_in_memory
    assert found.url.drivername == "postgresql+psycopg"


# -- files that are not ours, or not safe -----------------------------------------------------------------------


def foreign_text(path: Path) -> None:
    path.write_bytes(b"Dear diary, this is longer than the header of a database. " * 4)


def foreign_short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00")


def foreign_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (id INTEGER)")
    path.chmod(0o600)


def foreign_id(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id=1")
    path.chmod(0o600)


def damaged_header(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[16:18] = b"\x00\x03"
    path.write_bytes(content)


def readable_by_group(path: Path) -> None:
    path.chmod(0o640)


def readable_by_others(path: Path) -> None:
    path.chmod(0o604)


def readable_log(path: Path) -> None:
    path.with_name(path.name + "-wal").touch(mode=0o644)


def open_folder(path: Path) -> None:
    path.parent.chmod(0o755)


def linked(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to("real")


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def linked_log(path: Path) -> None:
    path.with_name(path.name + "-wal").symlink_to("/dev/null")


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def pipe_instead(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


BAD_FILES: dict[Callable[[Path], None], type[StoreUnavailable]] = {
    foreign_text: DatabaseForeign,
    foreign_short: DatabaseForeign,
    foreign_program: DatabaseForeign,
    foreign_id: DatabaseForeign,
    damaged_header: DatabaseForeign,
    readable_by_group: DatabaseExposed,
    readable_by_others: DatabaseExposed,
    readable_log: DatabaseExposed,
    open_folder: DatabaseExposed,
    linked: DatabaseExposed,
    dangling: DatabaseExposed,
    linked_log: DatabaseExposed,
    folder_instead: DatabaseExposed,
    pipe_instead: DatabaseExposed,
}


@pytest.mark.parametrize("spoil", BAD_FILES, ids=lambda spoil: spoil.__name__)
def test_a_file_that_is_not_ours_or_not_safe_is_left_alone(file_url: str, spoil: Callable[[Path], None]) -> None:
    path = path_of(file_url)
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    for create in (True, False):
        with pytest.raises(BAD_FILES[spoil]) as caught:
            open_store(file_url, make_ring(), create=create)
        assert type(caught.value) is BAD_FILES[spoil]
    assert (path.read_bytes() if path.is_file() else None) == before
    path.parent.chmod(0o700)


def test_a_missing_file_is_only_made_when_it_may_be(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    with pytest.raises(DatabaseMissing, match="Run gatekey once"):
        open_store(url, make_ring(), create=False)
    assert not path_of(url).exists()
    path_of(url).touch(mode=0o600)
    with pytest.raises(SchemaTooOld):
        open_store(url, make_ring(), create=False)


def test_a_place_under_a_file_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for below in ("file/gatekey.sqlite3", "file/deep/gatekey.sqlite3"):
        with pytest.raises(DatabaseUnreachable):
            make_store(f"sqlite:///{tmp_path / below}")
    with pytest.raises(DatabaseUnreachable, match="File name too long"):
        make_store(f"sqlite:///{tmp_path / ('x' * 300)}")


def test_our_file_is_known_while_its_header_lies_in_the_log(file_url: str) -> None:
    """A copy taken before the first checkpoint has our id only in its write-ahead log."""
    path = path_of(file_url)
    with make_store(f"sqlite:///{path.with_name('other')}") as store:
        add_account(store)
        prepare_file(path.with_name("other"), create=False)


def test_a_damaged_file_says_so(file_url: str) -> None:
    path = path_of(file_url)
    with make_store(file_url) as store:
        for number in range(30):
            store.accounts.create(f"somebody-{number}", None, actor="test")
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\xa5" * (len(content) - 4096 * 2)
    path.write_bytes(content)
    with pytest.raises(DatabaseDamaged, match="Restore it from a backup"):
        make_store(file_url)


def test_faults_are_named(file_url: str, postgres_store: Store) -> None:
    assert postgres_store.database.faults() == []
    with make_store(file_url) as store:
        add_account(store)
        sign_in(store)
        assert store.database.faults() == []
        with closing(sqlite3.connect(path_of(file_url))) as connection:
            connection.execute("DELETE FROM accounts")
            connection.commit()
        assert "row 1 of sessions points at nothing" in store.database.faults()


# -- keys and versions ------------------------------------------------------------------------------------------


def test_another_key_is_refused_before_anything_is_written(store: Store, file_url: str) -> None:
    with make_store(file_url) as mine:
        add_account(mine)
        before = contents(mine)
    for seed in (8, 9):
        with pytest.raises(KeyWrong, match="belongs to another database"):
            make_store(file_url, ring=make_ring(seed))
    with make_store(file_url) as mine:
        assert contents(mine) == before


def test_the_first_key_stays(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    make_store(url, ring=make_ring(8)).close()
    with pytest.raises(KeyWrong):
        make_store(url, ring=make_ring(7))
    make_store(url, ring=make_ring(8)).close()


def test_a_database_in_use_is_never_tied_to_another_key(store: Store, alice: Person) -> None:
    """Whoever removes the tie must not have the next key taken for the right one."""
    with store.database.write() as tx:
        tx.execute(text("DELETE FROM meta"))
    for ring in (make_ring(8), store.context.ring):
        before = contents(store)
        with pytest.raises(KeyWrong, match="what ties it to its key was removed"):
            check_ring(store.database, ring)
        assert contents(store) == before
    store.deletion.delete(alice.token, "alice")
    with pytest.raises(KeyWrong, match="was removed"):
        check_ring(store.database, make_ring(8))


def test_a_newer_schema_is_refused(file_url: str) -> None:
    with make_store(file_url) as store, store.database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew):
        make_store(file_url)


# -- faults while it is open ------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a lock 50 ms instead of five seconds."""
    monkeypatch.setattr(sqlite_engine, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(sqlite_engine, "PRAGMAS", tuple(one.replace("=5000", "=50") for one in sqlite_engine.PRAGMAS))


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_is_busy_and_still_read(file_url: str) -> None:
    with make_store(file_url) as store, closing(sqlite3.connect(path_of(file_url))) as other:
        add_account(store)
        before = contents(store)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="Nothing was changed; try again"):
            store.quota.adjust("alice", add=1, actor="root")
        assert contents(store) == before
        other.rollback()
        store.quota.adjust("alice", add=1, actor="root")


def fill(store: Store) -> int:
    """Create accounts until no more fit; returns how many did."""
    for number in range(1000):
        try:
            store.accounts.create(f"somebody-{number}", None, actor="test")
        except DatabaseFull:
            return number
    pytest.fail("the disk never filled up")


def test_a_full_disk_keeps_what_was_there(file_url: str) -> None:
    with make_store(file_url) as store:
        add_account(store)
        with store.database.read() as tx:
            pages = tx.execute(text("PRAGMA page_count")).scalar_one()

        def narrow(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute(f"PRAGMA max_page_count={pages + 5}")

        event.listen(store.database.engine, "connect", narrow)
        store.database.engine.dispose()
        made = fill(store)
        refused = 0
        for number in range(50):
            with pytest.raises(DatabaseFull, match="no space left"):
                store.accounts.create(f"later-{number}", None, actor="test")
            refused += 1
        print(f"writes to a full disk refused with a sentence: {refused} of 50")
        assert len(store.accounts.all()) == made + 1
        assert store.database.faults() == []
        event.remove(store.database.engine, "connect", narrow)
        store.database.engine.dispose()
        add_account(store, "bob")


def test_a_file_that_was_removed_or_replaced_is_noticed(file_url: str) -> None:
    path = path_of(file_url)
    with make_store(file_url) as store:
        add_account(store)
        aside = path.with_name("aside")
        path.rename(aside)
        for act in (store.accounts.all, lambda: store.quota.adjust("alice", add=1, actor="root")):
            with pytest.raises(DatabaseUnreachable, match="removed or replaced"):
                act()
        shutil.copyfile(aside, path)
        with pytest.raises(DatabaseUnreachable):
            store.accounts.all()
        path.unlink()
        aside.rename(path)
        assert len(store.accounts.all()) == 1


def test_a_read_only_file_says_so(reachable: Path, sqlite_template: Path) -> None:
    path = reachable / "gatekey.sqlite3"
    shutil.copyfile(sqlite_template, path)
    path.chmod(0o400)
    with as_nobody(path, reachable), pytest.raises(DatabaseReadOnly):
        make_store(f"sqlite:///{path}")


def test_a_read_only_folder_says_so(reachable: Path, sqlite_template: Path) -> None:
    path = reachable / "gatekey.sqlite3"
    shutil.copyfile(sqlite_template, path)
    path.chmod(0o600)
    reachable.chmod(0o500)
    with as_nobody(path, reachable):
        with pytest.raises(DatabaseReadOnly):
            make_store(f"sqlite:///{path}")
        with pytest.raises(DatabaseReadOnly, match="could not be created: Permission denied"):
            make_store(f"sqlite:///{reachable / 'other'}")


def test_an_unreadable_file_says_so(reachable: Path, sqlite_template: Path) -> None:
    path = reachable / "gatekey.sqlite3"
    shutil.copyfile(sqlite_template, path)
    path.chmod(0o200)
    with as_nobody(path, reachable), pytest.raises(DatabaseUnreachable, match="cannot be read by this user"):
        make_store(f"sqlite:///{path}")
    reachable.chmod(0o000)
    with as_nobody(reachable), pytest.raises(DatabaseUnreachable, match="cannot be read by this user"):
        open_store(f"sqlite:///{path}", make_ring(), create=False)
    reachable.chmod(0o700)


def test_a_database_that_turned_read_only_says_so(reachable: Path, sqlite_template: Path) -> None:
    path = reachable / "gatekey.sqlite3"
    shutil.copyfile(sqlite_template, path)
    path.chmod(0o600)
    with make_store(f"sqlite:///{path}") as store:
        add_account(store)
        store.database.engine.dispose()
        path.chmod(0o400)
        with as_nobody(*reachable.iterdir(), reachable):
            with pytest.raises(DatabaseReadOnly):
                store.quota.adjust("alice", add=1, actor="root")
            store.database.engine.dispose()
        for file in reachable.iterdir():
            file.chmod(0o600)
        store.quota.adjust("alice", add=1, actor="root")


# -- places -----------------------------------------------------------------------------------------------------

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
tmpfs /home/alice/with\\040space tmpfs rw 0 0
//server/share /mnt/share cifs rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/gatekey.sqlite3", "ext4"),
        ("/home/alice/gatekey.sqlite3", "nfs4"),
        ("/home/alice/with space/gatekey.sqlite3", "tmpfs"),
        ("/homestead/gatekey.sqlite3", "ext4"),
        ("/mnt/share/deep/gatekey.sqlite3", "cifs"),
    ],
)
def test_the_longest_mount_point_decides(path: str, kind: str) -> None:
    assert file_systems.type_at(Path(path), MOUNTS) == kind
    assert file_systems.type_at(Path(path), "") == ""


def test_a_network_drive_is_refused(file_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/data {path_of(file_url).parent} nfs4 rw 0 0\n")
    monkeypatch.setattr(sqlite_file, "_MOUNTS", mounts)
    with pytest.raises(DatabaseOnNetwork):
        make_store(file_url)
    monkeypatch.setattr(sqlite_file, "_MOUNTS", tmp_path / "missing")
    make_store(file_url).close()


# -- PostgreSQL -------------------------------------------------------------------------------------------------


def test_a_server_that_does_not_answer_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match="could not be reached"):
        make_store(f"postgresql://postgres@/x?host={tmp_path}")


def test_a_database_that_is_not_there_says_so(postgres_server: PostgresServer) -> None:
    with pytest.raises(DatabaseUnreachable):
        make_store(postgres_server.url("missing"))


def end_others(store: Store) -> None:
    """End all connections to the database but one of `store`, and wait until they are gone."""
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    with store.database.write() as tx:
        tx.execute(text(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {others}"))  # noqa: S608


def test_a_connection_lost_in_use_says_so_and_the_next_works(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, make_store(url) as store, make_store(url) as other:
        add_account(store)

        def lose_in_use() -> None:
            with store.database.look() as tx:
                end_others(other)
                tx.exec_driver_sql("SELECT 1")

        with pytest.raises(DatabaseUnreachable):
            lose_in_use()
        assert len(store.accounts.all()) == 1


def test_connections_lost_while_nobody_used_them_are_replaced(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, make_store(url) as store, make_store(url) as other:
        add_account(store)
        with store.database.look(), store.database.look():
            pass
        end_others(other)
        with store.database.look() as one, store.database.look() as two:
            assert [tx.exec_driver_sql("SELECT count(*) FROM accounts").scalar_one() for tx in (one, two)] == [1, 1]


def test_a_notice_to_a_connection_that_waits_does_not_end_it(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, make_store(url) as store, make_store(url) as other:
        add_account(store)
        with store.database.engine.connect() as connection:
            connection.exec_driver_sql("LISTEN news")
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with other.database.write() as tx:
            tx.exec_driver_sql("NOTIFY news")
        with store.database.look() as tx:
            assert tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() == pid


@pytest.mark.parametrize(("given", "idle"), [("", "60"), ("&keepalives_idle=7", "7")])
def test_connections_are_kept_alive(given: str, idle: str, postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, make_store(f"{url}{given}") as store, store.database.look() as tx:
        driver: Any = tx.connection.driver_connection
        assert driver.info.get_parameters()["keepalives_idle"] == idle


def test_a_held_row_is_busy(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_engine, "BUSY_TIMEOUT_MS", 50)
    with postgres_server.database() as url, make_store(url) as store, make_store(url) as other:
        add_account(store)
        with other.database.write() as tx:
            tx.execute(text("SELECT 1 FROM quotas FOR UPDATE"))
            with pytest.raises(DatabaseBusy):
                store.quota.adjust("alice", add=1, actor="root")
        store.quota.adjust("alice", add=1, actor="root")


def test_a_read_only_server_says_so(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, make_store(url) as store:
        add_account(store)
        with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        store.database.engine.dispose()
        with pytest.raises(DatabaseReadOnly):
            store.quota.adjust("alice", add=1, actor="root")


def test_a_full_pool_is_busy(file_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_store(file_url) as store:
        monkeypatch.setattr(store.database.engine.pool, "_timeout", 0.05)
        monkeypatch.setattr(store.database.engine.pool, "_max_overflow", 0)
        with contextmanager(_hold_all)(store), pytest.raises(DatabaseBusy):
            store.accounts.all()
        store.accounts.all()


def _hold_all(store: Store) -> Iterator[None]:
    held = [store.database.engine.connect() for _ in range(8)]
    yield
    for connection in held:
        connection.close()


def test_a_closed_store_forgets_its_keys_and_connections(clock: StillClock) -> None:
    store = make_store(clock=clock)
    store.accounts.create("alice", PASSWORD, actor="test")
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.accounts.all()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.accounts.create("bob", PASSWORD, actor="test")
    assert "Connections in pool: 0" in store.database.engine.pool.status()


def test_a_connection_in_use_at_the_end_is_closed_later(file_url: str, postgres_server: PostgresServer) -> None:
    with postgres_server.database() as postgres_url:
        for url in ("sqlite://", file_url, postgres_url):
            store = make_store(url)
            with store.database.read() as tx:
                connection = tx.connection.dbapi_connection
                store.close()
            assert connection is not None
            with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
                connection.cursor().execute("SELECT 1")
