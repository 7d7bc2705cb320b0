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
    requested = _MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MAX_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= requested:
        return _MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (requested, hard))
    return requested


def connection_limit(descriptors: int, requested: int = 0) -> int:
    """Maximum number of connected clients for so many descriptors; `requested` 0 derives it from them.

    A relayed call takes two descriptors: one for its client and one for the model server.
    """
    available = max(descriptors - _RESERVED_DESCRIPTORS, _MIN_CONNECTIONS)
    return min(requested, available) if requested else max(min(available // 2, _MAX_CONNECTIONS), _MIN_CONNECTIONS)


def peer_limit(total: int, requested: int = 0) -> int:
    """Maximum number of the `total` connections that one address may have; `requested` 0 is a quarter."""
    return min(requested, total) if requested else max(total // _PEER_SHARE_DIVISOR, min(_MIN_CONNECTIONS, total))
