"""From options to an open store: whose data, which key, and what a first run makes."""

import os
import random
import threading
from pathlib import Path

import pytest

from store.at_rest import KeyRing
from store.errors import DatabaseForeign, DatabaseMissing, InvalidSetting, KeyMissing, KeyWrong
from store.key_file import create_key_file
from tests.harness.postgres import PostgresServer
from tests.harness.stores import make_ring
from tui.store_location import (
    CONNECTIONS_VARIABLE,
    Options,
    connections,
    database_url,
    is_fresh,
    key_path,
    open_account_store,
    open_unchecked,
)


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, where the platform's folders are made."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_first_run_makes_both_and_a_second_finds_them(at_home: Path) -> None:
    open_account_store(Options(), create=True).close()
    made = {path.relative_to(at_home): path.stat().st_mode & 0o777 for path in at_home.rglob("*") if path.is_file()}
    assert made == {
        Path(".local/share/gatekey/gatekey.sqlite3"): 0o600,
        Path(".config/gatekey/key"): 0o600,
    }
    with open_account_store(Options(), create=False) as store:
        assert store.accounts.is_empty()


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o077])
def test_every_folder_of_a_first_run_is_private_whatever_the_umask(at_home: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        open_account_store(Options(), create=True).close()
    finally:
        os.umask(before)
    made = {str(path.relative_to(at_home)): path.stat().st_mode & 0o777 for path in at_home.rglob("*")}
    folders = (".local", ".local/share", ".local/share/gatekey", ".config", ".config/gatekey")
    files = (".local/share/gatekey/gatekey.sqlite3", ".config/gatekey/key")
    assert made == dict.fromkeys(folders, 0o700) | dict.fromkeys(files, 0o600)


def test_a_lost_key_is_not_replaced(at_home: Path) -> None:
    open_account_store(Options(), create=True).close()
    key = at_home / ".config" / "gatekey" / "key"
    key.unlink()
    for create in (True, False):
        with pytest.raises(KeyMissing):
            open_account_store(Options(), create=create)
    assert not key.exists()


def test_a_first_run_that_died_early_can_be_repeated(at_home: Path) -> None:
    database = at_home / "data" / "db.sqlite3"
    database.parent.mkdir(mode=0o700)
    database.touch(0o600)
    open_account_store(Options(str(database)), create=True).close()
    open_account_store(Options(str(database)), create=False).close()


def test_two_first_runs_at_once_share_one_key(at_home: Path) -> None:
    start, failures = threading.Barrier(4), []

    def run() -> None:
        start.wait()
        try:
            open_account_store(Options(), create=True).close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_key_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config" / "key"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _full)
        with pytest.raises(KeyMissing):
            create_key_file(path, random.Random(1))
    assert list(path.parent.iterdir()) == []
    create_key_file(path, random.Random(1))
    kept = path.read_bytes()
    with pytest.raises(KeyMissing):
        create_key_file(path, random.Random(2))
    assert path.read_bytes() == kept
    assert list(path.parent.iterdir()) == [path]


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_nothing_is_made_unless_asked(at_home: Path) -> None:
    with pytest.raises(DatabaseMissing):
        open_account_store(Options(), create=False)
    with pytest.raises(DatabaseMissing):
        open_unchecked(Options())
    assert list(at_home.rglob("*")) == []


def test_the_option_goes_before_the_environment_and_that_before_the_platform(at_home: Path) -> None:
    environ = {"GATEKEY_DATABASE": "/env/db", "GATEKEY_KEY_FILE": "/env/key", "GATEKEY_KEY": "text"}
    assert database_url(Options("/said/db"), environ) == "sqlite:////said/db"
    assert database_url(Options(), environ) == "sqlite:////env/db"
    assert database_url(Options(), {}) == f"sqlite:///{at_home}/.local/share/gatekey/gatekey.sqlite3"
    assert key_path(Options(key_file=Path("/said/key")), environ) == Path("/said/key")
    assert key_path(Options(), environ) == Path("/env/key")
    assert key_path(Options(), {"GATEKEY_KEY": "text"}) is None
    assert key_path(Options(), {}) == at_home / ".config" / "gatekey" / "key"


@pytest.mark.parametrize("name", ["with space", "per%41cent", "question?mark=1", "hash#tag", "Zoë"])
def test_a_path_is_a_path_whatever_is_in_it(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    options = Options(str(folder / name), tmp_path / "key")
    open_account_store(options, create=True).close()
    assert (folder / name).is_file()


def test_a_relative_path_stands_where_it_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert database_url(Options("db.sqlite3"), {}) == f"sqlite:///{tmp_path}/db.sqlite3"
    assert database_url(Options("~/db.sqlite3"), {}) == f"sqlite:///{Path.home()}/db.sqlite3"


def test_the_key_itself_may_come_from_the_environment(tmp_path: Path) -> None:
    options = Options(str(tmp_path / "data" / "db"))
    environ = {"GATEKEY_KEY": make_ring().serialise(), "HOME": str(tmp_path)}
    open_account_store(options, create=True, environ=environ).close()
    open_account_store(options, create=False, environ=environ).close()
    with pytest.raises(KeyWrong):
        open_account_store(options, create=False, environ={"GATEKEY_KEY": make_ring(8).serialise()})
    with pytest.raises(KeyWrong):
        open_account_store(options, create=False, environ={"GATEKEY_KEY": "nonsense"})
    assert KeyRing.parse(environ["GATEKEY_KEY"]) == make_ring()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///"])
def test_a_database_in_memory_leaves_no_key(at_home: Path, url: str) -> None:
    with open_account_store(Options(url), create=True) as store:
        assert store.accounts.is_empty()
    assert list(at_home.rglob("*")) == []


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(DatabaseForeign):
        open_account_store(Options("mysql://db/gatekey"), create=True)


def test_postgresql_follows_the_same_rules(at_home: Path, postgres_server: PostgresServer) -> None:
    url = postgres_server.create(migrated=False)
    key = at_home / "key"
    options = Options(url, key)
    assert is_fresh(url)
    with pytest.raises(DatabaseMissing):
        open_account_store(options, create=False)
    assert not key.exists()
    open_account_store(options, create=True).close()
    assert not is_fresh(url)
    key.unlink()
    with pytest.raises(KeyMissing):
        open_account_store(options, create=True)
    assert not key.exists()


def test_the_connections_are_those_of_the_option_then_of_the_environment() -> None:
    environ = {CONNECTIONS_VARIABLE: "12"}
    assert connections(Options(connections=5), environ) == 5
    assert connections(Options(), environ) == 12
    assert connections(Options(), {}) is None
    assert connections(Options(), {CONNECTIONS_VARIABLE: ""}) is None


@pytest.mark.parametrize("said", ["3", "1001", "-4", "4.0", "many", "\u0664", "9" * 5000])
def test_connections_that_are_no_number_or_too_few_or_too_many_are_refused(said: str) -> None:
    with pytest.raises(InvalidSetting, match="must be 4 to 1000"):
        connections(Options(), {CONNECTIONS_VARIABLE: said})


def test_a_store_on_postgresql_has_as_many_connections_as_it_was_told(at_home: Path, postgres_url: str) -> None:
    create_key_file(at_home / "key", random.Random(1))
    options = Options(database=postgres_url, key_file=at_home / "key", connections=4)
    with open_account_store(options, create=True) as store:
        pool = store.database.engine.pool
        assert (pool.size(), pool._max_overflow) == (4, 0)  # type: ignore[attr-defined]
