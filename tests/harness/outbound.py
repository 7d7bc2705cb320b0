"""The way out as the tests set it up: nothing leaves the machine, and names resolve as they say."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import httpcore

from gateway.connect import Resolve, Timeouts
from gateway.outbound import Outbound, OutboundResponse
from store.addresses import AllowList, is_public
from tests.fakes.certificate_authority import Authority

PATIENT: Final = Timeouts()
SHORT: Final = Timeouts(connect=5.0, total=0.5)
"""For a receiver that never comes to the point."""

PUBLIC: Final = "93.184.215.14"


def resolving(*addresses: str) -> Resolve:
    """A resolver that gives every name these addresses."""

    async def resolve(_: str, __: int) -> Sequence[str]:
        return addresses

    return resolve


LOOPBACK: Final = resolving("127.0.0.1")


def outbound(
    authority: Authority,
    *allowed: str,
    resolve: Resolve = LOOPBACK,
    timeouts: Timeouts = PATIENT,
    dial: httpcore.AsyncNetworkBackend | None = None,
) -> Outbound:
    """A way out that trusts `authority`, and may reach the private `allowed`."""
    allow = AllowList.read(allowed)
    return Outbound(authority.trust(), allow=allow, timeouts=timeouts, resolve=resolve, dial=dial)


def post(way: Outbound, url: str) -> OutboundResponse:
    """The answer to one small request."""
    return asyncio.run(way.post(url, b"{}", {"X-Test": "1"}))


class Detour(httpcore.AsyncNetworkBackend):
    """Stands in for the internet: writes down what was dialled, and leads public addresses to a receiver."""

    def __init__(self, port: int) -> None:
        self.dialled: list[str] = []
        self._port = port
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append(host)
        if is_public(host):
            return await self._real.connect_tcp("127.0.0.1", self._port, timeout)
        return await self._real.connect_tcp(host, port, timeout)
