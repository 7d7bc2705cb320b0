"""Fixtures of the end-to-end tests: a home, the server of `gatekey ssh`, and a gateway with an SDK in front of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installed import Home
from tests.e2e.ssh_commands import KeyHolder
from tests.e2e.ssh_server import SshServer, make_key, register, ssh_server
from tests.harness.sdk_gateway import Setup, sdk_gateway


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The folders of a person who has nothing yet."""
    return Home(tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    """A server with one account. A test that leaves a console or a session on it fails, however it ended them."""
    with ssh_server(tmp_path) as running:
        yield running
        if running.process.poll() is None:
            running.wait_until_empty()


@pytest.fixture
def key(server: SshServer, tmp_path: Path) -> Path:
    """A key that opens the account."""
    made = make_key(tmp_path, "person")
    register(server, made)
    return made


@pytest.fixture
def alice(server: SshServer, tmp_path: Path) -> KeyHolder:
    return KeyHolder(server, tmp_path)


@pytest.fixture
def setup() -> Iterator[Setup]:
    with sdk_gateway() as setup:
        yield setup
