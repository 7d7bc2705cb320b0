"""A stand-in of each generation, and a server that a test scripts."""

from collections.abc import Iterator

import pytest

from remote.client import RemoteClient
from tests.harness.scripted_server import ScriptedServer, aug_server, signed_in
from tests.new_api.generations import Generation
from tests.new_api.running import StandIn, running


@pytest.fixture(params=list(Generation), ids=lambda generation: generation.value)
def standin(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """A server with root and alice, once for each generation."""
    with running(request.param) as found:
        yield found


@pytest.fixture
def server() -> ScriptedServer:
    """A server of August 2026 that knows alice, and answers nothing else that a test does not script."""
    return aug_server()


@pytest.fixture
async def client(server: ScriptedServer) -> RemoteClient:
    """A client of alice's on `server`, signed in."""
    return await signed_in(server)
