"""The HTTP client for identity providers: no proxies from the environment, no redirects, short waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


def provider_client() -> httpx.AsyncClient:
    """A client that the caller closes. Providers are the administrator's choice, so private addresses are allowed."""
    import httpx

    return httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=httpx.Timeout(10.0, connect=5.0))
