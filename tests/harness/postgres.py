"""A private PostgreSQL server for tests: its own data folder and socket, no network, gone when the run ends."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from store import schema
from store.database import Database
from tests import parts

USER: Final = "postgres"
"""The role that owns everything; also the system's user that the server runs as when the tests run as root."""

_TEMPLATE: Final = "gatekey_template"
_PORT: Final = 5432
"""Only a part of the socket's name: the server listens on no network address."""

_FAST: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_COMMON: Final = (
    "listen_addresses=''",
    "max_connections=300",
    "shared_buffers=64MB",
    "autovacuum=off",
    "timezone=UTC",
    "lc_messages=C",
)


@dataclass(frozen=True)
class PostgresServer:
    """A running server. `folder` holds its socket, its data and its log."""

    folder: Path

    def start(self) -> None:
        """Start it on its data, after a crash too."""
        run(self.folder, "pg_ctl", "start", "-w", "-t", "60", *self._data, "-l", f"{self.folder}/log")

    def crash(self) -> None:
        """Stop it as a crash does: nothing is written that was not written already."""
        run(self.folder, "pg_ctl", "stop", "-w", "-m", "immediate", *self._data)

    @property
    def _data(self) -> tuple[str, str]:
        return ("-D", f"{self.folder}/data")

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of the database `name`."""
        return f"postgresql+psycopg://{USER}@/{name}?host={self.folder}"

    def create(self, *, migrated: bool = True) -> str:
        """A new database, with the current schema unless `migrated` is False; returns its URL."""
        name = f"test_{uuid.uuid4().hex[:16]}"
        with self._admin() as connection:
            template = self._template(connection) if migrated else "template0"
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        name = re.sub(r".*/(\w+)\?.*", r"\1", url)
        with self._admin() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a database that is removed afterwards."""
        url = self.create(migrated=migrated)
        try:
            yield url
        finally:
            self.drop(url)

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(f"host={self.folder} user={USER} dbname=postgres", autocommit=True)

    def _template(self, connection: psycopg.Connection[tuple[object, ...]]) -> str:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_TEMPLATE,)).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(_TEMPLATE)))
            database = Database(self.url(_TEMPLATE))
            schema.upgrade(database)
            database.close()
        return _TEMPLATE


def run(folder: Path, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs as the owner of the server in `folder`."""
    owner = USER if os.geteuid() == 0 else None  # initdb refuses to run as root
    with (folder / "talk").open("ab") as talk:
        subprocess.run(
            [parts.find(program) or program, *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=talk,
            stderr=talk,
            cwd=folder,
            user=owner,
            group=owner,
            extra_groups=[] if owner else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
        )


@contextmanager
def running_server(*, fsync: bool = False, more: Sequence[str] = ()) -> Iterator[PostgresServer]:
    """A server with `more` settings. With `fsync` it keeps what it acknowledged through a crash.

    The test is skipped where PostgreSQL is not installed.
    """
    with _server_folder() as folder:
        run(folder, "initdb", "-N", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "-D", f"{folder}/data")
        with _started(folder, *_COMMON, *(() if fsync else _FAST), *more) as server:
            yield server


@contextmanager
def running_standby(primary: PostgresServer) -> Iterator[PostgresServer]:
    """A server that replays what `primary` writes, from a copy of its data on, and with its settings."""
    with _server_folder() as folder:
        source = ("-h", str(primary.folder), "-p", str(_PORT), "-U", USER)
        run(folder, "pg_basebackup", *source, "-D", f"{folder}/data", "-R", "-X", "stream", "-c", "fast", "--no-sync")
        with _started(folder) as standby:
            yield standby


@contextmanager
def _server_folder() -> Iterator[Path]:
    """A folder for a server, of the user that it runs as."""
    parts.need(parts.POSTGRESQL)
    folder = Path(tempfile.mkdtemp(prefix="gatekey-pg-"))
    if os.geteuid() == 0:
        account = pwd.getpwnam(USER)
        os.chown(folder, account.pw_uid, account.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _started(folder: Path, *settings: str) -> Iterator[PostgresServer]:
    """The server on the data in `folder`, with these settings after those that it has."""
    own = (f"unix_socket_directories='{folder}'", f"port={_PORT}")
    with (folder / "data" / "postgresql.conf").open("a") as configuration:
        configuration.write("\n".join(("", *settings, *own, "")))
    server = PostgresServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.crash()
