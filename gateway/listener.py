"""The listening socket of a server."""

import ipaddress
import socket
from typing import Final

from store.errors import CannotListen

BACKLOG_CONNECTIONS: Final = 2048
"""Connections that wait to be accepted."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. The IPv6 wildcard address (`::`) includes IPv4.

    Raises `CannotListen`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    is_both = family == socket.AF_INET6 and _is_any(host) and socket.has_dualstack_ipv6()
    try:
        listener = socket.create_server(
            (host, port), family=family, backlog=BACKLOG_CONNECTIONS, dualstack_ipv6=is_both
        )
        # Accepted sockets inherit it. asyncio sets it only on sockets created with an explicit protocol number. Without
        # it the body of a response waits for the acknowledgement of its headers, 40 ms with most clients.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "the address cannot be used"
        raise CannotListen(f"Gatekey cannot listen on {host} port {port}: {reason.lower()}.") from error


def address_of(listener: socket.socket, host: str) -> str:
    """The address of a server that listens, as a URL. `host` is how it was named to `listen`."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
