"""The address of a client, taken from the connection or from a trusted proxy's X-Forwarded-For.

Every proxy on the path can write X-Forwarded-For. Only proxies that the administrator listed are trusted, each only
about the hop before it: the list is read from the right, up to the first address that is no listed proxy.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_HEADER: Final = b"x-forwarded-for"
_MAX_HOPS: Final = 32
_IPV6_PREFIX_BITS: Final = 64
"""Every IPv6 client has at least so large a network to draw addresses from (RFC 6177)."""


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Parse `texts`, the value of the setting `gateway.trusted_proxies`."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def client_address(scope: Mapping[str, Any], trusted: tuple[Network, ...]) -> str:
    """The client's address of an ASGI request, in canonical form; empty if the peer has none.

    `trusted` are the proxies whose X-Forwarded-For is used.
    """
    peer = scope.get("client")
    address = _parse(peer[0]) if peer else None
    if address is None:
        return ""
    if not trusted or not _is_trusted(address, trusted):
        return _text(address)
    named = b",".join(value for name, value in scope["headers"] if name == _HEADER).decode("latin-1")
    for hop in reversed(named.split(",")[-_MAX_HOPS:]):
        before = _parse_hop(hop)
        if before is None:
            break
        address = before
        if not _is_trusted(address, trusted):
            break
    return _text(address)


def throttle_key(address: str) -> str:
    """The key under which attempts from `address` are counted: for IPv6 its /64, since a client can change the rest."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ipaddress.ip_network((int(parsed), _IPV6_PREFIX_BITS), strict=False))
    return str(parsed) if parsed else address


def _is_trusted(address: Address, trusted: tuple[Network, ...]) -> bool:
    return any(address in network for network in trusted)


def _parse_hop(text: str) -> Address | None:
    hop = text.strip()
    if hop.startswith("["):
        return _parse(hop[1:].partition("]")[0])
    host, _, port = hop.partition(":")
    return _parse(host if port.isdigit() else hop)


# Each of them takes as long as the rest of this module, and a client calls again and again.
_text: Final = lru_cache(4096)(str)


@lru_cache(4096)
def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
