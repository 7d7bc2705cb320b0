"""The listening socket of `/metrics`, and the metrics that it serves."""

import os
import socket
from typing import Final

import uvicorn
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.multiprocess import MultiProcessCollector
from uvicorn.server import ServerState

from gateway.acceptor import Acceptor
from gateway.connection_register import ConnectionRegister
from gateway.h11_patterns import use_linear_patterns
from gateway.http_protocol import GuardedProtocol
from gateway.metrics_app import MetricsApp
from gateway.prometheus import PrometheusMetrics
from gateway.worker_link import METRICS_DIRECTORY_VARIABLE
from store.store import Store

_MAX_CONNECTIONS: Final = 32
"""Connections of the monitoring. They do not count among those of clients."""


class MetricsPort:
    """The metrics of one process, and the port at which they are read."""

    def __init__(self, store: Store, listener: socket.socket) -> None:
        use_linear_patterns()
        registry = CollectorRegistry()
        self.metrics = PrometheusMetrics(registry)
        if folder := os.environ.get(METRICS_DIRECTORY_VARIABLE):
            # One of several workers: any of them shows the sums of all.
            registry = CollectorRegistry()
            MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]  # it has no annotations
        else:
            ProcessCollector(registry=registry)
        self.listener = listener
        self._config = uvicorn.Config(
            MetricsApp(store, registry),
            http="h11",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            ws="none",
        )
        self._connections = ConnectionRegister(_MAX_CONNECTIONS, _MAX_CONNECTIONS, proxies=())

    def accept(self, state: ServerState) -> Acceptor:
        """Accept on the running event loop. The server with this `state` closes the connections when it stops."""
        self._config.load()
        return Acceptor(
            self.listener,
            lambda: GuardedProtocol(self._config, state, {}, connections=self._connections),
            self._connections,
        )
