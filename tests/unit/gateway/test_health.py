"""The findings of `/healthz`, and how rarely it looks."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from gateway import health
from store.database import Database
from store.errors import (
    DatabaseBusy,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseRefused,
    DatabaseUnreachable,
    StoreUnavailable,
)
from store.health import check_writable
from store.store import Store
from tests.harness.gateway_client import client_of

REASONS: Final[list[tuple[type[StoreUnavailable], str]]] = [
    (DatabaseBusy, "database_busy"),
    (DatabaseFull, "disk_full"),
    (DatabaseReadOnly, "database_read_only"),
    (DatabaseUnreachable, "database_unreachable"),
    (DatabaseRefused, "database_unavailable"),
]


@pytest.fixture
def database_kind() -> str:
    """A file: a database in memory has no disk that fills."""
    return "sqlite"


@pytest.mark.parametrize(("error", "reason"), REASONS)
@pytest.mark.parametrize("way", ["read", "write"])
async def test_a_database_that_fails_is_told_in_one_word(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: type[StoreUnavailable], reason: str, way: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error("/srv/private/gatekey.sqlite3")

    monkeypatch.setattr(Database, way, broken)
    async with client_of(store) as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["reason"] == reason
    assert "private" not in answer.text


async def test_a_full_disk_is_noticed_before_a_write_fails(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.health.MIN_FREE_BYTES", 2**62)
    async with client_of(store) as client:
        assert (await client.get("/healthz")).json()["reason"] == "disk_full"


async def test_another_programs_lock_is_noticed_and_reads_are_answered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.health.PROBE_TIMEOUT_S", 0.0)
    monkeypatch.setattr(health, "UNHEALTHY_TTL_S", 0.0)
    async with client_of(store) as client:
        with closing(sqlite3.connect(store.database.path or "")) as other:
            other.execute("BEGIN IMMEDIATE")
            assert (await client.get("/healthz")).json()["reason"] == "database_busy"
        assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_however_often_it_is_asked_it_writes_once_in_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def counting(database: Database) -> None:
        nonlocal looks
        looks += 1
        check_writable(database)

    monkeypatch.setattr(health, "check_writable", counting)
    async with client_of(store) as client:
        for _ in range(20):
            assert (await client.get("/healthz")).status_code == 200
    assert looks == 1


def test_the_check_leaves_one_row_however_often(store: Store) -> None:
    def rows() -> int:
        with store.database.read() as tx:
            return int(tx.exec_driver_sql("SELECT count(*) FROM rate_windows").scalar_one())

    for _ in range(3):
        check_writable(store.database)
    assert rows() == 1


def test_a_folder_that_is_gone_is_a_database_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachable):
        check_writable(Database(f"sqlite:///{tmp_path}/gone/gatekey.sqlite3"))


async def test_a_database_of_another_version_is_healthy_and_not_ready(store: Store) -> None:
    async with client_of(store) as client:
        assert (await client.get("/readyz")).json() == {"status": "ok"}
        with store.database.write() as tx:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        assert (await client.get("/healthz")).status_code == 200
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "schema_too_new")


@pytest.mark.parametrize(("error", "reason"), REASONS)
async def test_an_unhealthy_gateway_is_not_ready(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: type[StoreUnavailable], reason: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Database, "write", broken)
    async with client_of(store) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, reason)
