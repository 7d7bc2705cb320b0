"""A gateway on a socket, a model server behind it, and a maker's own SDK, unchanged, in front of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import openai
import pytest

from gateway.app import create_app
from gateway.relay import streaming_response
from store.store import Store
from store.values.usage import UsageEntry
from tests.fakes.model_server import ModelServer, hang
from tests.harness.gateway_client import make_relayed
from tests.harness.live_servers import live
from tests.harness.served_gateway import served
from tests.harness.stores import StillClock, make_ring, make_store, sqlite_url
from tests.harness.usage_log import entries_of, used_of

PATIENCE: Final = 60.0
"""Seconds for whatever is waited for: a machine at work on other things is slow, not broken."""


@dataclass
class Setup:
    """A gateway, the model server behind it, and the SDK in front of it."""

    store: Store
    models: ModelServer
    base_url: str
    key: str
    closing: list[openai.OpenAI] = field(default_factory=list)

    def sdk(self, key: str | None = None) -> openai.OpenAI:
        client = openai.OpenAI(api_key=key or self.key, base_url=f"{self.base_url}/v1", max_retries=0, timeout=PATIENCE)
        self.closing.append(client)
        return client

    def hang_after_three_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let each stream hang, so that its client can leave in the middle."""
        monkeypatch.setattr(streaming_response, "READ_ON_TIMEOUT_S", 0.2)

        async def hang_at_third(number: int) -> None:
            if number == 3:
                await hang(number)

        self.models.pause = hang_at_third

    def log(self) -> list[UsageEntry]:
        return entries_of(self.store)

    def spent(self) -> int:
        return used_of(self.store)

    def entry(self) -> UsageEntry:
        """The newest line of the log, as soon as there is one."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if entries := self.log():
                return entries[0]
            time.sleep(0.02)
        raise AssertionError("nothing was logged")


@contextmanager
def sdk_gateway() -> Iterator[Setup]:
    models = ModelServer()
    with make_store(clock=StillClock()) as store, live(models.app) as upstream:
        key = make_relayed(store)
        store.site.set("upstream.base_url", f"{upstream}/v1")
        with live(create_app(store)) as base_url:
            setup = Setup(store, models, base_url, key)
            yield setup
            for client in setup.closing:
                client.close()


@contextmanager
def served_sdk_gateway(folder: Path) -> Iterator[Setup]:
    """As `sdk_gateway`, with `gatekey serve` as installed: a process of its own, its files in `folder`."""
    models, url = ModelServer(), sqlite_url(folder)
    with make_store(url) as store, live(models.app) as upstream:
        key = make_relayed(store)
        store.site.set("upstream.base_url", f"{upstream}/v1")
        with served(folder, url, make_ring()) as gateway:
            setup = Setup(store, models, gateway.url, key)
            yield setup
            for client in setup.closing:
                client.close()
