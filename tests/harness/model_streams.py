"""A model server that streams what a test tells it to."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import httpx

PNG: Final = b"\x89PNG planted"
Answer = Callable[[dict[str, Any]], AsyncIterator[bytes]]


def event(content: str, name: str = "content") -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {name: content}}]}).encode() + b"\n\n"


USAGE: Final = b'data: {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}\n\ndata: [DONE]\n\n'


async def plain(_: dict[str, Any]) -> AsyncIterator[bytes]:
    yield event("Let me see. ", "reasoning_content")
    yield event("Hello ") + event("there")
    yield USAGE


class StreamingModelServer(httpx.AsyncBaseTransport):
    """Answers with the stream of `answer`, and remembers what it was asked."""

    def __init__(self, answer: Answer = plain) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(await request.aread())
        self.asked.append(body)
        if request.url.path.endswith("/images/generations"):
            data = [{"url": "https://pictures.test/1.png"}, {"b64_json": base64.b64encode(PNG).decode()}]
            return httpx.Response(200, json={"data": data})

        class Stream(httpx.AsyncByteStream):
            async def __aiter__(stream) -> AsyncIterator[bytes]:  # noqa: N805
                async for chunk in self.answer(body):
                    yield chunk

        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Stream())
