"""File descriptors: how many this process may have, and how many connections follow from that."""

import resource
from typing import Final

_MAX_DESCRIPTORS: Final = 65_536
"""Beyond it a limit only makes tables of the kernel and of child processes longer."""
_RESERVED_DESCRIPTORS: Final = 128
"""For the database, the log, the listener, and messages on their way."""
_MAX_CONNECTIONS: Final = 10_000
_MIN_CONNECTIONS: Final = 16
_PEER_SHARE_DIVISOR: Final = 4
"""One peer may have a share of all connections that leaves as much for so many less one."""


def raise_limit() -> int:
    """Raise the soft limit on descriptors to the hard one, up to 65,536; returns the soft limit then in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MAX_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def connection_limit(descriptors: int, wanted: int = 0) -> int:
    """How many clients may be connected at once, at so many descriptors; `wanted` 0 leaves it to them.

    A relayed call takes two: one to its client and one to the model server.
    """
    available = max(descriptors - _RESERVED_DESCRIPTORS, _MIN_CONNECTIONS)
    return min(wanted, available) if wanted else max(min(available // 2, _MAX_CONNECTIONS), _MIN_CONNECTIONS)


def peer_limit(most: int, wanted: int = 0) -> int:
    """How many of `most` one address may have; `wanted` 0 is a quarter."""
    return min(wanted, most) if wanted else max(most // _PEER_SHARE_DIVISOR, min(_MIN_CONNECTIONS, most))
