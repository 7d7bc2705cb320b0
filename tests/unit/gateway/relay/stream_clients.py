"""Clients of a stream, as the application sees them: each takes what it wants, and leaves when it wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import httpx
import pytest
from starlette.types import Message, Send

from gateway.app import create_app
from gateway.model_server.client import ModelServerClient
from gateway.relay import streaming_response
from store.store import Store
from tests.fakes.scripted_model_server import CHAT, Chunks, ModelServer

STREAMED: Final = {**CHAT, "stream": True}
PATIENCE: Final = 30.0
THOUGHT: Final = {
    "prompt_tokens": 10,
    "completion_tokens": 900,
    "total_tokens": 910,
    "completion_tokens_details": {"reasoning_tokens": 896},
}
"""Of an answer of four words, for which the model thought a long time and showed nothing of it."""


def of_events(chunks: Chunks) -> ModelServer:
    headers = {"content-type": "text/event-stream"}
    return ModelServer(lambda _: httpx.Response(200, headers=headers, stream=chunks))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (what it looks at tells nobody)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def calling(
    store: Store, key: str, models: ModelServer, send: Send, leaves: asyncio.Event | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """A streamed call of a client that takes what `send` takes, and stays until `leaves`."""
    body = json.dumps(STREAMED).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "content-length": str(len(body))}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    sent = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        for message in sent:
            return message
        await (leaves or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    app = create_app(store, model_server=ModelServerClient(models), dispatches=False)
    async with app.router.lifespan_context(app):
        call = asyncio.create_task(app(scope, receive, send))
        try:
            yield call
        finally:
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call


class Taker:
    """A client that takes `most` messages and then no more; `pause` is how long it takes over each."""

    def __init__(self, most: int = 1000, pause: float = 0.0) -> None:
        self.taken: list[Message] = []
        self.is_stuck = False
        self._most = most
        self._pause = pause

    async def send(self, message: Message) -> None:
        if len(self.taken) == self._most:
            self.is_stuck = True
            await asyncio.Future[None]()
        await asyncio.sleep(self._pause)
        self.taken.append(message)


def notice_leaving(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """An event that is set as soon as the gateway has noticed that a client left."""
    event, read_on = asyncio.Event(), streaming_response.StreamingRelayResponse._read_on

    async def notice(self: Any, pump: asyncio.Task[None]) -> str:
        event.set()
        return await read_on(self, pump)

    monkeypatch.setattr(streaming_response.StreamingRelayResponse, "_read_on", notice)
    return event
