"""The model server of the demo: it answers every question with the same words, word by word, and asks no network."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import httpx

from store.text import pluralize

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DEMO_ADDRESS: Final = "https://models.example.com/v1"
"""The address of the demo's model server. Nothing is sent there."""
WORD_PAUSE_S: Final = 0.02
_WORDS_PER_TOKEN: Final = 0.75
_ANSWER: Final = """\
This is the **demo**: no model was asked, and nothing left your machine.

With a model server behind the gateway, the answer appears here as it is written, with its Markdown:

- *lists*, **emphasis** and `code`
- blocks of code:

```python
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8787/v1", api_key="sk-...")
```

| What is counted | Where it is shown |
| --- | --- |
| tokens in and out | below each answer |
| the cost | there, and in Usage Logs |

Your question had {words}.
"""


class DemoModelServer(httpx.AsyncBaseTransport):
    """Answers chats as a stream, and images with an address."""

    def __init__(self, word_pause_s: float = WORD_PAUSE_S) -> None:
        self._word_pause_s = word_pause_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(await request.aread())
        if request.url.path.endswith("/images/generations"):
            image = {"created": 0, "data": [{"url": "https://example.com/demo.png"}]}
            return httpx.Response(200, json=image)
        words = len(str(body["messages"][-1]["content"]).split())
        stream = _Words(_ANSWER.format(words=pluralize(words, "word")), words, self._word_pause_s)
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)


class _Words(httpx.AsyncByteStream):
    def __init__(self, answer: str, words_in: int, pause_s: float) -> None:
        self._answer = answer
        self._words_in = words_in
        self._pause_s = pause_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        words = self._answer.split(" ")
        for number, word in enumerate(words):
            await asyncio.sleep(self._pause_s)
            yield _event({"choices": [{"index": 0, "delta": {"content": word if number == 0 else f" {word}"}}]})
        usage = {
            "prompt_tokens": round(self._words_in / _WORDS_PER_TOKEN) + 8,
            "completion_tokens": round(len(words) / _WORDS_PER_TOKEN),
        }
        yield _event({"choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"


def _event(document: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"
