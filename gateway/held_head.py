"""Sends the head of a response together with the first part of its body, and the last part with its end.

uvicorn writes each alone, and uvloop sends each at once: two system calls, and two segments that wake the client twice.
"""

import asyncio
from typing import Any, Final

from starlette.types import Scope

_KEY: Final = "gatekey.hold_write"
"""Key of the server's callback in an ASGI scope."""


def hold_next_write(scope: Scope) -> None:
    """Let the next part of the response to `scope` leave with the one after it, if the server offers that."""
    hold = scope.get(_KEY)
    if hold is not None:
        hold()


class HeadHolder:
    """A transport that holds its first write until the second, or until the event loop runs again, and a later one on
    demand.

    A stream whose first event is not there yet gets its head at once all the same.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self._holds_next = True

    def offer(self, scope: Scope) -> None:
        """Let the application hold a later write, too, by `hold_next_write`."""
        scope[_KEY] = self._hold_next

    def write(self, data: bytes) -> None:
        if self._holds_next:
            self._holds_next = False
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

    def _hold_next(self) -> None:
        self.flush()
        self._holds_next = True

    def flush(self) -> None:
        """Send what is held."""
        held, self._held = self._held, b""
        if held:
            self._transport.write(held)
