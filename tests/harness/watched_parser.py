"""The parser process of a gateway's answers, watched: a test can wait until a message is under way."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Any

import pytest

from gateway.relay import relay
from gateway.relay.process_client import ParserProcess
from gateway.relay.response_parser import ResponseParser


class WatchedParser(ResponseParser):
    """Tells when a message is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()

    def stop(self) -> int:
        """Let its process, which has answered before, answer nothing more; returns the process id."""
        number = self.process.process_id
        assert number is not None
        os.kill(number, signal.SIGSTOP)
        self.begun.clear()
        return number

    async def cancel_meanwhile(self, call: Coroutine[Any, Any, object]) -> None:
        """Begin a call, and cancel it once a message is under way."""
        calling = asyncio.create_task(call)
        await self.begun.wait()
        calling.cancel()
        await asyncio.wait({calling})


def watched_parser(monkeypatch: pytest.MonkeyPatch) -> WatchedParser:
    """The parser of every gateway that is made from now on. The caller closes it."""
    parser, exchange = WatchedParser(), ParserProcess._exchange

    async def noting(*message: Any) -> Any:
        parser.begun.set()
        return await exchange(*message)

    monkeypatch.setattr(ParserProcess, "_exchange", noting)
    monkeypatch.setattr(relay, "ResponseParser", lambda: parser)
    return parser
