"""What the channel tests share: a stage for receivers, a throw-away authority, one message, one moment."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gateway.channels.message import Message
from tests.authority import Authority
from tests.receivers import Backstage


@pytest.fixture(scope="session")
def backstage() -> Iterator[Backstage]:
    with Backstage() as running:
        yield running


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def message() -> Message:
    return Message(
        id="evt_01HZX",
        kind="quota.low",
        title="Quota below $1.00",
        text="Your remaining quota is $0.42,\nbelow the threshold of $1.00.",
        at=datetime(2026, 3, 1, 11, 59, 30, tzinfo=UTC),
        facts={"remaining_usd": "0.42", "threshold_usd": "1.00"},
    )
