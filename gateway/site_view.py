"""The administrator's settings that the gateway needs per request, cached for half a second."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from gateway.client_address import Network, parse_networks
from gateway.store_threads import StoreThreads
from store.site import Site

SITE_VIEW_TTL_S: Final = 0.5
"""Seconds. A setting takes effect within one second, at any request rate."""

_NAMES: Final = (
    "upstream.base_url",
    "upstream.api_key",
    "gateway.trusted_proxies",
    "limits.requests_per_minute_per_key",
    "limits.requests_per_minute_per_account",
    "limits.body_mib_per_account",
    "limits.body_mib",
    "limits.file_mib",
    "upstream.output_limit",
    "price.max_output_tokens",
    "relay.extra_fields",
    "relay.keep_alive_seconds",
)
"""The settings that a view has."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """The settings at one moment."""

    upstream_url: str
    """Empty: no model server is configured."""
    upstream_key: str = field(repr=False)
    trusted_proxies: tuple[Network, ...]
    requests_per_minute_of_key: int
    """0: unlimited. The same holds for the account's limit."""
    requests_per_minute_of_account: int
    body_mib_of_account: int
    body_mib: int
    """The limit of all accounts together."""
    file_mib: int = 100
    """The largest file that an account may upload."""
    output_limit: str = "max_tokens"
    """The request field that limits the length of an answer at this model server, or `ignored`."""
    max_output_tokens: int = 131_072
    """The longest answer of a model whose price names no maximum."""
    extra_fields: frozenset[str] = frozenset()
    """Request fields that are passed on although the gateway does not know them."""
    keep_alive_s: int = 15
    """Seconds of silence in a stream after which a comment is sent; 0 sends none."""

    @property
    def upstream_host(self) -> str:
        """Host of the model server, which clients must not see; empty if none is configured."""
        return _host_of(self.upstream_url)


@lru_cache(maxsize=8)
def _host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


class SiteViewCache:
    """Caches the current `SiteView`."""

    def __init__(self, site: Site, threads: StoreThreads, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._site = site
        self._threads = threads
        self._monotonic = monotonic
        self._view: SiteView | None = None
        self._until = 0.0

    async def current(self) -> SiteView:
        """The current view, at most `SITE_VIEW_TTL_S` old. Raises `StoreUnavailable`."""
        if self._view is None or self._monotonic() >= self._until:
            asked_at = self._monotonic()
            self._view = await self._threads.read(self._read)
            self._until = asked_at + SITE_VIEW_TTL_S
        return self._view

    def _read(self) -> SiteView:
        # From one snapshot: a new key is never sent to the model server before it.
        values = self._site.values(_NAMES)
        return SiteView(
            upstream_url=values["upstream.base_url"],
            upstream_key=values["upstream.api_key"],
            trusted_proxies=parse_networks(values["gateway.trusted_proxies"]),
            requests_per_minute_of_key=values["limits.requests_per_minute_per_key"],
            requests_per_minute_of_account=values["limits.requests_per_minute_per_account"],
            body_mib_of_account=values["limits.body_mib_per_account"],
            body_mib=values["limits.body_mib"],
            file_mib=values["limits.file_mib"],
            output_limit=values["upstream.output_limit"],
            max_output_tokens=values["price.max_output_tokens"],
            extra_fields=frozenset(values["relay.extra_fields"]),
            keep_alive_s=values["relay.keep_alive_seconds"],
        )
