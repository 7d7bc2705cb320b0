"""A PostgreSQL that does not let Gatekey in, or that it cannot use: one sentence each, which says what to do."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import exc, select, text

from store.driver_errors import REFUSALS, translate
from store.errors import (
    DatabaseAccessDenied,
    DatabaseBusy,
    DatabaseForeign,
    DatabaseFull,
    DatabaseNotUtf8,
    DatabaseReadOnly,
    DatabaseUnreachable,
    StoreUnavailable,
)
from store.models import Account
from store.money import MICRO_PER_USD
from store.store import Store
from store.values.billing import QuotaState
from tests import parts
from tests.harness.postgres import USER, PostgresServer
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.stores import add_account, make_store, sign_in

PATIENCE: Final = 30.0


@contextmanager
def admin(server: PostgresServer) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(f"host={server.folder} user={USER} dbname=postgres", autocommit=True) as connection:
        yield connection


def name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def refused(url: str) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as caught:
        make_store(url)
    return caught.value


# -- encodings --------------------------------------------------------------------------------------------------------


@contextmanager
def encoded(server: PostgresServer, encoding: str) -> Iterator[str]:
    url = server.create(migrated=False)
    server.drop(url)
    name = sql.Identifier(name_of(url))
    with admin(server) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'")
        connection.execute(made.format(name, sql.Literal(encoding)))
    try:
        yield url
    finally:
        server.drop(url)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_a_new_database_that_lacks_letters_was_refused_with_the_way_to_make_another(
    postgres_server: PostgresServer, encoding: str
) -> None:
    with encoded(postgres_server, encoding) as url:
        error = refused(url)
    assert isinstance(error, DatabaseNotUtf8)
    assert str(error) == (
        f"This PostgreSQL database keeps text as {encoding}, not as UTF8. Make another with "
        "createdb -T template0 -E UTF8 -l C NAME, and name it with --database."
    )


def test_utf8_was_asked_for_whatever_the_address_and_the_server_say(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url:
        with admin(postgres_server) as connection:
            change = sql.SQL("ALTER DATABASE {} SET client_encoding TO 'LATIN1'")
            connection.execute(change.format(sql.Identifier(name_of(url))))
        with make_store(f"{url}&client_encoding=SQL_ASCII") as store:
            add_account(store, "あリス")
            assert [account.name for account in store.accounts.all()] == ["あリス"]


def test_every_connection_waits_for_locks_and_counts_in_utc(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, make_store(url) as store, store.database.read() as tx:
        assert tx.execute(text("SHOW lock_timeout")).scalar() == "5s"
        assert tx.execute(text("SHOW timezone")).scalar() == "UTC"
        assert tx.execute(text("SHOW client_encoding")).scalar() == "UTF8"


# -- who may come in --------------------------------------------------------------------------------------------------


@pytest.fixture
def pauper(postgres_server: PostgresServer) -> Iterator[str]:
    """A role that owns nothing."""
    with admin(postgres_server) as connection:
        connection.execute("CREATE ROLE pauper LOGIN PASSWORD 'secret'")
        yield "pauper"
        connection.execute("DROP ROLE pauper")


@pytest.fixture
def empty(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database(migrated=False) as url:
        yield url


def test_a_database_that_is_not_there(postgres_server: PostgresServer) -> None:
    error = refused(postgres_server.url("nowhere"))
    assert str(error).startswith("PostgreSQL has no database called nowhere. Make it with: createdb ")
    assert isinstance(error, DatabaseAccessDenied)


def test_a_user_that_is_not_there(empty: str) -> None:
    error = refused(empty.replace(f"{USER}@", "nobody@"))
    assert str(error).startswith("PostgreSQL knows no user called nobody. Make one with: createuser nobody")


@pytest.mark.parametrize(
    ("change", "beginning"),
    [
        ("ALTER DATABASE {0} ALLOW_CONNECTIONS false", "This database takes no connections."),
        ("ALTER DATABASE {0} CONNECTION LIMIT 0", "PostgreSQL has no connection left for this user."),
        ("REVOKE CONNECT ON DATABASE {0} FROM public", "This PostgreSQL user may not connect to the database test_"),
        ("ALTER ROLE {1} CONNECTION LIMIT 0", "PostgreSQL has no connection left for this user."),
        ("ALTER ROLE {1} NOLOGIN", "The PostgreSQL user pauper may not log in."),
        ("SELECT 1", "This PostgreSQL user may not use or change the tables, or create them."),
    ],
)
def test_a_user_who_may_not(
    postgres_server: PostgresServer, empty: str, pauper: str, change: str, beginning: str
) -> None:
    with admin(postgres_server) as connection:
        connection.execute(sql.SQL(change).format(sql.Identifier(name_of(empty)), sql.Identifier(pauper)))
    error = refused(empty.replace(f"{USER}@", f"{pauper}@"))
    assert str(error).startswith(beginning)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("rule", "login", "beginning"),
    [
        ("scram-sha-256", "pauper", "PostgreSQL asks for a password."),
        ("scram-sha-256", "pauper:hunter2", "PostgreSQL does not accept this user and password."),
        ("reject", "pauper", "pg_hba.conf of PostgreSQL does not let this user into this database from here."),
        ("peer", "pauper", "PostgreSQL does not accept this user by its Peer authentication."),
    ],
)
def test_a_user_whom_the_server_does_not_take(
    postgres_server: PostgresServer, empty: str, pauper: str, rule: str, login: str, beginning: str
) -> None:
    rules = postgres_server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    with admin(postgres_server) as connection:
        rules.write_text(f"local {name_of(empty)} {pauper} {rule}\n{before}")
        connection.execute("SELECT pg_reload_conf()")
        url = empty.replace(f"{USER}@", f"{login}@")
        try:
            deadline = time.monotonic() + PATIENCE
            while not str(error := refused(url)).startswith(beginning) and time.monotonic() < deadline:
                pass  # the server reads its rules again in its own time
        finally:
            rules.write_text(before)
            connection.execute("SELECT pg_reload_conf()")
    assert str(error).startswith(beginning)
    assert isinstance(error, DatabaseAccessDenied)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("nonsense=1", "The database address has an option that PostgreSQL does not know: nonsense."),
        ("sslmode=nonsense", "An option of the database address has a value that it cannot have: sslmode."),
    ],
)
def test_an_address_that_libpq_does_not_understand(empty: str, option: str, sentence: str) -> None:
    error = refused(f"{empty}&{option}")
    assert (type(error), str(error)) == (DatabaseForeign, sentence)


# -- words of servers that are not here -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind", "beginning"),
    [
        ("FATAL:  unsupported startup parameter: options", DatabaseAccessDenied, "PgBouncer does not take the startup"),
        (
            "FATAL:  unsupported startup parameter in options: lock_timeout",
            DatabaseAccessDenied,
            "PgBouncer does not take the startup parameter lock_timeout. Leave it out",
        ),
        ("FATAL:  no such database: gate", DatabaseAccessDenied, "PostgreSQL has no database called gate."),
        ("FATAL:  no such user: alice", DatabaseAccessDenied, "PostgreSQL knows no user called alice."),
        ("FATAL:  no more connections allowed (max_client_conn)", DatabaseBusy, "PostgreSQL has no connection left"),
        ("FATAL:  server login has been failing, try again later", DatabaseUnreachable, "PgBouncer cannot reach"),
        ("FATAL:  sorry, too many clients already", DatabaseBusy, "PostgreSQL has no connection left"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            DatabaseBusy,
            "PostgreSQL has no connection left",
        ),
        ("FATAL:  the database system is starting up", DatabaseUnreachable, "PostgreSQL is starting or stopping."),
        (
            "FATAL:  the database system is not yet accepting connections",
            DatabaseUnreachable,
            "PostgreSQL is starting or stopping.",
        ),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "a", database "b", no encryption',
            DatabaseAccessDenied,
            "pg_hba.conf of PostgreSQL lets this user in from here only with TLS, or not at all.",
        ),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "a", database "b", SSL encryption',
            DatabaseAccessDenied,
            "pg_hba.conf of PostgreSQL does not let this user",
        ),
        (
            "server does not support SSL, but SSL was required",
            DatabaseAccessDenied,
            "The database address asks for TLS, and the server has none.",
        ),
        ("SSL error: certificate verify failed", DatabaseAccessDenied, "The certificate of the PostgreSQL server"),
        (
            'FATAL:  could not write lock file "postmaster.pid": No space left on device',
            DatabaseFull,
            "There is no space left",
        ),
        ("connection failed: server is in hot standby mode", DatabaseReadOnly, "No server of the database address"),
        ("failed to resolve host 'db.lan': nope", DatabaseUnreachable, "The name db.lan of the database server"),
        (
            "FATAL:  la base de données\x1b[31m « x » n'existe pas\nmore",
            DatabaseAccessDenied,
            "PostgreSQL refused the connection, in its own words: la base de données\ufffd[31m « x »",
        ),
        ("timeout expired", DatabaseUnreachable, "The database could not be reached."),
    ],
)
def test_a_connection_that_was_refused_was_told_by_its_words(
    words: str, kind: type[StoreUnavailable], beginning: str
) -> None:
    error = translate(exc.OperationalError(None, None, psycopg.OperationalError(f"connection failed: {words}")))
    assert type(error) is kind
    assert str(error).startswith(beginning)


def test_no_sentence_quotes_more_than_a_name() -> None:
    for words, _, sentence in REFUSALS[:-1]:
        assert sentence.count("{") <= 3
        assert "{1}" not in sentence, words


# -- PgBouncer --------------------------------------------------------------------------------------------------------


def accepts(path: Path) -> bool:
    """True if a program listens at a socket. Its file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@contextmanager
