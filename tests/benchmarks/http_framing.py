"""The CPU of HTTP/1.1 on the server's side of a call, by h11 and by llhttp in turn, without a socket or the gateway.

python -m tests.benchmarks.http_framing
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from gateway.connection_register import ConnectionRegister
from gateway.http_protocol import GuardedProtocol
from gateway.serve import http_framing, server_config
from gateway.strict_http import StrictConnection

CALLS: Final = 2_000
ROUNDS: Final = 7
_BODY: Final = b'{"model":"gpt-priced","messages":[{"role":"user","content":"Hello"}]}'
_CLIENT_HEADERS: Final = 15
"""The headers that the client of OpenAI sends beside the length."""
_PIECE: Final = b"x" * 400


async def answer(_: Scope, receive: Receive, send: Send) -> None:
    """One response of a known length."""
    await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"400"), (b"x-request-id", b"y" * 26)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _PIECE})


async def stream(_: Scope, receive: Receive, send: Send) -> None:
    """Four pieces, and an end."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for _piece in range(4):
        await send({"type": "http.response.body", "body": _PIECE, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class _Nowhere(asyncio.Transport):
    def write(self, data: Any) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing is open."""

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def resume_reading(self) -> None:
        """There is nothing to read."""


def request(headers: int) -> bytes:
    """A call with so many headers beside its host and the length of its body."""
    lines = [f"X-Header-{number}: some value {number}" for number in range(headers)]
    head = ["POST /v1/chat/completions HTTP/1.1", "Host: gateway.test", *lines, f"Content-Length: {len(_BODY)}", "", ""]
    return "\r\n".join(head).encode() + _BODY


async def cost(make_framing: Callable[[int], h11.Connection], app: ASGIApp, call: bytes) -> float:
    """Microseconds of CPU of one call."""
    config = server_config(app)
    config.load()
    state = ServerState()
    register = ConnectionRegister(1, 1)
    protocol = GuardedProtocol(config, state, {}, connections=register, make_framing=make_framing)
    protocol.connection_made(_Nowhere())
    started = time.process_time()
    for _ in range(CALLS):
        protocol.data_received(call)
        while not protocol.cycle.response_complete:  # noqa: ASYNC110 - an event would be measured with it
            await asyncio.sleep(0)
    spent = time.process_time() - started
    protocol.connection_lost(None)
    return spent / CALLS * 1e6


async def main() -> None:
    """Print the medians of both."""
    for name, app, headers in (
        ("a response, 2 headers", answer, 2),
        ("a response, 15 headers", answer, _CLIENT_HEADERS),
        ("a stream of four pieces, 15 headers", stream, _CLIENT_HEADERS),
    ):
        rounds = [
            (await cost(StrictConnection, app, request(headers)), await cost(http_framing(), app, request(headers)))
            for _ in range(ROUNDS)
        ]
        before, after = (statistics.median(side) for side in zip(*rounds, strict=True))
        print(f"{name}: h11 {before:.0f} us, {http_framing().__name__} {after:.0f} us")


if __name__ == "__main__":
    asyncio.run(main())
