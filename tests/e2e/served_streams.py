"""Streams of a gateway that runs: a model server that waits, the documents of a stream, and the end of the gateway."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from tests.harness.served_gateway import PATIENCE


class Gate:
    """Lets the model server say one word, and then nothing until it is opened."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def open(self) -> None:
        self._opened.set()

    async def pause(self, number: int) -> None:
        if number == 1:
            await asyncio.to_thread(self._opened.wait, PATIENCE)


def events(lines: Iterator[str]) -> Iterator[Any]:
    """The documents of a stream; the text of its last line as it is."""
    for line in lines:
        if line:
            data = line.removeprefix("data: ")
            yield data if data == "[DONE]" else json.loads(data)


def wait_until_refused(host: str, port: int) -> None:
    """Wait until nobody listens there any more."""
    deadline = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < deadline, "new connections were still taken"
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.01)
