"""Clients of `remote/` on a stand-in that runs on a loopback port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from remote.address import parse_server_address
from remote.client import RemoteClient
from remote.kept_sessions import KeptSessions
from remote.transport import Limits, Transport
from tests.harness.scripted_server import Waits
from tests.new_api.generations import Generation
from tests.new_api.running import PASSWORD, StandIn


@asynccontextmanager
async def client_on(
    standin: StandIn, *, waits: Waits | None = None, kept: KeptSessions | None = None, signed_in: bool = True
) -> AsyncIterator[RemoteClient]:
    """A client, signed in as alice; its waits take no time."""
    address = parse_server_address(standin.address)
    transport = Transport(address, limits=Limits(total_s=20.0))
    patience = (waits or Waits()).patience()
    client = RemoteClient(address, kept=kept, transport=transport, patience=patience, clock=standin.clock)
    try:
        if signed_in:
            assert await client.sign_in("alice", PASSWORD) is None
        yield client
    finally:
        await client.aclose()


def is_feb(standin: StandIn) -> bool:
    return standin.world.generation is Generation.FEB
