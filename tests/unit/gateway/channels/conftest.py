"""The message that the channel tests send."""

from datetime import UTC, datetime

import pytest

from gateway.channels.message import Message


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
