"""The HTTP client for identity providers: no proxies from the environment, no redirects, short waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


def provider_client() -> httpx.AsyncClient:
    """A client that the caller closes. Reads files: make it in a thread.

    Providers are the administrator's choice: private addresses are allowed, and so are certificates of the
    authorities this system trusts.
    """
    import httpx

    from gateway.outbound import system_trust

    timeout = httpx.Timeout(10.0, connect=5.0)
    return httpx.AsyncClient(verify=system_trust(), trust_env=False, follow_redirects=False, timeout=timeout)