def bounced(server: PostgresServer, name: str, mode: str = "session") -> Iterator[str]:
    """The URL of the database `name` through a PgBouncer as it is installed, with this `pool_mode`."""
    parts.need(parts.PGBOUNCER)
    folder, owner = Path(tempfile.mkdtemp(prefix="gatekey-pgb-")), USER if os.geteuid() == 0 else None
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server.folder} port=5432 user={USER}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n"
        f"unix_socket_dir = {folder}\nauth_type = any\npool_mode = {mode}\n"
    )
    if owner is not None:
        account = pwd.getpwnam(owner)
        os.chown(folder, account.pw_uid, account.pw_gid)
    process = subprocess.Popen(
        [parts.find("pgbouncer") or "pgbouncer", folder / "pgbouncer.ini"],
        user=owner,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not accepts(folder / ".s.PGSQL.6432"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield f"postgresql+psycopg://{USER}@/{name}?host={folder}&port=6432"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_through_pgbouncer_everything_is_as_it_is_without(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, bounced(postgres_server, name_of(url)) as through:
        with make_store(through) as store:
            add_account(store)
            with store.database.read() as tx:
                assert tx.execute(text("SHOW lock_timeout")).scalar() == "5s"
            assert [account.name for account in store.accounts.all()] == ["alice"]
        assert str(refused(f"{through}&options=-c%20statement_timeout%3D5s")) == (
            "PgBouncer does not take the startup parameter options. Leave it out of the database address, or set "
            "ignore_startup_parameters = options in pgbouncer.ini."
        )


def test_a_pooler_that_changes_the_server_process_between_transactions_does_no_harm(
    postgres_server: PostgresServer,
) -> None:
    """Nothing is prepared behind a pooler: only the server process that prepared a statement knows it."""
    with (
        postgres_server.database() as url,
        bounced(postgres_server, name_of(url), "transaction") as through,
        make_store(through) as store,
        ThreadPoolExecutor(4) as threads,
    ):
        account = add_account(store, quota_usd=1)
        key = store.api_keys.create(sign_in(store), "laptop").info.id

        def call(_number: int) -> None:
            for _ in range(10):
                book_call(store, hold_quota(store, account.id, 10, api_key_id=key), 3)

        list(threads.map(call, range(4)))
        with store.database.read() as tx:
            assert tx.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar() == 0
            assert store.quota.state_of(tx, account.id) == QuotaState(MICRO_PER_USD - 120, 0, 120)


def test_without_a_pooler_statements_that_are_repeated_are_prepared(postgres_store: Store) -> None:
    with postgres_store.database.engine.connect() as connection:
        for _ in range(8):
            connection.execute(select(Account.c.id))
            connection.commit()
        prepared = connection.execute(text("SELECT statement FROM pg_prepared_statements")).scalars().all()
    assert [one for one in prepared if "accounts" in one]
