"""Fixtures of the relay's tests: its parser process, and the moment at which it notices that a client left."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.harness.watched_parser import WatchedParser, watched_parser
from tests.unit.gateway.relay.stream_clients import notice_leaving


@pytest.fixture
async def parser(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WatchedParser]:
    parser = watched_parser(monkeypatch)
    yield parser
    await parser.aclose()


@pytest.fixture
def noticed(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set as soon as the gateway has noticed that a client left."""
    return notice_leaving(monkeypatch)
