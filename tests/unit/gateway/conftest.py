"""Fixtures of the gateway's tests: an event loop for receivers, one receiver, and a throw-away authority."""

from collections.abc import Iterator

import pytest

from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import Backstage, HttpReceiver


@pytest.fixture(scope="session")
def backstage() -> Iterator[Backstage]:
    with Backstage() as running:
        yield running


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def receiver(backstage: Backstage) -> Iterator[HttpReceiver]:
    with HttpReceiver(backstage) as running:
        yield running
