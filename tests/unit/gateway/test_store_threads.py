"""Stopping: what was handed in is written, and whoever waits for it is told, before the threads end."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

import httpx
import pytest
import uvicorn
from sqlalchemy import Connection, QueuePool, func, select, text

from gateway import store_threads
from gateway.app import create_app
from gateway.listener import listen
from gateway.model_server.client import ModelServerClient
from gateway.relay import ledger
from gateway.serve import server_config
from gateway.store_threads import StoreThreads
from store.errors import AlreadySettled, DatabaseBusy, DatabaseForeign, DatabaseUnreachable
from store.models import SiteSetting
from store.reservations import Hold
from store.shared_reads import SharedReads
from store.store import Store
from store.upsert import upsert
from store.values.usage import UsageEntry
from tests.fakes.scripted_model_server import CHAT, ModelServer, said, stream
from tests.harness.gateway_client import client_of, make_relayed
from tests.harness.stores import START, make_store, sign_in
from tests.harness.usage_log import entries_of

STREAMS = 12
PATIENCE = 90.0
"""Seconds for whatever is waited for: a machine at work on other things is slow, not broken."""


@pytest.fixture(autouse=True)
def patient_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine at work on other things keeps work in the queue for longer than people would wait."""
    monkeypatch.setattr(store_threads, "QUEUE_TIMEOUT_S", PATIENCE)


async def written_together(threads: StoreThreads, handed_in: Sequence[Callable[[], asyncio.Future[Any]]]) -> list[Any]:
    """The result or the error of each write `handed_in`, all of which waited behind one; closes `threads`."""
    has_begun, may_begin = asyncio.Event(), threading.Event()
    begun = partial(asyncio.get_running_loop().call_soon_threadsafe, has_begun.set)
    async with asyncio.timeout(PATIENCE):
        blocking = threads.write(lambda _tx: (begun(), may_begin.wait(PATIENCE)), account_id=1)
        await has_begun.wait()
        writes = [one() for one in handed_in]
        may_begin.set()
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        await blocking
        await threads.close()
    return outcomes


async def checked_together(store: Store, check: Callable[[Connection, int], None]) -> list[Any]:
    """The outcomes of three jobs of one account that share a transaction, each with `check` as its `first`."""
    threads = StoreThreads(store.database)

    def hand_in(number: int) -> asyncio.Future[bool]:
        return threads.write(lambda _tx: True, first=lambda reads: check(reads.tx, number), account_id=1)

    return await written_together(threads, [partial(hand_in, number) for number in range(3)])


async def test_closing_wrote_what_waited_behind_a_commit_and_told_everyone(store: Store) -> None:
    threads, is_closing = StoreThreads(store.database), threading.Event()

    def write(tx: Connection, number: int) -> int:
        assert is_closing.wait(PATIENCE)
        upsert(tx, SiteSetting, {"name": f"name{number}"}, {"value": "1", "value_sealed": None, "updated_at": START})
        return number

    async def hand_in(number: int) -> int:
        return await threads.write(lambda tx: write(tx, number))

    async with asyncio.timeout(PATIENCE):
        writes = [asyncio.create_task(hand_in(number)) for number in range(5)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(threads.close())
        await asyncio.sleep(0)
        is_closing.set()
        assert await asyncio.gather(*writes) == list(range(5))
        await closing
    with store.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(SiteSetting)).scalar() == 5


async def test_jobs_that_are_committed_together_read_the_same_once(store: Store) -> None:
    threads, read = StoreThreads(store.database), list[int]()

    def hand_in(threads: StoreThreads, number: int) -> asyncio.Future[int]:
        def ask(reads: SharedReads) -> None:
            reads.once(f"question {number % 2}", lambda _tx: read.append(number))

        return threads.write(lambda _tx: number, first=ask, account_id=1)

    assert await written_together(threads, [partial(hand_in, threads, number) for number in range(6)]) == list(range(6))
    assert read == [0, 1]
    later = StoreThreads(store.database)
    assert await written_together(later, [partial(hand_in, later, 7)]) == [7]
    assert read == [0, 1, 7], "an answer outlived the jobs that it was read for"


