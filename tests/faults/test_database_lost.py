"""A database that is locked by another program, or gone: who only reads is answered, and nobody is told a falsehood."""

import asyncio
import sqlite3
from contextlib import AbstractContextManager, closing
from typing import Any

import pytest
from sqlalchemy import Connection, text

from gateway import store_threads
from gateway.store_threads import StoreThreads
from store.database import Database
from store.errors import DatabaseBusy
from store.store import Store
from tests.fakes.scripted_model_server import CHAT, ModelServer
from tests.harness.gateway_client import client_of, make_relayed, make_token
from tests.harness.postgres import running_server
from tests.harness.stores import StillClock, make_store

on_file = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@on_file
async def test_a_locked_database_is_read_and_its_writers_are_told_to_come_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_threads, "QUEUE_TIMEOUT_S", 0.2)
    key, models = make_relayed(store), ModelServer()
    token = make_token(store)
    bearer = {"Authorization": f"Bearer {token}"}
    async with client_of(store, token=key, upstream=models) as client:
        with closing(sqlite3.connect(store.database.path or "")) as other:
            other.execute("BEGIN IMMEDIATE")
            for path in ("", "/quota", "/usage", "/settings/price"):
                assert (await client.get(f"/api/account{path}", headers=bearer)).status_code == 200
            assert (await client.get("/v1/models")).status_code == 200
            changed = {"accept_unpriced_models": True}
            refused = [
                await client.post("/v1/chat/completions", json=CHAT),
                await client.put("/api/account/settings/price", json=changed, headers={**bearer, "If-Match": "*"}),
            ]
            assert [(answer.status_code, answer.headers["retry-after"]) for answer in refused] == [(503, "1")] * 2
            stranger = await client.get("/v1/models", headers={"Authorization": f"Bearer {unknown_key()}"})
            assert stranger.status_code == 401
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
    assert len(models.requests) == 1


def noting_patience(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that each write was ready to wait for others."""
    asked: list[float] = []
    real = store.database.write

    def noting(_: Database, *, lock_timeout_s: float = 5.0, **options: Any) -> AbstractContextManager[Connection]:
        asked.append(lock_timeout_s)
        return real(lock_timeout_s=lock_timeout_s, **options)

    monkeypatch.setattr(Database, "write", noting)
    return asked


@on_file
async def test_nobody_waits_longer_behind_a_lock_for_having_come_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch of writes waits in turn; the wait of those before it counts."""
    asked = noting_patience(store, monkeypatch)
    monkeypatch.setattr(store_threads, "QUEUE_TIMEOUT_S", 0.5)
    monkeypatch.setattr(store_threads, "MAX_JOBS_PER_COMMIT", 1)
    threads = StoreThreads(store.database)
    with closing(sqlite3.connect(store.database.path or "")) as other:
        other.execute("BEGIN IMMEDIATE")
        outcomes = await asyncio.gather(*(threads.write(_nothing) for _ in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DatabaseBusy}
    assert asked[0] > asked[-1] == 0
    await threads.close()


@on_file
async def test_a_read_that_would_note_its_use_does_not_wait_for_a_writer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, token = make_relayed(store), make_token(store)
    asked = noting_patience(store, monkeypatch)
    with closing(sqlite3.connect(store.database.path or "")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.api_keys.authenticate(key).account_name == "alice"
        assert store.access_token.authenticate(token).name == "alice"
    assert asked == [0, 0]


async def test_a_lost_postgresql_is_told_as_that_and_found_again() -> None:
    # One that does not flush may have forgotten the token and the key after its crash.
    with running_server(fsync=True) as server, make_store(server.create(), clock=StillClock()) as store:
        key, models = make_relayed(store), ModelServer()
        token = make_token(store)
        paths = ("/healthz", "/api/account", "/api/account/usage", "/api/account/settings/price")
        async with client_of(store, token=token, upstream=models) as client:
            assert [(await client.get(path)).status_code for path in paths] == [200] * 4
            server.crash()
            for _ in range(2):
                for path in paths:
                    answer = await client.get(path)
                    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), (path, answer.text)
                assert (await client.get("/healthz")).json()["reason"] == "database_unreachable"
                relayed = {"Authorization": f"Bearer {key}"}
                for answer in (
                    await client.get("/v1/models", headers=relayed),
                    await client.post("/v1/chat/completions", json=CHAT, headers=relayed),
                ):
                    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), answer.text
                    assert "cannot reach its data" in answer.json()["error"]["message"]
            server.start()
            # The pool may hand out what died with the server once more; the call after that has a new connection.
            await client.get("/healthz")
            assert [(await client.get(path)).status_code for path in paths[1:]] == [200] * 3
            assert (await client.post("/v1/chat/completions", json=CHAT, headers=relayed)).status_code == 200
    assert len(models.requests) == 1


def unknown_key() -> str:
    with make_store(seed=2) as elsewhere:
        return make_relayed(elsewhere)


def _nothing(tx: Connection) -> None:
    tx.execute(text("SELECT 1"))
