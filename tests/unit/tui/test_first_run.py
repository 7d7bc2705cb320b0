"""A first command that is refused leaves nothing behind, and one that is not leaves a whole database and its key."""

import fcntl
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from store import private_folder, schema
from store import store as store_module
from store.accounts import Accounts
from store.errors import DatabaseAccessDenied, DatabaseFull, FirstRunOvertaken, KeyMissing
from store.key_file import create_key_file
from tests.harness.command_line import Shell
from tests.harness.postgres import PostgresServer
from tests.harness.stores import PASSWORD, cheap_hasher
from tui import first_run
from tui.store_location import Options, open_account_store

ADD = ("admin", "user", "add", "alice", "--email", "a@b.example", "--password-stdin")


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, where the platform's folders are made."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def shell(at_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell(tmp_path, monkeypatch)
    for name in ("GATEKEY_DATABASE", "GATEKEY_KEY_FILE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(at_home))
    return shell


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


WHOLE = [
    ".config",
    ".config/gatekey",
    ".config/gatekey/key",
    ".local",
    ".local/share",
    ".local/share/gatekey",
    ".local/share/gatekey/gatekey.sqlite3",
]


def test_a_first_command_leaves_a_database_a_key_and_nothing_else(shell: Shell, at_home: Path) -> None:
    ran = shell.run(*ADD, stdin=PASSWORD)
    assert ran.status == 0, ran.err
    assert below(at_home) == WHOLE
    assert "alice" in shell.run("admin", "user", "list").out


REFUSED = {
    "no arguments": ("admin", "user", "add"),
    "another argument": (*ADD, "--colour", "red"),
    "a name": ("admin", "user", "add", "al ice", *ADD[4:]),
    "an address": (*ADD[:5], "nowhere", "--password-stdin"),
    "an amount": (*ADD, "--quota", "much"),
    "an amount too large": (*ADD, "--quota", "9" * 40),
    "a role": (*ADD, "--role", "queen"),
    "no way to ask": ADD[:-1],
    "no terminal": (),
    "another kind of database": ("--database", "mysql://db/gatekey", *ADD),
    "an address that cannot be read": ("--database", "sqlite:///x?mode=ro", *ADD),
    "a password in the address": ("--database", "postgresql://me:secret@db/x", *ADD),
    "a key that is none": ("--key-file", "{home}/../notes.txt", *ADD),
    "a key of others": ("--key-file", "{home}/../open-key", *ADD),
    "a folder for a key": ("--key-file", "{home}/..", *ADD),
    "a folder for a database": ("--database", "{home}", *ADD),
    "no database to read": ("admin", "user", "list"),
    "no database to serve": ("serve",),
    "no database to change": ("admin", "quota", "alice", "+5"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_first_command_that_is_refused_leaves_nothing(shell: Shell, at_home: Path, why: str) -> None:
    (at_home.parent / "notes.txt").write_text("not a key")
    (at_home.parent / "notes.txt").chmod(0o600)
    (at_home.parent / "open-key").write_text("x")
    (at_home.parent / "open-key").chmod(0o644)
    ran = shell.run(*(word.replace("{home}", str(at_home)) for word in REFUSED[why]), stdin=PASSWORD)
    assert ran.status in (1, 2), ran
    assert ran.err
    assert below(at_home) == []


@pytest.mark.parametrize("password", ["", "short", "password1234"])
def test_a_password_that_is_refused_leaves_nothing(shell: Shell, at_home: Path, password: str) -> None:
    assert shell.run(*ADD, stdin=password).status == 1
    assert below(at_home) == []


def refuse(error: Exception) -> Callable[..., None]:
    def refusing(*_: object, **__: object) -> None:
        raise error

    return refusing


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (schema, "upgrade"),
        (store_module, "check_ring"),
        (Accounts, "create"),
        (first_run, "open_store"),
    ],
)
@pytest.mark.parametrize("error", [DatabaseFull(), KeyboardInterrupt(), RuntimeError("a fault")])
def test_a_disk_that_fills_up_on_the_way_leaves_nothing(
    shell: Shell, at_home: Path, monkeypatch: pytest.MonkeyPatch, place: object, name: str, error: Exception
) -> None:
    monkeypatch.setattr(place, name, refuse(error))
    assert shell.run(*ADD, stdin=PASSWORD).status in (1, 130)
    assert below(at_home) == []


@pytest.mark.parametrize("nth", [1, 2])
def test_a_link_that_cannot_be_made_leaves_nothing(
    shell: Shell, at_home: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """The key is linked first, then the database."""
    link, calls = Path.hardlink_to, iter(range(1, 9))

    def full(path: Path, target: Path) -> None:
        if next(calls) == nth:
            raise OSError(28, "No space left on device")
        link(path, target)

    monkeypatch.setattr(Path, "hardlink_to", full)
    ran = shell.run(*ADD, stdin=PASSWORD)
    assert ran.status == 1
    assert "could not be created: No space left on device." in ran.err
    assert below(at_home) == []


@pytest.mark.parametrize("name", [".local/share/gatekey/gatekey.sqlite3", ".config/gatekey/key"])
@pytest.mark.parametrize(("number", "reason"), [(30, "Read-only file system"), (13, "Permission denied")])
def test_a_home_that_cannot_be_written_is_told_with_path_and_reason(
    shell: Shell, at_home: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int, reason: str
) -> None:
    make = private_folder.make

    def read_only(path: Path) -> tuple[Path, ...]:
        if path == (at_home / name).parent:
            raise OSError(number, os.strerror(number), str(path))
        return make(path)

    monkeypatch.setattr(private_folder, "make", read_only)
    ran = shell.run(*ADD, stdin=PASSWORD)
    assert ran.status == 1
    assert f"file {at_home / name} could not be created: {reason}." in ran.err
    assert below(at_home) == []


def test_what_was_there_stays(shell: Shell, at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key from before, and an empty file that a killed first run of an older version left."""
    config, data = at_home / ".config" / "gatekey", at_home / ".local" / "share" / "gatekey"
    for folder in (config, data):
        private_folder.make(folder)
    key = config / "key"
    create_key_file(key, random.Random(1))
    kept = key.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(schema, "upgrade", refuse(DatabaseFull()))
        assert shell.run(*ADD, stdin=PASSWORD).status == 1
    assert below(at_home) == [name for name in WHOLE if not name.endswith("sqlite3")]
    assert shell.run(*ADD, stdin=PASSWORD).status == 0
    assert key.read_bytes() == kept


def test_one_that_is_overtaken_says_so_and_takes_nothing_away(
    shell: Shell, at_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Accounts.create

    def late(accounts: Accounts, name: str, *rest: object, **more: object) -> object:
        if name == "alice":
            # While alice's command is at work, bob's is done.
            assert shell.run(*(word.replace("alice", "bob") for word in ADD), stdin=PASSWORD).status == 0
        return create(accounts, name, *rest, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        # As on a file system without locks: the second does not wait for the first.
        patch.setattr(fcntl, "flock", refuse(OSError(95, "Operation not supported")))
        patch.setattr(Accounts, "create", late)
        ran = shell.run(*ADD, stdin=PASSWORD)
    assert (ran.status, ran.err) == (1, f"gatekey: {FirstRunOvertaken.title}. {FirstRunOvertaken.sentence}\n")
    assert below(at_home) == WHOLE
    listed = shell.run("admin", "user", "list").out
    assert "bob" in listed
    assert "alice" not in listed
    assert shell.run(*ADD, stdin=PASSWORD).status == 0


def test_a_database_made_at_once_holds_no_name_of_its_draft(shell: Shell, at_home: Path) -> None:
    assert shell.run(*ADD, stdin=PASSWORD).status == 0
    database = at_home / WHOLE[-1]
    assert database.stat().st_nlink == 1
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        assert connection.execute("SELECT count(*) FROM accounts").fetchone() == (1,)
    connection.close()


# -- PostgreSQL -----------------------------------------------------------------------------------------------------


def test_a_postgresql_that_refuses_leaves_no_key(
    at_home: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that may connect and not create, as PostgreSQL 15 and later make it by default."""
    monkeypatch.setattr(store_module, "Hasher", cheap_hasher)
    url = postgres_server.create(migrated=False)
    role = f"guest_{url.rpartition('/test_')[2].partition('?')[0]}"
    engine = create_engine(url)
    options = Options(url.replace("//postgres@", f"//{role}@"), at_home / "key")
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    with pytest.raises(DatabaseAccessDenied, match="GRANT ALL ON SCHEMA public"):
        open_account_store(options, create=True)
    assert below(at_home) == []
    with engine.begin() as connection:
        connection.execute(text(f"GRANT CREATE ON SCHEMA public TO {role}"))
    engine.dispose()
    open_account_store(options, create=True).close()
    assert below(at_home) == ["key"]


def test_a_key_taken_away_by_another_first_run_is_written_again(
    at_home: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = at_home / "key"
    options = Options(postgres_server.create(migrated=False), key)
    prepare = store_module.prepare

    def robbed(*arguments: object, **more: bool) -> None:
        key.unlink()
        prepare(*arguments, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "prepare", robbed)
        open_account_store(options, create=True).close()
    open_account_store(options, create=False).close()
    key.unlink()
    with pytest.raises(KeyMissing):
        open_account_store(options, create=True)
