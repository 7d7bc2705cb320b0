"""File descriptors of the process, and the connection limits derived from them."""

import resource
from typing import Final

_MAX_DESCRIPTORS: Final = 65_536
"""A higher limit only enlarges tables of the kernel and of child processes."""
_RESERVED_DESCRIPTORS: Final = 128
"""For the database, the log, the listener and notifications."""
_MAX_CONNECTIONS: Final = 10_000
_MIN_CONNECTIONS: Final = 16
_PEER_SHARE_DIVISOR: Final = 4
"""The default share of one peer is this fraction of all connections."""


def raise_limit() -> int:
    """Raise the soft limit on descriptors to the hard one, up to 65,536; returns the resulting soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MAX_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def connection_limit(descriptors: int, wanted: int = 0) -> int:
    """Maximum number of connected clients for so many descriptors; `wanted` 0 derives it from them.

    A relayed call takes two descriptors: one for its client and one for the model server.
    """
    available = max(descriptors - _RESERVED_DESCRIPTORS, _MIN_CONNECTIONS)
    return min(wanted, available) if wanted else max(min(available // 2, _MAX_CONNECTIONS), _MIN_CONNECTIONS)


def peer_limit(most: int, wanted: int = 0) -> int:
    """Maximum number of the `most` connections that one address may have; `wanted` 0 is a quarter."""
    return min(wanted, most) if wanted else max(most // _PEER_SHARE_DIVISOR, min(_MIN_CONNECTIONS, most))
