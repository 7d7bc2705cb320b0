"""A stand-in of each generation for the tests of this room."""

from collections.abc import Iterator

import pytest

from tests.new_api.generations import Generation
from tests.new_api.running import StandIn, running
from tests.new_api.visitor import Visitor


@pytest.fixture(params=list(Generation), ids=lambda generation: generation.value)
def standin(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """A stand-in with root and alice, once for each generation."""
    with running(request.param, takes_any_request=True) as found:
        yield found


@pytest.fixture
def february() -> Iterator[StandIn]:
    with running(Generation.FEB, takes_any_request=True) as found:
        yield found


@pytest.fixture
def august() -> Iterator[StandIn]:
    with running(Generation.AUG, takes_any_request=True) as found:
        yield found


@pytest.fixture
def visitor(standin: StandIn) -> Iterator[Visitor]:
    """Somebody who has not signed in."""
    with Visitor(standin) as found:
        yield found
