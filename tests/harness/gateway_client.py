"""A gateway without a socket: its application over a store in memory, and a client that calls it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import httpx

from gateway.app import create_app
from gateway.metrics import Metrics
from gateway.model_server.client import ModelServerClient
from store.money import MICRO_PER_USD
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from store.values.billing import ModelPrice
from tests.harness.stores import add_account, sign_in

if TYPE_CHECKING:
    from gateway.tracing import Tracing

PEER: Final = "203.0.113.77"
UPSTREAM: Final = "http://models.test/v1"
UPSTREAM_KEY: Final = "upstream-secret-0123456789"
MODEL: Final = "gpt-priced"
PRICE: Final = ModelPrice(MODEL, MICRO_PER_USD, 2 * MICRO_PER_USD)
"""One micro-USD for a token in and two for a token out."""


@asynccontextmanager
async def client_of(
    store: Store,
    *,
    token: str | None = None,
    upstream: httpx.AsyncBaseTransport | None = None,
    peer: str = PEER,
    metrics: Metrics | None = None,
    tracing: "Tracing | None" = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new gateway over `store`, which sends `token` as its bearer."""
    model_server = ModelServerClient(upstream, tracing=tracing)
    app = create_app(store, model_server=model_server, dispatches=False, metrics=metrics, tracing=tracing)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 51000))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers) as client:
            yield client


def make_token(store: Store, name: str = "alice") -> str:
    """A System Access Token of an account that there is already."""
    return store.access_token.generate(sign_in(store, name)).token


FILE_ID: Final = "file-1"
"""A file of the account that `make_relayed` makes."""


def make_relayed(store: Store, *, quota_usd: int = 5, spend_limit_micro_usd: int | None = None) -> str:
    """An account, a model server, a price; returns an API key."""
    account = add_account(store, quota_usd=quota_usd)
    with store.database.write() as tx:
        store.relay_files.register(tx, account.id, FILE_ID, filename="batch.jsonl", purpose="batch")
    store.site.set("upstream.base_url", UPSTREAM)
    store.site.set("upstream.api_key", UPSTREAM_KEY)
    store.pricing.set(PRICE)
    return store.api_keys.create(
        sign_in(store), "laptop", ApiKeyLimits(spend_limit_micro_usd=spend_limit_micro_usd)
    ).key
