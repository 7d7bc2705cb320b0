"""The way out: what may be reached, and what may not."""

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from gateway.outbound import Outbound, parse_web_url, system_trust
from store.addresses import AllowList, is_public
from store.errors import AddressRefused, DeliveryFailed, InvalidUrl
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import HttpReceiver, LoopThread, reply
from tests.harness.outbound import PUBLIC, Detour, outbound, post, resolving


def test_a_listed_target_was_reached_and_answered(authority: Authority, receiver: HttpReceiver) -> None:
    receiver.respond = reply(201, {"X-Said": "yes"}, b"body")
    answer = post(outbound(authority, f"gotify.lan:{receiver.port}"), f"http://gotify.lan:{receiver.port}/a?b=c")
    assert (answer.status, answer.headers["x-said"], answer.body) == (201, "yes", b"body")
    request = receiver.requests[0]
    assert (request.method, request.target, request.body) == ("POST", "/a?b=c", b"{}")
    assert request.headers["host"] == f"gotify.lan:{receiver.port}"
    assert request.headers["x-test"] == "1"


def test_an_entry_by_address_covered_the_names_that_lead_there(authority: Authority, receiver: HttpReceiver) -> None:
    way = outbound(authority, f"127.0.0.1:{receiver.port}")
    assert post(way, f"http://any.name.example:{receiver.port}/").status == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "１２７.０.０.１",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[::1]",
        "[::1%25lo]",
        "0",
        "0.0.0.0",  # noqa: S104 (nothing is bound to it)
        "localhost",
        "localhost.",
        "LOCALHOST",
    ],
)
def test_no_spelling_of_this_machine_was_reached(
    loop_thread: LoopThread, authority: Authority, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def with_a_hosts_file(name: str, *rest: Any, **named: Any) -> Any:
        return real("127.0.0.1" if name.rstrip(".").lower() == "localhost" else name, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", with_a_hosts_file)
    with HttpReceiver(loop_thread) as internal:
        # The port is listed, for another host: only the address is left to refuse it.
        way = Outbound(authority.trust(), allow=AllowList.read([f"elsewhere.example:{internal.port}"]))
        with pytest.raises((AddressRefused, InvalidUrl)):
            post(way, f"http://{host}:{internal.port}/")
    assert internal.connections == 0


def test_one_private_address_among_public_ones_was_enough_to_refuse(authority: Authority) -> None:
    detour = Detour(1)
    way = outbound(authority, resolve=resolving(PUBLIC, "10.0.0.1"), dial=detour)
    with pytest.raises(AddressRefused, match=r"^mixed\.example lies in a private network\."):
        post(way, "http://mixed.example/")
    assert detour.dialled == []


def test_rebinding_never_reached_the_internal_server(loop_thread: LoopThread, authority: Authority) -> None:
    """Every lookup draws anew between a public, a private and a mixed answer."""
    rng = random.Random(7)
    answers = ([PUBLIC], ["127.0.0.1"], [PUBLIC, "127.0.0.1"], ["::ffff:127.0.0.1"], ["::1"])

    async def rebind(_: str, __: int) -> Sequence[str]:
        return rng.choice(answers)

    async def attempt(way: Outbound, url: str) -> int:
        try:
            return (await way.post(url, b"{}", {})).status
        except AddressRefused:
            return 0

    with HttpReceiver(loop_thread) as internal, HttpReceiver(loop_thread) as public:
        detour = Detour(public.port)
        way = outbound(authority, f"elsewhere.example:{internal.port}", resolve=rebind, dial=detour)

        async def storm() -> list[int]:
            return [await attempt(way, "http://rebind.example/") for _ in range(500)] + [
                await attempt(way, f"http://rebind.example:{internal.port}/") for _ in range(500)
            ]

        results = asyncio.run(storm())
    print(f"BAR M1 rebinding {internal.connections}/{len(results)} internal hits, {public.connections} public")
    assert internal.connections == 0
    assert 0 < public.connections == results.count(200) == len(detour.dialled) < 500
    assert set(detour.dialled) == {PUBLIC}


def test_checking_first_and_connecting_later_would_have_been_rebound(
    loop_thread: LoopThread, receiver: HttpReceiver
) -> None:
    """The control: the same resolver against a check that is not made where the connection is."""
    turns = iter((PUBLIC, "127.0.0.1"))

    async def naive() -> None:
        assert is_public(next(turns))
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(verify=False)) as client:
            await client.post(f"http://{next(turns)}:{receiver.port}/")

    asyncio.run(naive())
    assert receiver.connections == 1


def test_a_redirect_was_an_answer_and_was_not_followed(
    loop_thread: LoopThread, authority: Authority, receiver: HttpReceiver
) -> None:
    with HttpReceiver(loop_thread) as internal:
        receiver.respond = reply(302, {"Location": f"http://127.0.0.1:{internal.port}/"})
        way = outbound(authority, f"a.example:{receiver.port}", f"127.0.0.1:{internal.port}")
        assert post(way, f"http://a.example:{receiver.port}/").status == 302
    assert internal.connections == 0


def test_an_unusual_port_was_refused_before_the_name_was_looked_up(authority: Authority) -> None:
    async def never(_: str, __: int) -> Sequence[str]:
        raise AssertionError

    with pytest.raises(AddressRefused, match=r"^Port 8080 of a\.example is not 80 or 443\."):
        post(outbound(authority, "b.example:81", resolve=never), "http://a.example:8080/")


def test_an_unusual_port_of_a_public_host_was_refused_if_another_host_has_it_listed(authority: Authority) -> None:
    way = outbound(authority, "b.example:8080", resolve=resolving(PUBLIC), dial=Detour(1))
    with pytest.raises(AddressRefused, match=r"^Port 8080 of a\.example"):
        post(way, "http://a.example:8080/")


def test_proxies_and_cookies_of_the_surroundings_were_left_alone(
    loop_thread: LoopThread, authority: Authority, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.respond = reply(200, {"Set-Cookie": "session=other-account; Path=/"})
    way = outbound(authority, f"a.example:{receiver.port}")
    with HttpReceiver(loop_thread) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for _ in range(2):
            assert post(way, f"http://a.example:{receiver.port}/").status == 200
    assert proxy.connections == 0
    assert [request.headers.get("cookie") for request in receiver.requests] == [None, None]


def test_no_url_reached_the_log(authority: Authority, receiver: HttpReceiver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        post(outbound(authority, f"a.example:{receiver.port}"), f"http://a.example:{receiver.port}/canary-path")
    assert receiver.requests[0].target == "/canary-path"
    assert "canary-path" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example/",
        "http://",
        "http:///path",
        "http://user@a.example/",
        "http://user:password@a.example/",
        "http://@a.example/",
        "http://a.example/#fragment",
        "http://a.example/#",
        "http://a.example\\@b.example/",
        "http://a.example /",
        " http://a.example/",
        "http://a.example/\r\nX-Evil: 1",
        "http://a.example/\x1b[31m",
        "http://a.example/\u202e",
        "http://.a.example/",
        "http://a..example/",
        "http://a.example:port/",
        "http://[::1]x/",
        "http://[/",
        f"http://{'a' * 64}.example/",
        f"http://a.example/{'a' * 2048}",
    ],
)
def test_what_is_not_one_web_address_was_refused(authority: Authority, url: str) -> None:
    with pytest.raises(InvalidUrl):
        post(outbound(authority), url)


def test_an_international_name_was_asked_for_in_punycode() -> None:
    assert parse_web_url("https://bücher.example/x").raw_host == b"xn--bcher-kva.example"


# -- TLS


def test_tls_was_verified_against_the_name(loop_thread: LoopThread, authority: Authority) -> None:
    with HttpReceiver(loop_thread, tls=authority.serve("a.example")) as receiver:
        way = outbound(authority, f"127.0.0.1:{receiver.port}")
        assert post(way, f"https://a.example:{receiver.port}/").status == 200
        assert post(way, f"https://a.example.:{receiver.port}/").status == 200
        with pytest.raises(DeliveryFailed, match=r"certificate of b\.example was not accepted: Hostname mismatch"):
            post(way, f"https://b.example:{receiver.port}/")
        with pytest.raises(DeliveryFailed, match=r"certificate of a\.example was not accepted: .*\.$"):
            post(outbound(Authority(), f"127.0.0.1:{receiver.port}"), f"https://a.example:{receiver.port}/")
    assert len(receiver.requests) == 2


def test_a_context_that_does_not_verify_was_not_taken() -> None:
    lax = ssl.create_default_context()
    lax.check_hostname = False
    with pytest.raises(ValueError, match="verify"):
        Outbound(lax)
    Outbound(system_trust())


def test_a_server_that_demands_a_client_certificate_was_a_typed_failure(
    loop_thread: LoopThread, authority: Authority
) -> None:
    context = authority.serve("a.example")
    context.verify_mode = ssl.CERT_REQUIRED
    with HttpReceiver(loop_thread, tls=context) as receiver, pytest.raises(DeliveryFailed):
        post(outbound(authority, f"a.example:{receiver.port}"), f"https://a.example:{receiver.port}/")
