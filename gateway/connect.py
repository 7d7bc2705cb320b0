"""Resolves a host name and connects to its addresses one by one."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, TypeVar

import httpcore

from gateway.network_errors import delivery_failure

_MAX_DIALLED_ADDRESSES: Final = 8
"""Addresses of a name that are tried. All of them are checked."""

_T = TypeVar("_T")
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Maps host and port to IP addresses as text, best first. Raises OSError or UnicodeError for a name without any."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for connecting, and for a whole delivery."""

    connect: float = 5.0
    total: float = 15.0


DEFAULT_TIMEOUTS: Final = Timeouts()


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Addresses from the system's resolver, off the event loop, in the order of RFC 6724. Cancelling returns at once.

    The system's resolver cannot be interrupted. In asyncio's executor it would block other work, and a non-daemon
    thread would delay the end of the process. Each lookup therefore has a daemon thread of its own.
    """
    answer: Future[list[str]] = Future()
    answer.set_running_or_notify_cancel()

    def resolve() -> None:
        try:
            answer.set_result(_addresses(host, port))
        except Exception as error:  # noqa: BLE001 - it is raised again where it is waited for
            answer.set_exception(error)

    threading.Thread(target=resolve, name="gatekey-resolve", daemon=True).start()
    return await asyncio.wrap_future(answer)


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


async def resolve_host(resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """The addresses of `host`, at least one.

    Raises:
        DeliveryFailed: if there are none.
    """
    try:
        addresses = await resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise delivery_failure(error, host) from error
    if not addresses:
        raise delivery_failure(socket.gaierror(), host)
    return addresses


async def first_to_connect(addresses: Sequence[str], seconds: float, dial: Callable[[str, float], Awaitable[_T]]) -> _T:
    """The result of `dial(address, share)` for the first address that answers; each gets a share of `seconds`.

    Raises what dialling the last address raised.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    *others, last = addresses[:_MAX_DIALLED_ADDRESSES]
    for index, address in enumerate(others):
        share = (until - loop.time()) / (len(others) + 1 - index)
        with contextlib.suppress(OSError, httpcore.NetworkError, httpcore.TimeoutException):
            return await dial(address, share)
    return await dial(last, until - loop.time())
