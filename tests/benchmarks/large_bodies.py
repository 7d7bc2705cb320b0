"""Measures the time for which a large request body keeps the event loop from other callers.

python -m tests.benchmarks.large_bodies

The figure is the CPU that the longest turn of the event loop took, from the head of the call to the end of its
response: nobody else is served in that time. Other work on the machine does not count.
"""

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from gateway import serve
from gateway.app import create_app
from gateway.listener import address_of, listen
from gateway.model_server.client import ModelServerClient
from store.money import MICRO_PER_USD
from store.values.billing import ModelPrice
from tests.benchmarks.gateway import MODEL, side
from tests.harness.stores import add_account, make_store, sign_in, sqlite_url

SIZE: Final = 30 * 1024 * 1024
CALLS: Final = 5
_SHORT: Final = "Say twenty words."


class MeteredLoop(asyncio.SelectorEventLoop):
    """Notes the longest turn, in seconds of CPU of its thread."""

    longest = 0.0

    def _run_once(self) -> None:
        started = time.thread_time()
        super()._run_once()  # type: ignore[misc]  # of the base class, and not public
        self.longest = max(self.longest, time.thread_time() - started)


@dataclass
class Metered:
    """A gateway in a thread, and a key for it."""

    url: str
    key: str
    loop: MeteredLoop

    def call(self, body: bytes) -> float:
        """Milliseconds of the longest turn during a call."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        self.loop.longest = 0.0
        answer = httpx.post(f"{self.url}/v1/chat/completions", content=body, headers=headers, timeout=120)
        assert answer.status_code == 200, answer.text
        return self.loop.longest * 1000


@contextmanager
def metered() -> Iterator[Metered]:
    """The gateway on an SQLite file, in front of a quick model server."""
    with tempfile.TemporaryDirectory(prefix="gatekey-bodies-") as name, ExitStack() as stack:
        store = stack.enter_context(make_store(sqlite_url(Path(name))))
        store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, 2 * MICRO_PER_USD))
        add_account(store, "alice", quota_usd=100_000)
        key = store.api_keys.create(sign_in(store, "alice"), "laptop").key
        store.site.set("upstream.base_url", f"{stack.enter_context(side('upstream'))}/v1")
        listener = stack.enter_context(listen("127.0.0.1", 0))
        app = create_app(store, model_server=ModelServerClient(), dispatches=False)
        server = serve.GatewayServer(serve.server_config(app), "127.0.0.1", serve.make_connection_register(store))
        loop = MeteredLoop()
        runner = stack.enter_context(asyncio.Runner(loop_factory=lambda: loop))
        thread = threading.Thread(target=lambda: runner.run(server.serve(sockets=[listener])))
        thread.start()
        try:
            yield Metered(address_of(listener, "127.0.0.1"), key, loop)
        finally:
            server.should_exit = True
            thread.join()


def bodies() -> Iterator[tuple[str, bytes]]:
    """A short body, and two of `SIZE`."""
    yield "short", _chat([_SHORT])
    yield "one long text", _chat(["x" * SIZE])
    yield "many messages", _chat(["x" * 200] * (SIZE // 240))


def _chat(contents: list[str]) -> bytes:
    messages = [{"role": "user", "content": content} for content in contents]
    return json.dumps({"model": MODEL, "messages": messages, "max_tokens": 100}).encode()


def main() -> None:
    """Print a line for each kind of body."""
    with metered() as gateway:
        for name, body in bodies():
            gateway.call(body)
            turns = sorted(gateway.call(body) for _ in range(CALLS))
            print(
                f"{name}, {len(body):,} bytes: longest turn {turns[0]:.1f}, {turns[CALLS // 2]:.1f}, {turns[-1]:.1f} ms"
            )


if __name__ == "__main__":
    main()
