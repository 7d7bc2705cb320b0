"""A model server as a transport: it records what it is asked and answers as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

import httpx

USAGE: Final = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
COST: Final = 10 + 2 * 4
"""Of `USAGE` at `apps.PRICE`, in micro-USD."""
CHAT: Final[dict[str, Any]] = {"model": "gpt-priced", "messages": [{"role": "user", "content": "Hello"}]}


def answer(document: Any = None, status: int = 200, **headers: str) -> httpx.Response:
    """An answer with a JSON body; a chat's if none is given."""
    document = chat() if document is None else document
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return httpx.Response(status, headers={"content-type": "application/json", **headers}, content=body)


def chat(**changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Hi there."}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {"id": "chatcmpl-1", "object": "chat.completion", "choices": choices, "usage": USAGE, **changes}


Reply = Callable[[httpx.Request], httpx.Response]


class ModelServer(httpx.AsyncBaseTransport):
    """Answers every request with `reply`, which may raise what httpx raises."""

    def __init__(self, reply: Reply | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self.reply: Reply = reply or (lambda _: answer())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        return self.reply(request)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]


class Chunks(httpx.AsyncByteStream):
    """A body that comes in pieces. An exception among them is raised, an event is waited for."""

    def __init__(self, pieces: Sequence[bytes | Exception | asyncio.Event]) -> None:
        self._pieces = pieces
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            else:
                yield piece

    async def aclose(self) -> None:
        self.is_closed = True


def stream(*pieces: bytes | Exception | asyncio.Event) -> httpx.Response:
    """An answer in server-sent events."""
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Chunks(pieces))


def said(text: str) -> bytes:
    """An event in which a model says `text`."""
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}], "usage": None})


def event(document: Any) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


USED: Final = event({"choices": [], "usage": USAGE})
DONE: Final = b"data: [DONE]\n\n"
