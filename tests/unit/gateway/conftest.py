"""Fixtures of the gateway's tests: receivers with their event loop and a throw-away authority, and an account."""

from collections.abc import Iterator

import pytest

from store.accounts import AccountInfo
from store.store import Store
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import HttpReceiver, LoopThread
from tests.harness.gateway_client import make_token
from tests.harness.notifications import NotificationReceivers, notification_receivers
from tests.harness.stores import add_account


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


@pytest.fixture
def boxes(loop_thread: LoopThread, authority: Authority) -> Iterator[NotificationReceivers]:
    """A receiver of each channel."""
    with notification_receivers(loop_thread, authority) as running:
        yield running


@pytest.fixture
def account(store: Store) -> AccountInfo:
    """The account of alice."""
    return add_account(store)


@pytest.fixture
def token(store: Store) -> str:
    """A System Access Token of alice, who has an account."""
    return make_token(store)
