"""A crash of the database, and `kill -9` of the gateway, under load: every call that was answered is charged once."""

import asyncio
import json
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import pytest
from sqlalchemy import func, select
from starlette.responses import Response, StreamingResponse

from store.models import Reservation, UsageEntryRow
from store.money import MICRO_PER_USD
from store.reservations import ABANDONED_AFTER
from store.store import Store
from tests.fakes.model_answers import Asked
from tests.fakes.model_server import ModelServer
from tests.harness.charged_calls import CHAT, COST, QUOTA_USD, prepare_account
from tests.harness.live_servers import live
from tests.harness.postgres import PostgresServer, running_server
from tests.harness.quota_calls import count_open_reservations
from tests.harness.served_gateway import several
from tests.harness.stores import StillClock, lift_request_rates, make_ring, make_store, sign_in

HELD_BACK: Final = 20
"""Calls that the model server keeps waiting through the crash."""
WORKERS: Final = 8
PATIENCE: Final = 120.0
"""Seconds for what has to happen."""
LONGEST_STOP: Final = 240.0
"""Seconds: more than `gateway.relay.ledger.BOOKING_TIMEOUT_S`."""
_KEEPS_LATELY_HELD: Final = ("wal_writer_delay=10s",)
"""A commit that does not wait for the disk is not on it for ten seconds, unless another commit waits for the disk."""


@dataclass
class Clients:
    """Callers that take turns at plain and streamed chats. `answered` has the names of calls that were complete."""

    url: str
    key: str
    answered: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self, client: httpx.AsyncClient, *, streams: bool) -> None:
        """One call; one that broke off counts as refused."""
        try:
            answer = await client.post("/v1/chat/completions", json={**CHAT, "stream": streams})
        except httpx.TransportError as error:
            self.refused[type(error).__name__] += 1
            return
        is_intact = answer.text.endswith("data: [DONE]\n\n") if streams else answer.is_success
        if answer.is_success and is_intact:
            self.answered.append(answer.headers["X-Request-Id"])
        else:
            self.refused[str(answer.status_code)] += 1

    async def keep_calling(self, number: int) -> None:
        """Call until `stop` is set."""
        async with self.client() as client:
            while not self.stop.is_set():
                number += 1
                await self.call(client, streams=number % 2 == 0)

    def client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=PATIENCE)

    async def have_answers(self, count: int) -> None:
        """Wait until `count` more calls were answered."""
        enough = len(self.answered) + count
        await until(lambda: len(self.answered) >= enough, "calls are answered")


