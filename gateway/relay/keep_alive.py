"""Comments that keep a silent stream open: proxies and load balancers close a connection that is idle for a minute."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

KEEP_ALIVE_COMMENT: Final = b": keep-alive\n\n"
"""A comment, which every client skips (server-sent events, WHATWG HTML, 9.2.6)."""


class KeepAlive:
    """Calls `send_comment` each time nothing was sent for `seconds`; 0 never calls it.

    One timer per stream is set anew when it fires, so an event costs a look at the clock and no timer.
    """

    def __init__(self, seconds: float, send_comment: Callable[[], Awaitable[None]]) -> None:
        self._seconds = seconds
        self._send_comment = send_comment
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_sending(self) -> bool:
        return self._sending is not None

    def start(self) -> None:
        """Begin to watch, on the running event loop."""
        self.note_sent()
        self._watch()

    def note_sent(self) -> None:
        """Note that something was sent now."""
        self._sent_at = asyncio.get_running_loop().time()

    async def settle(self) -> None:
        """Wait until a comment that is being sent is sent."""
        if self._sending is not None:
            await asyncio.wait({self._sending})

    def stop(self) -> None:
        """Send no more comments."""
        self._seconds = 0
        if self._timer is not None:
            self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()

    def _watch(self) -> None:
        if self._seconds:
            self._timer = asyncio.get_running_loop().call_at(self._sent_at + self._seconds, self._on_timer)

    def _on_timer(self) -> None:
        if asyncio.get_running_loop().time() < self._sent_at + self._seconds:
            self._watch()
            return
        self._sending = asyncio.ensure_future(self._send())
        self._sending.add_done_callback(self._sent)

    async def _send(self) -> None:
        await self._send_comment()

    def _sent(self, _: asyncio.Task[None]) -> None:
        self._sending = None
        self.note_sent()
        self._watch()
