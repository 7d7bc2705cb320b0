"""A stand-in of each generation."""

from collections.abc import Iterator

import pytest

from tests.new_api.generations import Generation
from tests.new_api.running import StandIn, running


@pytest.fixture(params=list(Generation), ids=lambda generation: generation.value)
def standin(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """A server with root and alice, once for each generation."""
    with running(request.param) as found:
        yield found