@pytest.mark.parametrize("kind", [ValueError, DatabaseBusy, KeyError])
@pytest.mark.parametrize("in_first", [False, True])
async def test_who_fails_fails_alone(store: Store, kind: type[Exception], in_first: bool) -> None:
    """Work that is committed together, one of it with an error nobody thought of."""
    threads = StoreThreads(store.database)

    def write(tx: Connection, number: int) -> int:
        upsert(tx, SiteSetting, {"name": f"name{number}"}, {"value": "1", "value_sealed": None, "updated_at": START})
        return number

    def fail(_: object) -> NoReturn:
        raise kind

    def hand_in(number: int) -> asyncio.Future[int]:
        if number != 3:
            return threads.write(lambda tx: write(tx, number))
        return threads.write(lambda tx: write(tx, number), first=fail) if in_first else threads.write(fail)

    outcomes = await written_together(threads, [partial(hand_in, number) for number in range(6)])
    assert isinstance(outcomes.pop(3), kind)
    if kind is not DatabaseBusy or in_first:
        assert outcomes == [0, 1, 2, 4, 5]


async def test_on_postgresql_what_need_not_wait_for_the_disk_does_not(postgres_store: Store) -> None:
    """A booking waits for it, and the holds of other calls would wait with it if they shared its transaction."""
    threads = StoreThreads(postgres_store.database)

    kinds = [True, False, False, True, True, False]
    work = [partial(threads.write, _transaction, durable=durable, account_id=1) for durable in kinds]
    first, *others = await written_together(threads, work)
    assert [other == first for other in others] == kinds[1:]
    assert len({first, *others}) == 2, "those of one kind did not share a transaction"


async def test_on_postgresql_jobs_of_a_few_turns_of_the_event_loop_share_a_transaction(postgres_store: Store) -> None:
    threads, turns = StoreThreads(postgres_store.database), store_threads.MAX_TURNS_GATHERED + 3

    async def hand_in() -> list[asyncio.Future[int]]:
        writes = []
        for _ in range(turns):
            writes.append(threads.write(_transaction, account_id=1))
            await asyncio.sleep(0)
        return writes

    async with asyncio.timeout(PATIENCE):
        first, second = await asyncio.gather(hand_in(), hand_in())
        numbers = await asyncio.gather(*first, *second)
        await threads.close()
    assert numbers.count(numbers[0]) == 2 * (store_threads.MAX_TURNS_GATHERED + 1)


def _transaction(tx: Connection) -> int:
    return int(tx.exec_driver_sql("SELECT txid_current()").scalar_one())


async def test_on_sqlite_what_waits_for_the_disk_and_what_does_not_take_turns(memory_store: Store) -> None:
    """A booking waits for the disk, and holds that waited longer would wait with it if they shared its transaction."""
    threads, commits = StoreThreads(memory_store.database), list[Connection]()
    memory_store.database.before_commit = commits.append
    kinds = [True, False, False, True, True, False]
    work = [partial(threads.write, lambda _tx: len(commits), durable=durable) for durable in kinds]
    assert await written_together(threads, work) == [2, 1, 1, 2, 2, 1]


