"""Tests of the console run in each home of an account for which their promise has a meaning."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.harness.brief_run import is_brief
from tests.harness.consoles import Stage, console
from tests.harness.homes import Home, Place, home_at
from tests.new_api.generations import Generation
from tests.new_api.running import StandIn, in_memory
from tests.screens.account_differences import difference_of


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """The console of alice on a store, signed in, as it is after its start."""
    async with console() as found:
        yield found


@pytest.fixture
def home(request: pytest.FixtureRequest) -> Iterator[Home]:
    """The home of alice. A test that uses it runs on a store and on a server of August 2026.

    On one of February too where it is marked `each_generation`, and in the long run.
    """
    with home_at(request.param) as found:
        yield found


@pytest.fixture(params=list(Generation), ids=lambda generation: generation.name)
def standin(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """A server in memory, once for each generation."""
    with in_memory(request.param) as found:
        yield found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "home" in metafunc.fixturenames:
        is_asked = metafunc.definition.get_closest_marker("each_generation") is not None
        february = pytest.param(Place.FEB, marks=() if is_asked else pytest.mark.long)
        places = [Place.HERE] if is_brief(metafunc.config) else [Place.HERE, Place.AUG, february]
        metafunc.parametrize("home", places, indirect=True, ids=str)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where a server differs, a test has to fail: one that passes there is no difference any more."""
    for item in items:
        place = item.callspec.params.get("home") if hasattr(item, "callspec") else None
        if isinstance(item, pytest.Function) and isinstance(place, Place):
            found = difference_of(item.path.stem, item.originalname, place)
            if found is not None:
                item.add_marker(pytest.mark.xfail(reason=found.limit or found.because, strict=True))
