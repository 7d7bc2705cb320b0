"""Accepts connections on a listening socket.

asyncio's own accept loop misbehaves when the process runs out of file descriptors: it retries the whole backlog without
pause and logs each try, 2,048 lines a second, and nothing else runs.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

from gateway.connection_register import ConnectionRegister

ACCEPT_RETRY_DELAY_S: Final = 0.5
"""Seconds until the next try when no descriptors are left."""
_MAX_ACCEPTS_PER_TURN: Final = 64
"""Connections accepted in one turn of the event loop, before other work runs."""
_TURNS_PER_ROUND: Final = 8
"""Turns of the event loop between two rounds of accepting. A request that arrives with its connection is read within
three, so a new connection does not count as the longest idle one."""
_SHORTAGE_ERRNOS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_NO_DESCRIPTORS: Final = "No more connections can be opened (%d are open): the limit on open files is reached"


class Acceptor:
    """Accepts on one listening socket; an entry for `uvicorn.Server.servers`."""

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: Callable[[], asyncio.Protocol],
        connections: ConnectionRegister,
        *,
        at_once: int | None = None,
    ) -> None:
        """Start to accept on the running event loop, up to `at_once` connections in one turn of it.

        If descriptors run out, `connections` closes idle ones.
        """
        listener.setblocking(False)
        self._listener = listener
        self._make_protocol = make_protocol
        self._connections = connections
        self._at_once = at_once or max(min(connections.max_per_peer // _TURNS_PER_ROUND, _MAX_ACCEPTS_PER_TURN), 1)
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[object]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._resume()

    def close(self) -> None:
        """Stop accepting. The caller closes the socket."""
        self._is_closed = True
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._listener)

    async def settle(self) -> None:
        """Wait until each accepted connection has its protocol, through which it can be closed."""
        if self._opening:
            await asyncio.wait(self._opening)

    async def wait_closed(self) -> None:
        """Return at once: the server handles the accepted connections."""

    def _resume(self) -> None:
        self._retry = None
        if not self._is_closed:
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(self._at_once):
            try:
                accepted, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno not in _SHORTAGE_ERRNOS:
                    continue  # the client has disconnected already (accept(2))
                self._loop.remove_reader(self._listener)
                self._retry = self._loop.call_later(ACCEPT_RETRY_DELAY_S, self._resume)
                self._connections.warn(_NO_DESCRIPTORS, len(self._connections))
                self._connections.shed()
                return
            accepted.setblocking(False)
            opening = self._loop.create_task(self._loop.connect_accepted_socket(self._make_protocol, accepted))
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)
