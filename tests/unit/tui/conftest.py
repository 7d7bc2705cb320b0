"""Fixtures of the tests of the command line, and of accounts on a server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.command_line import Shell
from tests.new_api.generations import Generation
from tests.new_api.running import StandIn, running


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A command line on data of its own; nothing exists yet."""
    return Shell(tmp_path, monkeypatch)


@pytest.fixture(params=list(Generation), ids=lambda generation: generation.name)
def standin(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """A server on a port, once for each generation."""
    with running(request.param) as found:
        yield found
