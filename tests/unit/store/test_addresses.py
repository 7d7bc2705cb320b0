"""Public addresses, and the entries the administrator's list accepts."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.addresses import AllowList, canonical_host, check_web_address, is_host, is_public
from store.errors import InvalidUrl

HOSTILE = (
    "0.0.0.0",  # noqa: S104 (nothing is bound to it)
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.9",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2002:808:808::1",
    "3ffe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
)

PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "93.184.215.14",
    "2606:4700:4700::1111",
    "2a00:1450:4001:82f::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
)


@pytest.mark.parametrize("address", HOSTILE)
def test_a_hostile_address_was_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_ordinary_address_was_public(address: str) -> None:
    assert is_public(address)


def test_the_bar_was_met() -> None:
    blocked = sum(not is_public(address) for address in HOSTILE)
    by_python = sum(not ipaddress.ip_address(address).is_global for address in HOSTILE)
    print(f"BAR M1 {blocked}/{len(HOSTILE)} hostile blocked (is_global alone: {by_python})")
    assert blocked == len(HOSTILE) >= 36
    assert by_python < len(HOSTILE)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "1.1.1.1 ", "[::1]", "١.١.١.١"])
def test_what_is_not_one_address_was_not_public(text: str) -> None:
    assert not is_public(text)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_kept_its_verdict_inside_ipv6(address: ipaddress.IPv4Address) -> None:
    verdict = is_public(address)
    assert is_public(ipaddress.IPv6Address(f"::ffff:{address}")) is verdict
    assert is_public(ipaddress.IPv6Address(f"64:ff9b::{address}")) is verdict
    assert not is_public(ipaddress.IPv6Address(f"::{address}"))


@given(st.ip_addresses())
def test_nothing_was_public_that_python_calls_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    inside = isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped is not None or address in ipaddress.IPv6Network("64:ff9b::/96")
    )
    assert inside or address.is_global or not is_public(address)


def test_a_listed_host_was_covered_in_every_spelling() -> None:
    allow = AllowList.read(["10.0.0.5:8080", "gotify.lan:80", "[fd00::5]:443", "[::ffff:10.0.0.6]:81"])
    assert allow.covers("10.0.0.5", 8080)
    assert allow.covers("::ffff:10.0.0.5", 8080)
    assert allow.covers("Gotify.LAN", 80)
    assert allow.covers("gotify.lan.", 80)
    assert AllowList.read(["gotify.lan.:80"]).covers("gotify.lan", 80)
    assert allow.covers("fd00:0:0::0:5", 443)
    assert allow.covers("[fd00::5]", 443)
    assert allow.covers("10.0.0.6", 81)
    assert allow.has_port(8080)


def test_a_neighbour_of_a_listed_host_was_not_covered() -> None:
    allow = AllowList.read(["10.0.0.5:8080", "gotify.lan:80"])
    assert not allow.covers("10.0.0.5", 80)
    assert not allow.covers("10.0.0.6", 8080)
    assert not allow.covers("sub.gotify.lan", 80)
    assert not allow.covers("gotify.lan.evil.example", 80)
    assert not allow.has_port(81)
    assert not AllowList().covers("127.0.0.1", 80)
    assert AllowList.read([]) == AllowList()


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.5",
        "10.0.0.5:",
        ":80",
        "10.0.0.5:0",
        "10.0.0.5:65536",
        "10.0.0.5:080",
        "10.0.0.5:٨٠",
        "10.0.0.0/8:80",
        "*.lan:80",
        "*:80",
        "127.1:80",
        "2130706433:80",
        "0177.0.0.1:80",
        "fd00::5:443",
        "[fd00::5%eth0]:443",
        "[10.0.0.5]:80",
        "http://gotify.lan:80",
        "user@gotify.lan:80",
        "gotify..lan:80",
        "-gotify.lan:80",
        "127.0.0.1.:80",
        "gotify\x1b[31m.lan:80",
        "göt.lan:80",
        f"{'a' * 64}.lan:80",
        f"{'a.' * 130}lan:80",
    ],
)
def test_an_entry_of_another_form_was_refused_with_a_sentence(entry: str) -> None:
    allow = AllowList.read(["gotify.lan:80", entry])
    assert allow.entries == {("gotify.lan", 80)}
    (sentence,) = allow.unreadable
    assert "is not host:port" in sentence
    assert "\x1b" not in sentence


@given(st.text(max_size=40))
def test_any_text_was_an_entry_or_unreadable(text: str) -> None:
    allow = AllowList.read([text])
    assert len(allow.entries) + len(allow.unreadable) == 1
    assert all(0 < port < 65536 and canonical_host(host) == host for host, port in allow.entries)


@given(st.ip_addresses())
def test_every_address_was_a_host_with_one_spelling(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    shown = f"[{address.exploded}]" if address.version == 6 else str(address)
    assert is_host(shown)
    assert canonical_host(canonical_host(shown)) == canonical_host(shown)


PRIVATE = "lies in a private network. The administrator can allow it by host and port."


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1/hook", f"127.0.0.1 {PRIVATE}"),
        ("https://[::1]/hook", f"::1 {PRIVATE}"),
        ("https://[::ffff:10.0.0.1]/hook", PRIVATE),
        ("https://169.254.169.254/", PRIVATE),
        ("http://localhost/hook", f"localhost {PRIVATE}"),
        ("http://LOCALHOST./hook", PRIVATE),
        ("https://app.localhost/hook", PRIVATE),
        ("https://hooks.example.com:8443/", "Port 8443 of hooks.example.com is not 80 or 443. The administrator"),
        ("http://1.1.1.1:22/", "Port 22 of 1.1.1.1 is not 80 or 443."),
        ("http://hooks.example.com:70000/", "A port is a number from 1 to 65535."),
        ("http://hooks.example.com:0/", "A port is a number from 1 to 65535."),
        ("http://hooks.example.com:x/", "A port is a number from 1 to 65535."),
        ("ftp://hooks.example.com/", "Enter a web address that starts with https:// or http://."),
        ("http://127.1/", "127.1 is no host name and no IP address that can be reached."),
        ("http://-hooks.example.com/", "-hooks.example.com is no host name"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(InvalidUrl) as refused:
        check_web_address(url, AllowList(), "webhook_url")
    assert reason in str(refused.value)
    assert refused.value.field == "webhook_url"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://hooks.example.com/x", ()),
        ("https://hooks.example.com:443/x", ()),
        ("http://1.1.1.1/", ()),
        ("http://10.0.0.5:8080/x", ("10.0.0.5:8080",)),
        ("http://localhost:8080/x", ("localhost:8080",)),
        ("http://localhost:8080/x", ("127.0.0.1:8080",)),
        ("http://localhost:8080/x", ("[::1]:8080",)),
        ("http://gotify.lan:8080/x", ("gotify.lan:8080",)),
        # The list may cover the address that the name has. Only the delivery knows.
        ("http://gotify.lan:8080/x", ("10.0.0.5:8080",)),
        ("http://intranet/", ()),
    ],
)
def test_an_address_that_may_work_is_saved(url: str, allowed: tuple[str, ...]) -> None:
    check_web_address(url, AllowList.read(allowed), "webhook_url")


def test_a_refusal_tells_of_an_entry_that_cannot_be_read() -> None:
    with pytest.raises(InvalidUrl, match="An entry of the list of what is allowed cannot be read"):
        check_web_address("http://10.0.0.5/", AllowList.read(["10.0.0.5"]), "webhook_url")


@given(st.ip_addresses(), st.integers(min_value=1, max_value=65535), st.booleans())
def test_a_literal_address_is_saved_exactly_if_it_can_be_delivered_to(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, is_listed: bool
) -> None:
    host = f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)
    allow = AllowList.read([f"{host}:{port}"] if is_listed else [])
    is_delivered = not (allow.refusal_of_port(str(address), port) or allow.refusal(str(address), port, str(address)))
    try:
        check_web_address(f"http://{host}:{port}/", allow, "webhook_url")
        is_saved = True
    except InvalidUrl:
        is_saved = False
    assert is_saved is is_delivered
