"""Load for one server, from a process of its own. A plain socket loop keeps the client's own cost low.

python -m tests.benchmarks.gateway_load URL '{"method": "POST", "path": "...", "headers": {...}, "body": "...",
    "connections": 16, "seconds": 3}'

Prints one JSON object: how many answers came, in how many seconds, how many were not 200, the CPU seconds of this
process, and the latencies' median and 99th percentile in seconds. With "count" instead of "seconds" it stops after as
many answers; with "first_byte" the latencies are those of the first byte of the body. Each connection takes one of the
"keys", in turn, as its bearer token.
"""

import asyncio
import json
import statistics
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Tally:
    """The figures of all connections together."""

    seconds: float
    left: int
    first_byte: bool
    until: float = 0.0
    done: int = 0
    refused: int = 0
    latencies: list[float] = field(default_factory=list)

    def begin(self) -> float:
        """Start the clock; returns the start time."""
        started = time.perf_counter()
        self.until = started + self.seconds
        return started

    def another(self, *, first: bool) -> bool:
        """True if one more request is to be sent. The first of a connection is always sent."""
        if self.left <= 0 or (not first and time.perf_counter() >= self.until):
            return False
        self.left -= 1
        return True


class Client(asyncio.Protocol):
    """One connection that repeats the same request whenever a response is complete."""

    def __init__(self, request: bytes, tally: Tally) -> None:
        self._request = request
        self._tally = tally
        self._received = bytearray()
        self._transport: asyncio.WriteTransport | None = None
        self._started = 0.0
        self._begun = 0.0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's are of no class of asyncio

    def begin(self) -> None:
        """Send the first request."""
        self._next(first=True)

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        head_end = received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        body = head_end + 4
        if not self._begun and len(received) > body:
            self._begun = time.perf_counter()
        head = bytes(received[:head_end]).lower()
        if b"transfer-encoding: chunked" in head:
            is_complete = received.endswith(b"0\r\n\r\n")
        else:
            is_complete = len(received) - body >= int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if is_complete:
            ended = self._begun if self._tally.first_byte else time.perf_counter()
            self._tally.latencies.append(ended - self._started)
            self._tally.done += 1
            self._tally.refused += not head.startswith(b"http/1.1 200")
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(exc or ConnectionError("the server closed the connection"))

    def _next(self, *, first: bool = False) -> None:
        assert self._transport is not None
        self._received.clear()
        self._begun = 0.0
        if self._tally.another(first=first):
            self._started = time.perf_counter()
            self._transport.write(self._request)
            return
        if not self.finished.done():
            self.finished.set_result(None)
        self._transport.close()


async def put_under_load(url: str, order: dict[str, Any]) -> dict[str, float]:
    """Run one order, in the format of the command line."""
    host = urlsplit(url)
    assert host.hostname is not None
    assert host.port is not None
    name, port = host.hostname, host.port
    body = order.get("body", "").encode()
    headers = {"Host": host.netloc, **order.get("headers", {}), **({"Content-Length": len(body)} if body else {})}
    lines = [f"{order.get('method', 'GET')} {order['path']} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    bearers = [[f"Authorization: Bearer {key}"] for key in order.get("keys", [])] or [[]]
    requests = ["\r\n".join([*lines, *bearer, "", ""]).encode() + body for bearer in bearers]
    tally = Tally(order.get("seconds", 1e9), order.get("count", 1 << 60), order.get("first_byte", False))
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(partial(Client, requests[number % len(requests)], tally), name, port))[1]
        for number in range(order.get("connections", 16))
    ]
    # Start when all are connected: connecting is not part of the load.
    started = tally.begin()
    for client in clients:
        client.begin()
    await asyncio.gather(*(client.finished for client in clients))
    return {
        "done": tally.done,
        "refused": tally.refused,
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time(),
        "p50": statistics.median(tally.latencies),
        "p99": statistics.quantiles(tally.latencies, n=100)[-1] if len(tally.latencies) > 1 else 0.0,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(put_under_load(sys.argv[1], json.loads(sys.argv[2])))))
