"""`/metrics` on a port of its own, for Prometheus."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.types import Receive, Scope, Send

from store.errors import StoreUnavailable
from store.store import Store

METRICS_PATH: Final = "/metrics"
_TEXT: Final = "text/plain; charset=utf-8"
_NOTHING: Final = f"There is nothing at this address. The metrics are at {METRICS_PATH}.\n".encode()


class MetricsApp:
    """Answers `GET /metrics` with the figures in `registry` and the depth of the outbox of `store`."""

    def __init__(self, store: Store, registry: CollectorRegistry) -> None:
        self._store = store
        self._registry = registry

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        status, media_type, body = 404, _TEXT, _NOTHING
        if scope["path"] == METRICS_PATH and scope["method"] in ("GET", "HEAD"):
            status, media_type, body = 200, CONTENT_TYPE_LATEST, await asyncio.to_thread(self._page)
        length = str(len(body)).encode()
        headers = [(b"content-type", media_type.encode()), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _page(self) -> bytes:
        of_database = CollectorRegistry()
        of_database.register(_DatabaseCollector(self._store))
        return generate_latest(self._registry) + generate_latest(of_database)


class _DatabaseCollector:
    """The figures that are read from the database at each request for them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        make = partial(GaugeMetricFamily, labels=None)
        try:
            waiting = self._store.deliveries.count_waiting()
        except StoreUnavailable:
            yield make("gatekey_database_up", "1 if the database answered.", 0)
            return
        yield make("gatekey_database_up", "1 if the database answered.", 1)
        yield make("gatekey_outbox_messages", "Notifications that wait to be delivered.", waiting)