async def test_on_sqlite_holds_come_first_but_bookings_wait_for_three_turns_at_most(
    memory_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("MAX_JOBS_PER_COMMIT", "MAX_BOOKINGS_PER_COMMIT"):
        monkeypatch.setattr(store_threads, limit, 1)
    threads, turns = StoreThreads(memory_store.database), list[str]()
    work = [partial(threads.write, partial(_note, turns, kind), durable=kind == "b") for kind in "bhhhhhbh"]
    await written_together(threads, work)
    assert "".join(turns) == "hhhbhhhb"


def _note(turns: list[str], kind: str, _tx: Connection) -> None:
    turns.append(kind)


@pytest.mark.parametrize(("slow_s", "sizes"), [(60.0, [1, 6, 3]), (0.0, [1, 9])])
async def test_on_a_fast_disk_few_bookings_share_a_commit(
    memory_store: Store, monkeypatch: pytest.MonkeyPatch, slow_s: float, sizes: list[int]
) -> None:
    """The seconds that count as slow decide it, whatever the disk of the test takes."""
    monkeypatch.setattr(store_threads, "SLOW_COMMIT_S", slow_s)
    threads, commits = StoreThreads(memory_store.database), list[Connection]()
    memory_store.database.before_commit = commits.append
    turns = await written_together(threads, [partial(threads.write, lambda _tx: len(commits)) for _ in range(9)])
    assert [1, *(turns.count(number) for number in sorted(set(turns)))] == sizes


async def test_only_bookings_that_were_made_tell_how_fast_the_disk_is(memory_store: Store) -> None:
    """One that was refused, and a write that may have changed nothing, take no time on any disk."""
    threads = StoreThreads(memory_store.database)

    def refuse(_tx: Connection) -> NoReturn:
        raise AlreadySettled

    await threads.write(lambda _tx: None)
    with pytest.raises(AlreadySettled):
        await threads.write(refuse, shortcut=lambda: None)
    assert len(threads._durations_s) == 0
    await threads.write(lambda _tx: None, shortcut=lambda: None)
    assert len(threads._durations_s) == 1
    await threads.close()


async def test_the_writer_of_sqlite_keeps_its_connection_until_the_end(memory_store: Store) -> None:
    threads, pool = StoreThreads(memory_store.database), memory_store.database.engine.pool
    assert isinstance(pool, QueuePool)
    used = [await threads.write(lambda tx: id(tx.connection.driver_connection)) for _ in range(3)]
    assert len(set(used)) == 1
    assert pool.checkedout() == 1
    memory_store.database._is_closed = True
    with pytest.raises(DatabaseUnreachable):
        await threads.write(lambda _tx: None)
    memory_store.database._is_closed = False
    await threads.close()
    assert pool.checkedout() == 0


async def test_on_postgresql_the_jobs_of_one_account_share_a_transaction_and_no_others(postgres_store: Store) -> None:
    threads, may_begin, is_alone = StoreThreads(postgres_store.database), threading.Event(), threading.Event()

    async with asyncio.timeout(PATIENCE):
        first = threads.write(lambda _tx: may_begin.wait(PATIENCE), account_id=1)
        await asyncio.sleep(0)
        accounts = (1, 2, 1, None, None, 1)
        writes = [threads.write(_transaction, account_id=each) for each in accounts]
        other = threads.write(lambda _tx: is_alone.set(), account_id=3)
        await other
        assert is_alone.is_set()  # account 1 is being written, and others are not kept waiting
        may_begin.set()
        shared = await asyncio.gather(*writes)
        await first
        await threads.close()
    assert shared[0] == shared[2] == shared[5]
    assert len(set(shared)) == 4


async def test_on_postgresql_jobs_run_again_one_by_one_after_a_deadlock_of_theirs(postgres_store: Store) -> None:
    threads, may_begin, is_victim = StoreThreads(postgres_store.database), threading.Event(), iter([True])

    def write(_tx: Connection) -> bool:
        if next(is_victim, False):
            raise DatabaseBusy
        return True

    async with asyncio.timeout(PATIENCE):
        first = threads.write(lambda _tx: may_begin.wait(PATIENCE), account_id=1)
        await asyncio.sleep(0)
        writes = [threads.write(write, account_id=1) for _ in range(3)]
        await asyncio.sleep(0)
        may_begin.set()
        assert await asyncio.gather(*writes) == [True, True, True]
        await first
        await threads.close()


@pytest.mark.parametrize("backend", ["store", "postgres_store"])
async def test_what_the_driver_raises_while_reading_is_a_sentence_and_nobody_elses(
    backend: str, request: pytest.FixtureRequest
) -> None:
    def read(tx: Connection, number: int) -> None:
        tx.exec_driver_sql("SELECT 1 FROM nowhere" if number == 1 else "SELECT 1")

    outcomes = await checked_together(request.getfixturevalue(backend), read)
    assert isinstance(outcomes.pop(1), DatabaseForeign)
    assert outcomes == [True, True]


async def test_a_connection_lost_while_reading_is_an_error_of_that_job_only(postgres_store: Store) -> None:
    def read(tx: Connection, number: int) -> None:
        if number == 1:
            with postgres_store.database.read() as other:
                end = text("SELECT pg_terminate_backend(CAST(:pid AS integer))")
                other.execute(end, {"pid": tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()})
        tx.exec_driver_sql("SELECT 1")

    outcomes = await checked_together(postgres_store, read)
    assert isinstance(outcomes.pop(1), DatabaseUnreachable)
    assert outcomes == [True, True]


async def test_streams_that_the_stop_cut_off_were_all_booked(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    book, is_busy = store.quota.book, iter([True])

    def busy_at_first(tx: Connection, hold: Hold, cost: int, entry: UsageEntry) -> int:
        if next(is_busy, False):
            raise DatabaseBusy
        return book(tx, hold, cost, entry)

    monkeypatch.setattr(store.quota, "book", busy_at_first)
    monkeypatch.setattr(ledger, "BOOKING_RETRY_DELAYS_S", (0.0,))
    key, never = make_relayed(store), asyncio.Event()
    models = ModelServer(lambda _: stream(said("Hi"), said(" there"), never))
    app = create_app(store, model_server=ModelServerClient(models), dispatches=False)
    config = server_config(app)
    config.timeout_graceful_shutdown = 0  # all that is under way is cancelled, and nobody waits for it
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(config)

    async def cut_off(client: httpx.AsyncClient, has_begun: asyncio.Event) -> None:
        with contextlib.suppress(httpx.RemoteProtocolError):
            async with client.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as relayed:
                async for _ in relayed.aiter_bytes():
                    has_begun.set()

    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    headers = {"Authorization": f"Bearer {key}"}
    with listener, caplog.at_level(logging.CRITICAL, "uvicorn"):
        async with (
            asyncio.timeout(PATIENCE),
            httpx.AsyncClient(base_url=origin, headers=headers, timeout=PATIENCE) as client,
        ):
            serving = asyncio.create_task(server.serve([listener]))
            begun = [asyncio.Event() for _ in range(STREAMS)]
            streams = [asyncio.create_task(cut_off(client, event)) for event in begun]
            for event in begun:
                await event.wait()
            server.should_exit = True
            await serving
            await asyncio.gather(*streams)
    state = store.quota.state(sign_in(store))
    entries = entries_of(store)
    assert [entry.status for entry in entries] == ["gateway_stopped"] * STREAMS
    assert state.held_micro_usd == 0
    assert state.used_micro_usd == sum(entry.cost_micro_usd for entry in entries) > 0


async def test_the_stop_did_not_wait_for_ever_for_a_database_that_was_busy(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(*_: object) -> int:
        raise DatabaseBusy

    monkeypatch.setattr(store.quota, "book", busy)
    monkeypatch.setattr(ledger, "BOOKING_RETRY_DELAYS_S", (3600.0,))
    monkeypatch.setattr(ledger, "BOOKING_TIMEOUT_S", 0.0)
    key = make_relayed(store)
    async with asyncio.timeout(PATIENCE), client_of(store, token=key, upstream=ModelServer()) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
    assert "Calls that were not booked before the gateway stopped: 1" in caplog.text


async def test_a_booking_whose_caller_was_cancelled_was_made(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    book, is_booking, is_cancelled = store.quota.book, asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def busy_at_first(tx: Connection, hold: Hold, cost: int, entry: UsageEntry) -> int:
        if is_cancelled.is_set():
            return book(tx, hold, cost, entry)
        loop.call_soon_threadsafe(is_booking.set)
        assert is_cancelled.wait(PATIENCE)
        raise DatabaseBusy

    monkeypatch.setattr(store.quota, "book", busy_at_first)
    monkeypatch.setattr(ledger, "BOOKING_RETRY_DELAYS_S", (0.0,))
    key = make_relayed(store)
    async with asyncio.timeout(PATIENCE), client_of(store, token=key, upstream=ModelServer()) as client:
        calling = asyncio.create_task(client.post("/v1/chat/completions", json=CHAT))
        await is_booking.wait()
        calling.cancel()
        await asyncio.wait({calling})
        is_cancelled.set()
    assert (await calling).status_code == 503
    assert [entry.status for entry in entries_of(store)] == ["ok"]


async def test_a_call_that_was_cut_off_while_it_was_let_in_held_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work handed to the writing thread is done, though nobody waits for it any more."""
    with make_store() as store:
        key = make_relayed(store)
        hold, is_let_in, may_go_on = store.quota.hold, threading.Event(), threading.Event()

        def slow(*asked: Any, **options: Any) -> Hold:
            is_let_in.set()
            may_go_on.wait(PATIENCE)
            return hold(*asked, **options)

        monkeypatch.setattr(store.quota, "hold", slow)
        async with client_of(store, token=key, upstream=ModelServer()) as client:
            call = asyncio.create_task(client.post("/v1/chat/completions", json=CHAT))
            await asyncio.to_thread(is_let_in.wait, PATIENCE)
            call.cancel()
            cut_off = await call
            may_go_on.set()
        state = store.quota.state(sign_in(store))
        (logged,) = store.usage.page(sign_in(store)).entries
    assert (cut_off.status_code, cut_off.headers["retry-after"]) == (503, "5")
    assert cut_off.json()["error"]["message"] == "The gateway is being stopped."
    assert (state.held_micro_usd, state.used_micro_usd) == (0, 0)
    assert "stopped" in logged.entry.detail
