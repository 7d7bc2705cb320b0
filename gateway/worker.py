"""One worker of `gatekey serve --workers`: serves on a socket that all workers share, until the supervisor ends it."""

import asyncio
import os
import signal
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import uvicorn

from gateway.app import create_app
from gateway.connection_register import ConnectionRegister
from gateway.log import LOG_LEVELS, log_to_stderr
from gateway.seat import Seat
from gateway.serve import (
    LOGGER,
    GatewayServer,
    make_connection_register,
    server_config,
    tune_garbage_collector,
)
from gateway.tracing_setting import opened_tracing
from gateway.worker_link import DRAIN, READY, WorkerDescriptors, WorkerLink
from gateway.worker_locks import WorkerLocks
from store.store import Store

if TYPE_CHECKING:
    from gateway.metrics_port import MetricsPort

ACCEPTS_PER_TURN: Final = 1
"""Connections that a worker accepts in one turn of its event loop. It would take those that others are idle for."""
_CLOSE: Final = (b"connection", b"close")


class WorkerServer(GatewayServer):
    """A server that tells its supervisor when it is ready, and ends when the supervisor says so or has died."""

    def __init__(
        self,
        config: uvicorn.Config,
        connections: ConnectionRegister,
        link: WorkerLink,
        seat: Seat,
        *,
        metrics: "MetricsPort | None" = None,
    ) -> None:
        super().__init__(config, "", connections, metrics=metrics, accepts_per_turn=ACCEPTS_PER_TURN)
        self._link = link
        self._seat = seat
        self._is_draining = False

    def announce(self, _: socket.socket, /) -> None:
        asyncio.get_running_loop().add_reader(self._link.fileno(), self._on_word)
        self._link.send(READY)

    async def on_tick(self, counter: int) -> bool:
        is_over = await super().on_tick(counter)
        if self._is_draining:
            self._announce_close()
            is_over = is_over or not (self.server_state.connections or self.server_state.tasks)
        return is_over

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().remove_reader(self._link.fileno())
        await super().shutdown(sockets)

    def _on_word(self) -> None:
        word = self._link.receive()
        if word == DRAIN:
            self._is_draining = True
            self._seat.resign()
            self.stop_accepting()
            self._announce_close()
        elif word == b"":
            asyncio.get_running_loop().remove_reader(self._link.fileno())
            LOGGER.error("The supervisor has died. This worker finishes the requests under way, and stops")
            self.should_exit = True

    def _announce_close(self) -> None:
        """Let every further response be the last of its connection, and say so (RFC 9112, 9.6).

        To close an idle connection could cross a request on its way. One that stays idle is closed by its timeout.
        """
        headers = self.server_state.default_headers
        if _CLOSE not in headers:
            self.server_state.default_headers = [*headers, _CLOSE]


def run_worker(store: Store, descriptors: WorkerDescriptors) -> int:
    """Serve on inherited sockets until the supervisor ends it; returns the exit status. The caller closes `store`."""
    log_to_stderr(LOG_LEVELS)
    # The supervisor reloads on SIGHUP; one that reached its workers too would stop them.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(fileno=descriptors.listener))
        link = WorkerLink(descriptors.link)
        stack.callback(link.close)
        locks = WorkerLocks(descriptors.locks)
        seat = Seat(locks)
        measured = None
        if descriptors.metrics is not None:
            from gateway.metrics_port import MetricsPort

            measured = MetricsPort(store, stack.enter_context(socket.socket(fileno=descriptors.metrics)))
        tracing = stack.enter_context(opened_tracing(os.environ))
        tune_garbage_collector()
        counted = measured.metrics if measured else None
        app = create_app(store, metrics=counted, locks=locks, seat=seat, tracing=tracing)
        server = WorkerServer(server_config(app), make_connection_register(store), link, seat, metrics=measured)
        server.run(sockets=[listener])
    return 0 if server.started else 1
