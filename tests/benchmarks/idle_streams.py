"""The memory of open streams that say nothing, and the time of a call beside them.

python -m tests.benchmarks.idle_streams             # 2,000 streams
python -m tests.benchmarks.idle_streams 500 2       # 500, before two workers
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from gateway.descriptors import raise_limit
from gateway.relay.concurrency_limiter import MAX_CALLS_PER_ACCOUNT
from gateway.relay.keep_alive import KEEP_ALIVE_COMMENT
from store.money import MICRO_PER_USD
from store.store import Store
from store.values.billing import ModelPrice
from tests.harness.served_gateway import Served, served
from tests.harness.stores import add_account, lift_request_rates, make_ring, make_store, sign_in, sqlite_url

MODEL: Final = "gpt-priced"
SILENCE_S: Final = 1
CALLS: Final = 300
OPENED_AT_ONCE: Final = 50
_USAGE: Final = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}


def _event(document: object) -> bytes:
    data = b"data: " + json.dumps(document).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


_ANSWER: Final = json.dumps({"choices": [{"index": 0, "message": {"content": "x"}}], "usage": _USAGE}).encode()
_BEGUN: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + _event(
    {"choices": [{"index": 0, "delta": {"content": "x"}}]}
)
_ENDED: Final = _event({"choices": [], "usage": _USAGE}) + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


@dataclass
class ModelServer:
    """Answers at once, and begins a stream that goes on when `goes_on` is set."""

    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while True:
                body = await _read_message(reader)
                if json.loads(body).get("stream"):
                    writer.write(_BEGUN)
                    await self.goes_on.wait()
                    writer.write(_ENDED)
                else:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(_ANSWER), _ANSWER))
        except (asyncio.IncompleteReadError, OSError):
            writer.close()


async def _read_message(reader: StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r")[0]
    return await reader.readexactly(int(length))


@dataclass(frozen=True)
class Clients:
    """Callers of one gateway."""

    url: httpx.URL
    keys: Sequence[str]

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        return await asyncio.open_connection(self.url.host, self.url.port)

    def request(self, key: str, *, streams: bool) -> bytes:
        chat = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 10, "stream": streams}
        body = json.dumps(chat).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {key}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    async def times(self) -> str:
        """Median and 99th percentile of calls, one after the other."""
        reader, writer = await self.connect()
        taken = []
        for _ in range(CALLS):
            began = time.perf_counter()
            writer.write(self.request(self.keys[-1], streams=False))
            assert json.loads(await _read_message(reader))["usage"] == _USAGE
            taken.append((time.perf_counter() - began) * 1000)
        writer.close()
        taken.sort()
        return f"p50 {taken[CALLS // 2]:.1f} ms, p99 {taken[CALLS * 99 // 100]:.1f} ms"

    async def begin(self, number: int) -> tuple[StreamReader, StreamWriter]:
        """Open a stream and read its first event."""
        reader, writer = await self.connect()
        writer.write(self.request(self.keys[number // MAX_CALLS_PER_ACCOUNT], streams=True))
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"\n\n")
        return reader, writer


def resident_kib(gateway: Served) -> int:
    """The resident size of the gateway's processes (Linux)."""
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in (gateway.process.pid, *gateway.workers())]
    return sum(int(status.partition("VmRSS:")[2].split()[0]) for status in statuses)


def prepare(store: Store, upstream: str, accounts: int) -> list[str]:
    """Accounts with money, and a key of each."""
    store.site.set("upstream.base_url", upstream)
    store.site.set("relay.keep_alive_seconds", str(SILENCE_S))
    store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, MICRO_PER_USD))
    lift_request_rates(store)
    names = [f"person{number}" for number in range(accounts)]
    for name in names:
        add_account(store, name, email=f"{name}@example.com", quota_usd=100)
    return [store.api_keys.create(sign_in(store, name), "key").key for name in names]


async def measure(gateway: Served, clients: Clients, models: ModelServer, count: int) -> None:
    await clients.times()
    before = resident_kib(gateway)
    print(f"no streams: {before / 1024:.1f} MiB; a call {await clients.times()}")
    gate = asyncio.Semaphore(OPENED_AT_ONCE)

    async def begin(number: int) -> tuple[StreamReader, StreamWriter]:
        async with gate:
            return await clients.begin(number)

    streams = await asyncio.gather(*(begin(number) for number in range(count)))
    grown = (resident_kib(gateway) - before) / count
    print(f"{count:,} idle streams: {grown:.1f} KiB each; a call {await clients.times()}")
    await asyncio.gather(*(reader.readuntil(KEEP_ALIVE_COMMENT) for reader, _ in streams))
    print(f"with a comment every {SILENCE_S} s in each: a call {await clients.times()}")
    models.goes_on.set()
    for reader, writer in streams:
        await reader.readuntil(b"data: [DONE]\n\n")
        writer.close()


async def run(count: int, workers: int) -> None:
    models = ModelServer()
    server = await asyncio.start_server(models.handle, "127.0.0.1", 0, backlog=2048)
    upstream = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    with tempfile.TemporaryDirectory(prefix="gatekey-benchmark-") as name:
        url, options = sqlite_url(Path(name)), ["--workers", str(workers)] if workers else []
        with make_store(url) as store:
            keys = prepare(store, upstream, count // MAX_CALLS_PER_ACCOUNT + 2)
            with served(Path(name), url, make_ring(), options=options) as gateway:
                await measure(gateway, Clients(httpx.URL(gateway.url), keys), models, count)
            accounts = len(keys)
            held = sum(store.quota.state(sign_in(store, f"person{each}")).held_micro_usd for each in range(accounts))
    print(f"held at the end: {held} micro-USD")
    sys.stdout.flush()
    os._exit(0)  # connections of the model server that are still open would each be logged


def main(arguments: Sequence[str]) -> None:
    raise_limit()
    count, workers = (*map(int, arguments), *(2000, 0)[len(arguments) :])
    asyncio.run(run(count, workers))


if __name__ == "__main__":
    main(sys.argv[1:])
