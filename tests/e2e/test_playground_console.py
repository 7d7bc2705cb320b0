"""The playground of the installed console, in front of a model server that pauses, breaks off and talks at length."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.e2e.installed import Home, Installed
from tests.e2e.steps import administer, signed_in
from tests.harness.live_servers import live

MODEL: Final = "streamer"
LONG_WORDS: Final = 4000
"""Paragraphs of the long answer, of 50 bytes each: 200 kB."""


def event(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


USAGE: Final = b'data: {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}\n\ndata: [DONE]\n\n'


async def answer(question: str) -> AsyncIterator[bytes]:
    """What the model server says to `question`: "pause N", "break" or "long"."""
    word, _, number = question.partition(" ")
    if word == "pause":
        yield event("before the pause, ")
        await asyncio.sleep(float(number))
        yield event("after the pause")
    elif word == "break":
        yield event("half an answer")
        raise ConnectionError("planted")
    else:
        for index in range(LONG_WORDS):
            yield event(f"paragraph {index:04} has words enough for a line\n\n")
    yield USAGE


async def chat(request: Request) -> StreamingResponse:
    body = await request.json()
    return StreamingResponse(answer(body["messages"][-1]["content"]), media_type="text/event-stream")


SERVER: Final = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])


def ask(terminal: Installed, text: str) -> None:
    terminal.until("Type here.")
    terminal.type(text)
    terminal.press("enter")


def walk(folder: Path, pause_s: float) -> None:
    home = Home(folder)
    with live(SERVER) as url, signed_in(home) as terminal:
        administer(home, "site", "set", "upstream.base_url", f"{url}/v1")
        administer(home, "price", "set", MODEL, "--input", "1", "--output", "2")
        administer(home, "quota", "alice", "+5")
        terminal.press("ctrl+p")
        terminal.until("Your other sessions are signed out")
        terminal.type("open playground")
        terminal.until_gone("Your other sessions are signed out")
        terminal.until("Open Playground")
        terminal.press("enter")
        terminal.until("Ask a model anything.")
        terminal.until(MODEL)

        ask(terminal, f"pause {pause_s:g}")
        terminal.until("before the pause,")
        terminal.until("writing… esc stops")
        terminal.until("before the pause, after the pause")
        terminal.until("10 in · 5 out · $0.00002")

        ask(terminal, "break")
        terminal.until("half an answer")
        terminal.until("✗ The model server broke off the connection.")

        ask(terminal, "long")
        terminal.until(f"paragraph {LONG_WORDS - 1:04} has words")
        terminal.until(lambda _: terminal.words().count("10 in · 5 out · $0.00002") == 1)

        ask(terminal, "pause 600")
        terminal.until("before the pause,")
        terminal.press("escape")
        # With a key right behind it, Escape would be read as Alt.
        terminal.until_gone("esc stops")
        terminal.press("ctrl+q")
        # The answer is still read for its usage; the console does not wait for it.
        assert terminal.exit_code() == 0


def test_an_answer_pauses_breaks_off_and_goes_on_at_length(tmp_path: Path) -> None:
    walk(tmp_path, 1)


@pytest.mark.long
def test_an_answer_pauses_for_half_a_minute(tmp_path: Path) -> None:
    walk(tmp_path, 30)
