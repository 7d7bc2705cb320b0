"""The playground, over the gateway's own relay in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from store.errors import SessionEnded
from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from gateway.model_server.client import ModelServerClient
    from gateway.playground import Playground
    from store.store import Store
    from store.values.playground import CostEstimate, PlaygroundPrice, PlaygroundQuestion
    from tui.account import RunningAnswer


class LocalPlayground(LocalTopic):
    """`PlaygroundService` on the gateway's relay."""

    async def playground_answer(self, question: PlaygroundQuestion) -> RunningAnswer:
        if not self._token:
            raise SessionEnded
        return (await self._open_playground()).ask(self._token, question)

    async def playground_price(self, model: str) -> PlaygroundPrice:
        if not self._token:
            raise SessionEnded
        return await (await self._open_playground()).price(self._token, model)

    async def playground_estimate(self, question: PlaygroundQuestion) -> CostEstimate:
        if not self._token:
            raise SessionEnded
        return await (await self._open_playground()).estimate(self._token, question)

    async def _open_playground(self) -> Playground:
        store = self._store
        # The first import takes a while, and two callers may wait for it.
        make = await asyncio.to_thread(_playground_class)
        demo = await asyncio.to_thread(_demo_model_server, store) if self._options.demo else None
        if self._playground is None:
            self._playground = make(store, model_server=demo)
        return self._playground


def _playground_class() -> type[Playground]:
    from gateway.playground import Playground

    return Playground


def _demo_model_server(store: Store) -> ModelServerClient:
    """A client of the demo's model server, with an address that nothing is sent to. Blocks."""
    from gateway.model_server.client import ModelServerClient
    from tui.local_account.demo_model_server import DEMO_ADDRESS, DemoModelServer

    store.site.set("upstream.base_url", DEMO_ADDRESS)
    return ModelServerClient(DemoModelServer())
