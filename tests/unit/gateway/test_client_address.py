"""The client's address: the peer's, unless a proxy that the administrator listed forwards another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client_address import client_address, parse_networks, throttle_key
from store.sections import PrivacySettings
from store.values.usage import UsageEntry
from tests.harness.gateway_client import client_of, make_relayed, make_token
from tests.harness.stores import StillClock, add_account, make_store, sign_in

PEER, PROXY, INNER, CLIENT = "203.0.113.77", "10.0.0.2", "10.0.0.3", "198.51.100.9"
TRUSTED = ("10.0.0.0/8", "fd00::/8")


def seen(peer: str | None, *forwarded: str, trusted: tuple[str, ...] = TRUSTED) -> str:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope = {"client": None if peer is None else (peer, 4711), "headers": headers}
    return client_address(scope, parse_networks(trusted))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (PEER, (), PEER),
        (PEER, (CLIENT,), PEER),
        (PEER, ("127.0.0.1",), PEER),
        ("127.0.0.1", (CLIENT,), "127.0.0.1"),
        ("::1", (CLIENT,), "::1"),
        (PROXY, (), PROXY),
        (PROXY, (CLIENT,), CLIENT),
        (PROXY, (f"8.8.8.8, {CLIENT}",), CLIENT),
        (PROXY, ("8.8.8.8", CLIENT), CLIENT),
        (PROXY, (f"{CLIENT}, {INNER}",), CLIENT),
        (PROXY, (f"8.8.8.8, {INNER}, {CLIENT}, {INNER}",), CLIENT),
        (PROXY, (INNER,), INNER),
        (PROXY, (f"{CLIENT}, unknown",), PROXY),
        (PROXY, (f"{CLIENT}, _hidden, {INNER}",), INNER),
        (PROXY, ("",), PROXY),
        (PROXY, (", ,",), PROXY),
        (PROXY, (f"{CLIENT}:443",), CLIENT),
        (PROXY, ("[2001:db8::7]:443",), "2001:db8::7"),
        (PROXY, ("2001:db8::7",), "2001:db8::7"),
        (PROXY, (f"::ffff:{CLIENT}",), CLIENT),
        (f"::ffff:{PROXY}", (CLIENT,), CLIENT),
        ("fd00::1", (CLIENT,), CLIENT),
        (f"::ffff:{PEER}", (CLIENT,), PEER),
        ("fe80::1%eth0", (), "fe80::1"),
        (PROXY, ("'; DROP TABLE accounts; --",), PROXY),
        (None, (CLIENT,), ""),
        ("/run/gatekey.sock", (CLIENT,), ""),
    ],
)
def test_only_a_listed_proxy_was_believed(peer: str | None, forwarded: tuple[str, ...], expected: str) -> None:
    assert seen(peer, *forwarded) == expected


def test_without_listed_proxies_nobody_was_believed() -> None:
    assert seen("127.0.0.1", CLIENT, trusted=()) == "127.0.0.1"


@given(st.lists(st.text(max_size=60), max_size=5))
def test_an_untrusted_peer_never_changed_its_address(forwarded: list[str]) -> None:
    headers = [(b"x-forwarded-for", value.encode("utf-8", "replace")) for value in forwarded]
    assert client_address({"client": (PEER, 1), "headers": headers}, parse_networks(TRUSTED)) == PEER


def test_all_of_an_ipv6_network_was_throttled_as_one() -> None:
    assert throttle_key("2001:db8:1:2::1") == throttle_key("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert throttle_key("2001:db8:1:3::1") != throttle_key("2001:db8:1:2::1")
    assert throttle_key(PEER) == PEER
    assert throttle_key("") == ""


async def test_a_thousand_forged_headers_were_one_client() -> None:
    with make_store(clock=StillClock()) as store:
        add_account(store)
        stranger = make_token(store)
        make_token(store)
        async with client_of(store, token=stranger) as client:
            statuses = [
                (
                    await client.get("/api/account", headers={"X-Forwarded-For": f"198.51.{n // 250}.{n % 250}"})
                ).status_code
                for n in range(1000)
            ]
    assert statuses == [401] * 20 + [429] * 980


@pytest.mark.parametrize(("is_listed", "expected"), [(True, CLIENT), (False, PEER)])
async def test_a_listed_proxys_word_reached_the_log(*, is_listed: bool, expected: str) -> None:
    with make_store(clock=StillClock()) as store:
        key = make_relayed(store)
        session = sign_in(store)
        store.settings.save(session, PrivacySettings(record_client_ip=True), 1)
        if is_listed:
            store.site.set("gateway.trusted_proxies", f"{PEER}/32")
        async with client_of(store, token=key) as client:
            await client.post(
                "/v1/chat/completions", json={"model": "unpriced"}, headers={"X-Forwarded-For": f"8.8.8.8, {CLIENT}"}
            )
        (logged,) = store.usage.page(session).entries
        assert isinstance(logged.entry, UsageEntry)
        assert logged.entry.client_ip == expected
