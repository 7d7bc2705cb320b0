"""The open connections, and which of them to close when there are too many.

An idle connection costs its client nothing. At the limit, a new connection therefore replaces the one that has been
idle longest. A client that sends its request at once is served, no matter how many others are idle.
"""

import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from gateway.client_address import Network, throttle_key

LOGGER: Final = logging.getLogger("gatekey.connections")
WARNING_INTERVAL_S: Final = 60.0
"""Seconds between two warnings of one kind."""
_SHED_COUNT: Final = 16
"""Idle connections that are closed at once when the process has no descriptors left."""


class Connection(Protocol):
    """A connection in the register."""

    def close_idle(self) -> None:
        """Close this idle connection in favour of another client's."""


class ConnectionRegister:
    """The connections of one server. Not thread-safe."""

    def __init__(
        self,
        max_connections: int,
        max_per_peer: int,
        *,
        proxies: tuple[Network, ...] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Each of `proxies` stands for many clients, so only the limit on all connections applies to it."""
        self.max_connections = max_connections
        self.max_per_peer = max_per_peer
        self._proxies = proxies
        self._monotonic = monotonic
        self._peers: dict[Connection, str] = {}
        self._peer_counts: Counter[str] = Counter()
        self._idle: dict[Connection, None] = {}
        """Idle connections, the longest idle first."""
        self._warned_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def admit(self, connection: Connection, address: str) -> bool:
        """Add a new connection, which is idle; False if there is no room for it."""
        peer = throttle_key(address)
        if self._peer_counts[peer] >= self.max_per_peer and not self._is_proxy(address):
            self.warn("One client has %d connections, as many as it may have at once", self._peer_counts[peer])
            if not self._evict_idle(peer):
                return False
        if len(self._peers) >= self.max_connections:
            self.warn("There are %d connections, as many as there may be at once", len(self._peers))
            if not self._evict_idle():
                return False
        self._peers[connection] = peer
        self._peer_counts[peer] += 1
        self._idle[connection] = None
        return True

    def mark_idle(self, connection: Connection) -> None:
        """Mark `connection` as idle."""
        if connection in self._peers and connection not in self._idle:
            self._idle[connection] = None

    def mark_busy(self, connection: Connection) -> None:
        """Mark `connection` as busy with a request."""
        self._idle.pop(connection, None)

    def remove(self, connection: Connection) -> None:
        """Remove `connection`."""
        self._idle.pop(connection, None)
        peer = self._peers.pop(connection, None)
        if peer is not None:
            self._peer_counts[peer] -= 1
            if not self._peer_counts[peer]:
                del self._peer_counts[peer]

    def shed(self) -> None:
        """Close some of the longest idle connections: the process has no descriptors left."""
        for _ in range(_SHED_COUNT):
            if not self._evict_idle():
                return

    def warn(self, sentence: str, count: int) -> None:
        """Log `sentence` at most once per `WARNING_INTERVAL_S`, so that an attack does not fill the log."""
        now = self._monotonic()
        if now - self._warned_at.get(sentence, now - WARNING_INTERVAL_S) >= WARNING_INTERVAL_S:
            self._warned_at[sentence] = now
            LOGGER.warning(sentence, count)

    def _evict_idle(self, peer: str | None = None) -> bool:
        idle = (each for each in self._idle if peer is None or self._peers[each] == peer)
        longest = next(idle, None)
        if longest is None:
            return False
        self.remove(longest)
        longest.close_idle()
        return True

    def _is_proxy(self, address: str) -> bool:
        if not self._proxies:
            return False
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self._proxies)
