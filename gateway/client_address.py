"""Who is calling: the peer of the connection, and what is believed of a proxy's word about it.

X-Forwarded-For is a list that everyone on the way may have written to. Only a proxy that the administrator listed
is believed, and only about the hop before it: the list is read from the right, up to the first address that is
no listed proxy's.
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
"""Everyone with IPv6 has at least this many bits to draw addresses from (RFC 6177)."""


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks in `texts`, as the site's `gateway.trusted_proxies` holds them."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def client_address(scope: Mapping[str, Any], trusted: tuple[Network, ...]) -> str:
    """The address of the client of an ASGI request, in its usual form; empty if the peer has none.

    `trusted` are the proxies whose X-Forwarded-For is believed.
    """
    peer = scope.get("client")
    address = _parse(peer[0]) if peer else None
    if address is None:
        return ""
    if not trusted or not _is_trusted(address, trusted):
        return str(address)
    named = b",".join(value for name, value in scope["headers"] if name == _HEADER).decode("latin-1")
    for hop in reversed(named.split(",")[-_MAX_HOPS:]):
        before = _parse_hop(hop)
        if before is None:
            break
        address = before
        if not _is_trusted(address, trusted):
            break
    return str(address)


def throttle_key(address: str) -> str:
    """What tries from `address` are counted under: an IPv6 client may change its address as it likes."""
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


@lru_cache(4096)
def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
