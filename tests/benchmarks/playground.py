"""Compares the first token in the playground with the model server's own: python -m tests.benchmarks.playground.

Both sides ask one stub on loopback in turns, over a connection that stays open. The bar of the playground is 20 ms more
(median).
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from gateway.playground import Playground
from store.money import MICRO_PER_USD
from store.values.billing import ModelPrice
from store.values.playground import AnswerText, ChatTurn, PlaygroundQuestion, Speaker
from tests.harness.live_servers import live
from tests.harness.stores import add_account, make_store, sign_in

MODEL: Final = "stub"
BAR_MS: Final = 20.0
_BODY: Final = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "stream": True}


async def _words() -> AsyncIterator[bytes]:
    for word in ("one ", "two ", "three"):
        yield b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": word}}]}).encode() + b"\n\n"
    yield b'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3}}\n\ndata: [DONE]\n\n'


async def _chat(request: Request) -> StreamingResponse:
    await request.json()
    return StreamingResponse(_words(), media_type="text/event-stream")


def _serve(url: "multiprocessing.Queue[str]", stop: "multiprocessing.Queue[None]") -> None:
    with live(Starlette(routes=[Route("/v1/chat/completions", _chat, methods=["POST"])])) as address:
        url.put(address)
        stop.get()


async def _direct(client: httpx.AsyncClient, url: str) -> float:
    began = time.perf_counter()
    async with client.stream("POST", url, json=_BODY) as answer:
        first = 0.0
        async for _ in answer.aiter_raw():
            first = first or time.perf_counter() - began
    return first * 1000


async def _ours(playground: Playground, token: str) -> float:
    question = PlaygroundQuestion(MODEL, (ChatTurn(Speaker.USER, "Hello"),), max_tokens=100)
    began, first = time.perf_counter(), 0.0
    async for part in playground.ask(token, question):
        if isinstance(part, AnswerText) and not first:
            first = time.perf_counter() - began
    return first * 1000


async def compare(url: str, questions: int) -> tuple[list[float], list[float]]:
    """Milliseconds to the first token of each question: of the model server, and through the playground."""
    direct, ours = list[float](), list[float]()
    with make_store() as store:
        add_account(store, quota_usd=1000)
        store.site.set("upstream.base_url", f"{url}/v1")
        store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, MICRO_PER_USD))
        token = sign_in(store)
        async with httpx.AsyncClient(trust_env=False) as client, aclosing(Playground(store)) as playground:
            for _ in range(questions):
                direct.append(await _direct(client, f"{url}/v1/chat/completions"))
                ours.append(await _ours(playground, token))
    return direct, ours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    url, stop = context.Queue(), context.Queue()
    server = context.Process(target=_serve, args=(url, stop))
    server.start()
    try:
        direct, ours = asyncio.run(compare(url.get(), arguments.questions))
    finally:
        stop.put(None)
        server.join()
    added = statistics.median(ours) - statistics.median(direct)
    print(f"first token, {arguments.questions} questions in turns, median (minimum) in ms")
    print(f"  model server   {statistics.median(direct):6.2f} ({min(direct):.2f})")
    print(f"  playground     {statistics.median(ours):6.2f} ({min(ours):.2f})")
    print(f"  added          {added:6.2f}   bar {BAR_MS:g}: {'met' if added <= BAR_MS else 'MISSED'}")


if __name__ == "__main__":
    main()
