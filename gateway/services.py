"""The services shared by all routes of the gateway."""

from dataclasses import dataclass
from typing import Self

from starlette.types import Scope

from gateway.access_log import note_account
from gateway.bearer import BadBearers
from gateway.client_address import client_address
from gateway.metrics import Metrics, NoMetrics
from gateway.rate_limiter import RateLimiter
from gateway.site_view import SiteViewCache
from gateway.store_threads import StoreThreads
from gateway.worker_locks import WorkerLocks
from store.access_token import TokenHolder
from store.api_key_use import KeyHolder
from store.store import Store


@dataclass(frozen=True)
class Services:
    """The shared services of one application."""

    store: Store
    threads: StoreThreads
    site: SiteViewCache
    bad_bearers: BadBearers
    rates: RateLimiter
    metrics: Metrics
    locks: WorkerLocks | None
    """None: this process has no fellow workers."""

    @classmethod
    def over(cls, store: Store, metrics: Metrics | None = None, locks: WorkerLocks | None = None) -> Self:
        threads = StoreThreads(store.database)
        return cls(
            store=store,
            threads=threads,
            site=SiteViewCache(store.site, threads),
            bad_bearers=BadBearers(store.throttles, store.context.clock, threads),
            rates=RateLimiter(store.rates, store.context.clock, threads),
            metrics=metrics or NoMetrics(),
            locks=locks,
        )

    async def address(self, scope: Scope) -> str:
        """The client's address. Raises `StoreUnavailable`."""
        return client_address(scope, (await self.site.current()).trusted_proxies)

    def log_account(self, scope: Scope, holder: TokenHolder | KeyHolder, address: str) -> None:
        """Add the account to the access log, and the address only if the account records addresses."""
        note_account(scope, account_id=holder.account_id, address=address if holder.records_ip else None)

    async def aclose(self) -> None:
        """Wait until every queued write is done, and stop the threads."""
        await self.rates.aclose()
        await self.threads.close()
