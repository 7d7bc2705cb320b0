"""However the server ends, every stream is charged by what was delivered."""

import asyncio
import contextlib
import signal
import socket
import threading
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from gateway import serve
from gateway.app import create_app
from gateway.listener import listen
from gateway.model_server.client import ModelServerClient
from gateway.relay import ledger
from store.errors import DatabaseBusy
from store.reservations import Hold
from store.store import Store
from store.values.usage import UsageEntry
from tests.fakes.scripted_model_server import CHAT, COST, ModelServer, said, stream
from tests.harness.gateway_client import make_relayed
from tests.harness.stores import sign_in

STREAMS = 6
PATIENCE = 60.0


def read_two_pieces(url: str, key: str, have_come: threading.Barrier) -> None:
    """Begin a stream, and say at `have_come` that two pieces of it are here."""
    headers, body = {"Authorization": f"Bearer {key}"}, {**CHAT, "stream": True}
    with (
        contextlib.suppress(httpx.TransportError),
        httpx.stream("POST", f"{url}/v1/chat/completions", headers=headers, json=body, timeout=PATIENCE) as relayed,
    ):
        for count, _ in enumerate(line for line in relayed.iter_lines() if line):
            if count == 1:
                have_come.wait(PATIENCE)


@pytest.mark.parametrize("fault", ["an error", "the loop is stopped"])
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_streams_that_an_error_of_the_event_loop_cut_off_were_booked(
    store: Store, monkeypatch: pytest.MonkeyPatch, fault: str, loop: str
) -> None:
    monkeypatch.setattr(serve, "event_loop", lambda: loop)
    key, have_come, is_due = make_relayed(store), threading.Barrier(STREAMS + 1), threading.Event()
    models = ModelServer(lambda _: stream(said("Hi"), said(" there"), asyncio.Event()))
    app = create_app(store, model_server=ModelServerClient(models), dispatches=False)
    listener = listen("127.0.0.1", 0)
    server = serve.GatewayServer(serve.server_config(app), "127.0.0.1", serve.make_connection_register(store))
    on_tick = server.on_tick

    async def fail(counter: int) -> bool:
        if not is_due.is_set():
            return await on_tick(counter)
        if fault == "an error":
            raise RuntimeError("planted")
        asyncio.get_running_loop().stop()
        await asyncio.Event().wait()
        return False

    def plant() -> None:
        have_come.wait(PATIENCE)
        is_due.set()

    monkeypatch.setattr(server, "on_tick", fail)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    clients = [threading.Thread(target=read_two_pieces, args=(url, key, have_come)) for _ in range(STREAMS)]
    for thread in (*clients, threading.Thread(target=plant)):
        thread.start()
    with listener, pytest.raises(RuntimeError):
        server.run(sockets=[listener])
    for thread in clients:
        thread.join(PATIENCE)
    entries = [line.entry for line in store.usage.page(sign_in(store)).entries]
    assert [(entry.status, entry.completion_tokens) for entry in entries] == [("gateway_stopped", 2)] * STREAMS
    state = store.quota.state(sign_in(store))
    assert state.held_micro_usd == 0
    assert state.used_micro_usd == sum(entry.cost_micro_usd for entry in entries) > 0


def test_a_booking_that_waited_for_the_database_was_made_after_an_error_of_the_server(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, is_due, book = make_relayed(store), threading.Event(), store.quota.book
    app = create_app(store, model_server=ModelServerClient(ModelServer()), dispatches=False)
    listener = listen("127.0.0.1", 0)
    server = serve.GatewayServer(serve.server_config(app), "127.0.0.1", serve.make_connection_register(store))
    on_tick = server.on_tick

    def busy(tx: Connection, hold: Hold, cost: int, entry: UsageEntry) -> int:
        if not is_due.is_set():
            raise DatabaseBusy
        return book(tx, hold, cost, entry)

    async def fail(counter: int) -> bool:
        if is_due.is_set():
            raise RuntimeError("planted")
        return await on_tick(counter)

    def call() -> None:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/chat/completions"
        answer = httpx.post(url, headers={"Authorization": f"Bearer {key}"}, json=CHAT, timeout=PATIENCE)
        assert answer.status_code == 200
        is_due.set()

    monkeypatch.setattr(ledger, "BOOKING_RETRY_DELAYS_S", (1.0, 1.0))
    monkeypatch.setattr(store.quota, "book", busy)
    monkeypatch.setattr(server, "on_tick", fail)
    thread = threading.Thread(target=call)
    thread.start()
    with listener, pytest.raises(RuntimeError, match="planted"):
        server.run(sockets=[listener])
    thread.join(PATIENCE)
    state = store.quota.state(sign_in(store))
    assert (state.held_micro_usd, state.used_micro_usd) == (0, COST)


@pytest.mark.parametrize("request_sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n"])
def test_a_connection_that_came_with_the_signal_was_not_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, request_sent: bytes
) -> None:
    app = create_app(store, model_server=ModelServerClient(ModelServer()), dispatches=False)
    listener = listen("127.0.0.1", 0)
    server = serve.GatewayServer(serve.server_config(app), "127.0.0.1", serve.make_connection_register(store))
    wait_for_all, kept, clients = server._wait_tasks_to_complete, list[Any](), list[socket.socket]()

    async def stop(_: int) -> bool:
        for _ in range(50):
            clients.append(sockets.enter_context(socket.create_connection(listener.getsockname(), timeout=PATIENCE)))
            clients[-1].sendall(request_sent)
        server._acceptors[0]._accept()
        return True

    def is_kept(connection: Any) -> bool:
        """True unless it is closed, at once or after the request that is under way."""
        cycle = connection.cycle
        is_answering = cycle is not None and not cycle.response_complete and not cycle.keep_alive
        return not connection.transport.is_closing() and not is_answering

    async def waiting() -> None:
        kept.extend(filter(is_kept, server.server_state.connections))
        await wait_for_all()

    monkeypatch.setattr(server, "on_tick", stop)
    monkeypatch.setattr(server, "_wait_tasks_to_complete", waiting)
    # The clients are closed also if this fails: an open socket would fail a later test.
    with listener, contextlib.ExitStack() as sockets:
        server.run(sockets=[listener])
        listener.close()
        assert not kept
        for client in clients:
            with contextlib.suppress(ConnectionResetError):
                # A busy machine may answer that the database took too long to be looked at.
                assert client.recv(65536)[:12] in (b"", b"HTTP/1.1 200", b"HTTP/1.1 503")


def test_a_signal_that_is_ignored_stays_ignored(store: Store) -> None:
    """nohup has the program ignore SIGHUP."""
    server = serve.GatewayServer(
        serve.server_config(create_app(store)), "127.0.0.1", serve.make_connection_register(store)
    )
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with server.capture_signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) == server._asked_to_stop
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with server.capture_signals():
            assert signal.getsignal(signal.SIGHUP) == server._asked_to_stop
    finally:
        signal.signal(signal.SIGHUP, before)
