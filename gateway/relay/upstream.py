"""The one way to the model server.

Its address is the administrator's, so it may lie in a private network. Requests go through httpx's transport and not
through a client, which would log addresses, keep cookies, and know how to follow redirects and proxies.
"""

import asyncio
from typing import Final

import httpx

from gateway.outbound import system_trust

LIMITS: Final = httpx.Limits(max_connections=1000, max_keepalive_connections=200, keepalive_expiry=30.0)


class Upstream:
    """Connections to the model server, kept open between calls. Tests inject a `transport`."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._opening = asyncio.Lock()

    async def transport(self) -> httpx.AsyncBaseTransport:
        """The transport, made when it is first needed: trusting the system's authorities reads files."""
        if self._transport is None:
            async with self._opening:
                if self._transport is None:
                    tls = await asyncio.to_thread(system_trust)
                    self._transport = httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=LIMITS)
        return self._transport

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()
