"""The listening socket of `/metrics`, and the metrics that it serves."""

import logging
import socket
from typing import Final

import uvicorn
from prometheus_client import CollectorRegistry, ProcessCollector
from uvicorn.server import ServerState

from gateway.acceptor import Acceptor
from gateway.connection_register import ConnectionRegister
from gateway.http_protocol import GuardedProtocol
from gateway.metrics_app import METRICS_PATH, MetricsApp
from gateway.prometheus import PrometheusMetrics
from store.store import Store

LOGGER: Final = logging.getLogger("gatekey")
_MAX_CONNECTIONS: Final = 32
"""Connections of the monitoring. They do not count among those of clients."""


class MetricsPort:
    """The metrics of one process, and the port at which they are read."""

    def __init__(self, store: Store, listener: socket.socket) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.metrics = PrometheusMetrics(registry)
        self._listener = listener
        self._config = uvicorn.Config(
            MetricsApp(store, registry),
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
        host, port = self._listener.getsockname()[:2]
        LOGGER.info("The metrics are at http://%s:%d%s", f"[{host}]" if ":" in host else host, port, METRICS_PATH)
        return Acceptor(
            self._listener,
            lambda: GuardedProtocol(self._config, state, {}, connections=self._connections),
            self._connections,
        )
