"""From a host name to a connection: resolving it, and dialling its addresses one by one."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final, TypeVar

import httpcore

from gateway.faults import failure

_MOST_ADDRESSES: Final = 8
"""How many of a name's addresses are dialled; all of them are checked."""

_RESOLVERS: Final = 8
"""Threads. A name whose servers are silent keeps one for half a minute or longer, whatever its caller waits for."""

_T = TypeVar("_T")
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to IP addresses as text, best first; OSError or UnicodeError for a name that has none."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: for a connection to be made, and for a whole delivery."""

    connect: float = 5.0
    total: float = 15.0


DEFAULT_TIMEOUTS: Final = Timeouts()


class _Resolvers:
    """Threads that do nothing but resolve names.

    The system's resolver cannot be interrupted. In asyncio's own threads it would keep other work waiting, and in any
    that are no daemons the end of the process.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._asked: SimpleQueue[tuple[Future[list[str]], str, int]] = SimpleQueue()
        self._threads = 0
        self._starting = threading.Lock()

    def submit(self, host: str, port: int) -> Future[list[str]]:
        """The addresses of `host`, once a thread has them. Cancelled before it was begun, it never is."""
        future: Future[list[str]] = Future()
        self._asked.put((future, host, port))
        with self._starting:
            if self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._work, name=f"gatekey-resolve-{self._threads}", daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            future, host, port = self._asked.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(_addresses(host, port))
            except BaseException as error:  # noqa: BLE001 (whoever waits is told)
                future.set_exception(error)


_resolvers: Final = _Resolvers(_RESOLVERS)


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """The system's own answer, off the event loop, in the order of RFC 6724. Whoever is cancelled waits no longer."""
    return await asyncio.wrap_future(_resolvers.submit(host, port))


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


async def lookup(resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """The addresses of `host`, at least one.

    Raises:
        DeliveryFailed: if it has none.
    """
    try:
        addresses = await resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise failure(error, host) from error
    if not addresses:
        raise failure(socket.gaierror(), host)
    return addresses


async def first_to_connect(addresses: Sequence[str], seconds: float, dial: Callable[[str, float], Awaitable[_T]]) -> _T:
    """What `dial(address, share)` returns for the first address that answers; each gets a share of `seconds`.

    Raises whatever dialling the last address raised.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    *others, last = addresses[:_MOST_ADDRESSES]
    for index, address in enumerate(others):
        share = (until - loop.time()) / (len(others) + 1 - index)
        with contextlib.suppress(OSError, httpcore.NetworkError, httpcore.TimeoutException):
            return await dial(address, share)
    return await dial(last, until - loop.time())
