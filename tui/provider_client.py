"""The HTTP client for identity providers: no proxies from the environment, no redirects, short timeouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


def provider_client() -> httpx.AsyncClient:
    """A new client. The caller closes it. Reads files: call it in a thread.

    The administrator chooses the providers, so private addresses and the system's certificate authorities are allowed.
    """
    import httpx

    from gateway.h11_patterns import use_linear_patterns
    from gateway.outbound import system_trust

    use_linear_patterns()
    timeout = httpx.Timeout(10.0, connect=5.0)
    return httpx.AsyncClient(verify=system_trust(), trust_env=False, follow_redirects=False, timeout=timeout)