async def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait until `is_so`. Raises `AssertionError` after `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"waited for ever until {what}"
        await asyncio.sleep(0.01)


@contextmanager
def crashing_postgres() -> Iterator[PostgresServer]:
    with running_server(fsync=True, more=_KEEPS_LATELY_HELD) as server:
        yield server


def served_calls(store: Store) -> Counter[str]:
    """The number of served entries in the log, by call."""
    served = select(UsageEntryRow.c.request_id).where(UsageEntryRow.c.status == "ok")
    with store.database.read() as tx:
        return Counter(tx.execute(served).scalars())


def check_the_books(url: str, answered: list[str]) -> tuple[int, int]:
    """Every answered call is charged once, and what was in flight is given back after its time.

    Returns how many calls were charged, and how many reservations were abandoned.
    """
    clock = StillClock()
    with make_store(url, clock=clock) as store:
        served = served_calls(store)
        assert set(answered) <= set(served), "answered and not charged"
        assert set(served.values()) <= {1}, "charged twice"
        with store.database.read() as tx:
            cost = tx.execute(select(func.sum(UsageEntryRow.c.cost_micro_usd))).scalar_one()
            newest = tx.execute(select(func.max(Reservation.c.created_at))).scalar_one()
            of_served = select(func.sum(UsageEntryRow.c.cost_micro_usd)).where(UsageEntryRow.c.status == "ok")
            assert tx.execute(of_served).scalar_one() == COST * len(served)
        clock.time = newest + ABANDONED_AFTER
        released = store.quota.release_abandoned()
        with store.database.read() as tx:
            state = store.quota.state_of(tx, 1)
            assert state.held_micro_usd == 0
            assert state.used_micro_usd == QUOTA_USD * MICRO_PER_USD - state.remaining_micro_usd == cost
        clock.time += ABANDONED_AFTER  # the key's own books
        (key,) = store.api_keys.list(sign_in(store))
        assert key.spent_micro_usd == cost
        return len(served), released


async def test_calls_in_flight_through_a_crash_of_the_database_were_charged(tmp_path: Path) -> None:
    """Their holds were not on the disk yet, so the database has forgotten them."""
    may_answer, models = threading.Event(), ModelServer()
    document = {"choices": [], "usage": models.usage, "object": "chat.completion"}

    async def late() -> AsyncIterator[bytes]:
        await asyncio.to_thread(may_answer.wait, PATIENCE)
        yield json.dumps(document).encode()

    def hold_back(_: Asked) -> Response:
        return StreamingResponse(late(), media_type="application/json")

    models.fault = hold_back
    with crashing_postgres() as postgres, postgres.database() as url, live(models.app) as upstream:
        key = prepare_account(url, upstream)
        with several(1, tmp_path, url, make_ring()) as (gateway,):
            clients = Clients(gateway.url, key)
            async with clients.client() as client:
                calls = [asyncio.create_task(clients.call(client, streams=False)) for _ in range(HELD_BACK)]
                await until(lambda: len(models.asked) == HELD_BACK, "all calls are at the model server")
                await asyncio.to_thread(postgres.crash)
                await asyncio.to_thread(postgres.start)
                with make_store(url) as store, store.database.read() as tx:
                    kept = count_open_reservations(tx, 1)
                may_answer.set()
                await asyncio.gather(*calls)
            assert len(clients.answered) == HELD_BACK, clients.refused
        charged, released = check_the_books(url, clients.answered)
    assert (charged, released) == (HELD_BACK, 0)
    print(
        f"BAR C3-in-flight {HELD_BACK} calls served through a crash that forgot {HELD_BACK - kept} holds: "
        f"{charged} charged, {charged * COST} micro-USD"
    )


@pytest.mark.parametrize("crashes", [1, pytest.param(8, marks=pytest.mark.long)])
async def test_a_crash_of_the_database_under_load(tmp_path: Path, crashes: int) -> None:
    with crashing_postgres() as postgres, postgres.database() as url, live(ModelServer().app) as upstream:
        key = prepare_account(url, upstream)
        with several(1, tmp_path, url, make_ring()) as (gateway,):
            clients = Clients(gateway.url, key)
            workers = [asyncio.create_task(clients.keep_calling(number)) for number in range(WORKERS)]
            for _ in range(crashes):
                await clients.have_answers(30)
                await asyncio.to_thread(postgres.crash)
                await asyncio.to_thread(postgres.start)
            await clients.have_answers(30)
            clients.stop.set()
            await asyncio.gather(*workers)
            assert not clients.refused["500"], gateway.log.read_text()
            # A clean stop waits for the bookings that the crash put off, and the last try is two minutes later.
            gateway.process.terminate()
            assert await asyncio.to_thread(gateway.process.wait, LONGEST_STOP) == 0
        charged, released = check_the_books(url, clients.answered)
    print(
        f"BAR C3-crash {crashes} crashes of PostgreSQL under {WORKERS} clients: {len(clients.answered)} calls "
        f"answered, {charged} charged once each, {charged * COST} micro-USD; "
        f"refused meanwhile {dict(clients.refused)}; {released} reservations given back after their time"
    )


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.long)])
async def test_a_kill_of_a_worker_under_load(url: str, database_kind: str, tmp_path: Path, kills: int) -> None:
    rng, killed = random.Random(7), []
    with live(ModelServer().app) as upstream:
        key = prepare_account(url, upstream)
        with make_store(url) as store:
            lift_request_rates(store)
        with several(1, tmp_path, url, make_ring(), options=["--workers", "2"]) as (gateway,):
            clients = Clients(gateway.url, key)
            callers = [asyncio.create_task(clients.keep_calling(number)) for number in range(WORKERS)]
            for _ in range(kills):
                await clients.have_answers(30)
                await until(lambda: len(gateway.workers()) == 2, "the worker is replaced")
                killed.append(rng.choice(gateway.workers()))
                os.kill(killed[-1], signal.SIGKILL)
                await clients.have_answers(10)
            clients.stop.set()
            await asyncio.gather(*callers)
            log = gateway.log.read_text()
            assert [int(each) for each in re.findall(r"Worker (\d+) died \(signal 9\)", log)] == killed
            assert not clients.refused["500"], log
        charged, released = check_the_books(url, clients.answered)
    assert released <= kills * WORKERS
    print(
        f"BAR C3-worker-{database_kind} {kills} kills of a worker under {WORKERS} clients: "
        f"{len(clients.answered)} calls answered, {charged} charged once each, {charged * COST} micro-USD; "
        f"broken off {dict(clients.refused)}; {released} reservations given back after their time"
    )


@pytest.mark.parametrize("kills", [1, pytest.param(8, marks=pytest.mark.long)])
async def test_a_kill_of_the_gateway_under_load(url: str, database_kind: str, tmp_path: Path, kills: int) -> None:
    answered: list[str] = []
    refused: Counter[str] = Counter()
    with live(ModelServer().app) as upstream:
        key = prepare_account(url, upstream)
        for _ in range(kills):
            with several(1, tmp_path, url, make_ring()) as (gateway,):
                clients = Clients(gateway.url, key)
                workers = [asyncio.create_task(clients.keep_calling(number)) for number in range(WORKERS)]
                await clients.have_answers(30)
                gateway.process.send_signal(signal.SIGKILL)
                clients.stop.set()
                await asyncio.gather(*workers)
                assert gateway.process.wait(PATIENCE) == -signal.SIGKILL
            answered += clients.answered
            refused += clients.refused
        charged, released = check_the_books(url, answered)
    print(
        f"BAR C3-kill-{database_kind} {kills} kills of the gateway under {WORKERS} clients: "
        f"{len(answered)} calls answered, {charged} charged once each, {charged * COST} micro-USD; "
        f"broken off {refused.total()}; {released} reservations given back after their time"
    )
