"""Sends the head of a response together with the first part of its body, in one segment.

uvicorn writes both alone, and uvloop sends each at once: two system calls, and two segments that wake the client twice.
"""

import asyncio
from typing import Any


class HeadHolder:
    """A transport that holds its first write until the second, or until the event loop runs again.

    A stream whose first event is not there yet gets its head at once all the same.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self._is_first = True

    def write(self, data: bytes) -> None:
        if self._is_first:
            self._is_first = False
            self._held = data
            self._loop.call_soon(self.flush)
        else:
            held, self._held = self._held, b""
            self._transport.write(held + data if held else data)

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def flush(self) -> None:
        """Send what is held."""
        held, self._held = self._held, b""
        if held:
            self._transport.write(held)
