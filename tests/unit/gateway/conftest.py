"""Fixtures of the gateway's tests: an event loop for receivers, one receiver, and a throw-away authority."""

from collections.abc import Iterator

import pytest

from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import HttpReceiver, LoopThread


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[LoopThread]:
    with LoopThread() as running:
        yield running


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def receiver(loop_thread: LoopThread) -> Iterator[HttpReceiver]:
    with HttpReceiver(loop_thread) as running:
        yield running
