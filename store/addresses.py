"""Addresses that a notification may be sent to: the public internet, and the administrator's allow list.

A save checks what can be told without the network (`check_web_address`); a delivery checks every address that it dials.

`ipaddress.is_global` alone accepts multicast, relays and several IPv6 forms of 127.0.0.1, and its tables differ between
Python versions. The deny list below decides; `is_global` is a second check.
"""

import ipaddress
import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

from store import inputs
from store.errors import InvalidSetting, InvalidUrl
from store.text import sanitize

_DENIED_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private use (RFC 1918)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598); metadata service of some clouds
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform service: a public address, reachable from inside only
        "169.254.0.0/16",  # link local, and the metadata service of most clouds (RFC 3927)
        "172.16.0.0/12",  # private use (RFC 1918)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private use (RFC 1918)
        "198.18.0.0/15",  # benchmarking (RFC 2544)
        "198.51.100.0/24",  # documentation (RFC 5737)
        "203.0.113.0/24",  # documentation (RFC 5737)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved, and the broadcast address (RFC 1112)
    )
)

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""Everything that IANA has assigned so far (RFC 4291, section 2.4). Loopback, unique local, link local, site local,
multicast and IPv4-compatible addresses are outside of it."""

ALLOW_LIST_SETTING: Final = "channels.private_network_allow"
"""The administrator's setting that holds the `AllowList`."""

_DENIED_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID (RFC 2928)
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4: the packet goes to the IPv4 address inside (RFC 7526)
        "3ffe::/16",  # the former 6bone (RFC 3701)
        "3fff::/20",  # documentation (RFC 9637)
    )
)

_NAT64: Final = IPv6Network("64:ff9b::/96")
"""Maps IPv4 hosts into an IPv6-only network: the last 32 bits are the IPv4 address (RFC 6052)."""

WEB_PORTS: Final = {"http": 80, "https": 443}
"""Every other port has to be on the administrator's list."""

_LOCALHOST: Final = ("127.0.0.1", "::1")
_HOW_TO_ALLOW: Final = "The administrator can allow it by host and port."
_UNREADABLE_ENTRY: Final = " An entry of the list of what is allowed cannot be read."
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """True if `address` is an ordinary host on the public internet.

    IPv4 inside IPv6 (mapped, RFC 4291; NAT64, RFC 6052) is judged by the IPv4 address. Text that is not exactly one
    address, and an address with a zone, is not public.
    """
    parsed = _parse(address) if isinstance(address, str) else address
    if isinstance(parsed, IPv6Address):
        return _is_public_v6(parsed)
    return parsed is not None and parsed.is_global and not any(parsed in network for network in _DENIED_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_UNICAST and address.is_global and not any(address in network for network in _DENIED_V6)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def canonical_host(host: str) -> str:
    """The canonical form of a host: lower case, no final dot, no brackets, IPv6 compressed, mapped IPv4 as IPv4."""
    address = _parse(host.removeprefix("[").removesuffix("]"))
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address) if address is not None else host.lower().removesuffix(".")


def is_host(host: str) -> bool:
    """True if `host` is a host name in ASCII, four decimal numbers, or an IPv6 address in brackets.

    The rule is the store's, so every saved host can be dialled.
    """
    if host.startswith("[") and host.endswith("]"):
        return ":" in host and inputs.is_host(host[1:-1])
    return ":" not in host and inputs.is_host(host)


class AllowList(NamedTuple):
    """The administrator's `host:port` list: allowed although private, or on an unusual port.

    An entry by address covers every name that resolves to it. An entry by name trusts that name's DNS: whatever it
    resolves to is allowed on that port.
    """

    entries: frozenset[tuple[str, int]] = frozenset()
    unreadable: tuple[str, ...] = ()
    """Sentences about entries that cannot be parsed, and therefore allow nothing."""

    @classmethod
    def read(cls, words: Iterable[str]) -> Self:
        """The list of `words`. An entry that cannot be parsed allows nothing and does not affect the others.

        An entry is `host:port`, or `[v6]:port` for IPv6. No wildcards, ranges, schemes or missing ports, and IPv4 only
        as four decimal numbers.
        """
        entries, unreadable = set(), []
        for word in words:
            try:
                entries.add(_entry(word))
            except InvalidSetting as error:
                unreadable.append(str(error))
        return cls(frozenset(entries), tuple(unreadable))

    def covers(self, host: str, port: int) -> bool:
        """True if exactly this host, by name or by address, is listed with this port."""
        return (canonical_host(host), port) in self.entries

    def has_port(self, port: int) -> bool:
        """True if any host is listed with this port."""
        return any(listed == port for _, listed in self.entries)

    def refusal_of_port(self, host: str, port: int) -> str:
        """The reason why nothing may be sent to that port, whatever address the host has; empty if something may."""
        if port in WEB_PORTS.values() or self.has_port(port):
            return ""
        return self._unusual_port(host, port)

    def refusal(self, host: str, port: int, address: str) -> str:
        """The reason why nothing may be sent to `address`, an address of `host`; empty if something may."""
        if self.covers(host, port) or self.covers(address, port):
            return ""
        if not is_public(address):
            return f"{sanitize(host, 200)} lies in a private network. {_HOW_TO_ALLOW}{self._hint()}"
        return "" if port in WEB_PORTS.values() else self._unusual_port(host, port)

    def _unusual_port(self, host: str, port: int) -> str:
        return f"Port {port} of {sanitize(host, 200)} is not 80 or 443. {_HOW_TO_ALLOW}{self._hint()}"

    def _hint(self) -> str:
        return _UNREADABLE_ENTRY if self.unreadable else ""


def check_web_address(url: str, allow: AllowList, field: str) -> None:
    """Check a web address before it is saved, as far as that needs no network.

    The addresses of a name other than localhost (RFC 6761, 6.3) are checked at each delivery. Raises `InvalidUrl` with
    the sentence that the delivery would fail with.
    """
    inputs.check_url(url, field=field)
    parts = urlsplit(url.strip(" "))
    host = (parts.hostname or "").removesuffix(".")
    port = WEB_PORTS[parts.scheme] if parts.port is None else parts.port
    refusal = allow.refusal_of_port(host, port)
    addresses = _LOCALHOST if host == "localhost" or host.endswith(".localhost") else (host,) if _parse(host) else ()
    if addresses and not refusal:
        # One address is enough: the machine may know localhost by the other one only.
        refusal = min((allow.refusal(host, port, address) for address in addresses), key=len)
    if refusal:
        raise InvalidUrl(refusal, field=field)


def _entry(word: str) -> tuple[str, int]:
    host, _, port = word.rpartition(":")
    if _PORT.fullmatch(port) and int(port) <= 65535 and is_host(host):
        return canonical_host(host), int(port)
    raise InvalidSetting(f"{sanitize(word, 80)} is not host:port, such as 10.0.0.5:8080 or [fd00::5]:443.")
