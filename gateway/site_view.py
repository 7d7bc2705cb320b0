"""What the gateway needs of the administrator's switches, read again twice a second."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from gateway.client_address import Network, parse_networks
from gateway.store_threads import StoreThreads
from store.site import Site

SITE_VIEW_TTL_S: Final = 0.5
"""Seconds. A switch takes effect within one second, however many requests there are."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """The switches at one moment."""

    upstream_url: str
    """Empty: there is no model server."""
    upstream_key: str = field(repr=False)
    trusted_proxies: tuple[Network, ...]
    requests_per_minute_of_key: int
    """0: as many as it likes; the same of the account."""
    requests_per_minute_of_account: int
    body_mib_of_account: int
    body_mib: int
    """Of all accounts."""
    output_limit: str = "max_tokens"
    """The field of a chat with which the model server lets its answers be limited, or `ignored`."""
    max_output_tokens: int = 131_072
    """The longest answer of a model whose price does not say."""
    extra_fields: frozenset[str] = frozenset()
    """Fields of a request that are passed on although nobody here knows them."""

    @property
    def upstream_host(self) -> str:
        """The host of the model server, which no client is told; empty if there is no model server."""
        return urlsplit(self.upstream_url).hostname or ""


class SiteViewCache:
    """Hands out the current view."""

    def __init__(self, site: Site, threads: StoreThreads, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._site = site
        self._threads = threads
        self._monotonic = monotonic
        self._view: SiteView | None = None
        self._until = 0.0

    async def current(self) -> SiteView:
        """The view, at most `SITE_VIEW_TTL_S` old when it was asked for. Raises `StoreUnavailable`."""
        if self._view is None or self._monotonic() >= self._until:
            asked_at = self._monotonic()
            self._view = await self._threads.read(self._read)
            self._until = asked_at + SITE_VIEW_TTL_S
        return self._view

    def _read(self) -> SiteView:
        return SiteView(
            upstream_url=self._site.text("upstream.base_url"),
            upstream_key=self._site.text("upstream.api_key"),
            trusted_proxies=parse_networks(self._site.items("gateway.trusted_proxies")),
            requests_per_minute_of_key=self._site.number("limits.requests_per_minute_per_key"),
            requests_per_minute_of_account=self._site.number("limits.requests_per_minute_per_account"),
            body_mib_of_account=self._site.number("limits.body_mib_per_account"),
            body_mib=self._site.number("limits.body_mib"),
            output_limit=self._site.text("upstream.output_limit"),
            max_output_tokens=self._site.number("price.max_output_tokens"),
            extra_fields=frozenset(self._site.items("relay.extra_fields")),
        )
