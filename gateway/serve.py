"""`gatekey serve`: runs the gateway on uvicorn."""

import gc
import importlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final, Literal, cast

import h11
import uvicorn

from gateway.acceptor import Acceptor
from gateway.app import create_app
from gateway.client_address import parse_networks
from gateway.connection_register import ConnectionRegister
from gateway.descriptors import connection_limit, peer_limit, raise_limit
from gateway.http_protocol import GuardedProtocol
from gateway.listener import BACKLOG_CONNECTIONS, address_of, listen
from gateway.log import LOG_LEVELS, log_to_stderr
from gateway.strict_http import StrictConnection
from gateway.tracing_setting import opened_tracing
from store.store import Store

if TYPE_CHECKING:
    from gateway.metrics_port import MetricsPort

LOGGER: Final = logging.getLogger("gatekey")
SHUTDOWN_GRACE_S: Final = 60
"""Seconds that requests under way may take after the signal to stop."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that stop the gateway. A closed terminal sends SIGHUP, which would otherwise kill it amid a stream."""
_GC_THRESHOLD_OBJECTS: Final = 50_000
"""Allocations between two collections. Python's default of 700 is reached within a few requests."""


class GatewayServer(uvicorn.Server):
    """A server that stops on a signal, and does not raise the signal again afterwards."""

    def __init__(
        self,
        config: uvicorn.Config,
        host: str,
        connections: ConnectionRegister,
        *,
        metrics: "MetricsPort | None" = None,
        accepts_per_turn: int | None = None,
    ) -> None:
        """`accepts_per_turn` limits the connections that are accepted in one turn of the event loop."""
        super().__init__(config)
        self._host = host
        self._connections = connections
        self._metrics = metrics
        self._accepts_per_turn = accepts_per_turn
        self._make_framing = http_framing()
        self._acceptors: list[Acceptor] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Log the address once a signal would stop the server properly."""
        await super().startup([])
        if self.started and sockets:
            self._acceptors = [
                Acceptor(each, self._protocol, self._connections, at_once=self._accepts_per_turn) for each in sockets
            ]
            if self._metrics is not None:
                self._acceptors.append(self._metrics.accept(self.server_state))
            self.servers = [*self._acceptors]  # type: ignore[list-item]  # uvicorn only closes them
            self.announce(sockets[0])

    def announce(self, listener: socket.socket, /) -> None:
        """Tell that requests are accepted on `listener`."""
        LOGGER.info("Gatekey listens on %s", address_of(listener, self._host))

    def stop_accepting(self) -> None:
        """Accept no more connections."""
        for acceptor in self._acceptors:
            acceptor.close()

    def _protocol(self) -> GuardedProtocol:
        return GuardedProtocol(
            self.config,
            self.server_state,
            self.lifespan.state,
            connections=self._connections,
            make_framing=self._make_framing,
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # A signal that the parent process set to be ignored, as nohup does, stays ignored.
        heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._asked_to_stop) for number in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def main_loop(self) -> None:
        """Serve until a signal. An exception stops the gateway like a second signal does, and is raised again."""
        is_over = False
        try:
            await super().main_loop()
            is_over = True
        finally:
            if not is_over:
                self.force_exit = True
                await self.shutdown()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop. On a forced exit uvicorn skips the application's shutdown, which books calls: run it here."""
        # uvicorn closes the connections it knows of. A connection that was just accepted is not among them yet, and
        # would be waited for.
        self.stop_accepting()
        for acceptor in self._acceptors:
            await acceptor.settle()
        await super().shutdown(sockets)
        if self.force_exit:
            for request in self.server_state.tasks:
                request.cancel()
            await self.lifespan.shutdown()

    def _asked_to_stop(self, number: int, _frame: FrameType | None) -> None:
        # A second signal does not wait for requests, a third waits for nothing.
        if self.should_exit:
            self.force_exit = True
            signal.signal(number, signal.SIG_DFL)
        self.should_exit = True


def serve(store: Store, *, host: str, port: int, metrics: tuple[str, int] | None = None) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP, finish the requests under way, and return 0.

    `metrics` is the host and the port at which Prometheus reads the metrics; None counts nothing. Logs go to standard
    error. The caller closes `store`. Raises `CannotListen`, and `TracesMissing`.
    """
    log_to_stderr(LOG_LEVELS)
    with ExitStack() as opened:
        listener = opened.enter_context(listen(host, port))
        measured = None
        if metrics is not None:
            from gateway.metrics_port import MetricsPort

            measured = MetricsPort(store, opened.enter_context(listen(*metrics)))
            LOGGER.info("The metrics are at %s/metrics", address_of(measured.listener, metrics[0]))
        tracing = opened.enter_context(opened_tracing(os.environ))
        tune_garbage_collector()
        app = create_app(store, metrics=measured.metrics if measured else None, tracing=tracing)
        server = GatewayServer(server_config(app), host, make_connection_register(store), metrics=measured)
        server.run(sockets=[listener])
    LOGGER.info("Gatekey has stopped")
    return 0 if server.started else 1


def make_connection_register(store: Store) -> ConnectionRegister:
    """The register of a server over `store`, limited by its settings and by the descriptors of this process."""
    site = store.site
    limit = connection_limit(raise_limit(), site.number("limits.connections"))
    of_peer = peer_limit(limit, site.number("limits.connections_per_client"))
    return ConnectionRegister(limit, of_peer, proxies=parse_networks(site.items("gateway.trusted_proxies")))


def tune_garbage_collector() -> None:
    """Exclude loaded modules from garbage collection, and collect less often: a tenth of each request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD_OBJECTS, 20, 100)


def event_loop() -> Literal["uvloop", "asyncio"]:
    """The event loop of the gateway: uvloop, where there is a build of it for this interpreter."""
    try:
        importlib.import_module("uvloop")
    except ImportError:
        return "asyncio"
    return "uvloop"


def http_framing() -> Callable[[int], h11.Connection]:
    """The framing of requests: llhttp, where there is a build of it for this interpreter, or h11."""
    try:
        importlib.import_module("httptools")
    except ImportError:
        return StrictConnection
    from gateway.light_connection import LightConnection

    return cast("Callable[[int], h11.Connection]", LightConnection)


def server_config(app: object) -> uvicorn.Config:
    """The settings of uvicorn. It ignores forwarded headers, which it would trust from anyone: see
    `gateway.client_address`."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn spells out ASGI more narrowly than starlette
        loop=event_loop(),
        http="h11",  # what `GuardedProtocol` is built on, whatever else is installed
        proxy_headers=False,
        forwarded_allow_ips="",
        server_header=False,
        access_log=False,
        log_config=None,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=SHUTDOWN_GRACE_S,
        backlog=BACKLOG_CONNECTIONS,
    )
