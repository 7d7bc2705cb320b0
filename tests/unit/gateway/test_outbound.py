"""The way out: what may be reached, how long it may take, and what is said when it fails."""

import asyncio
import inspect
import logging
import random
import ssl
from collections.abc import Iterable, Iterator, Sequence

import httpcore
import httpx
import pytest

from gateway import faults
from gateway.addresses import AllowList, is_public
from gateway.dialling import Resolve, Timeouts, first_to_connect
from gateway.outbound import BODY_LIMIT, Answer, Outbound, system_trust, web_address
from store.errors import AddressRefused, DeliveryFailed, InvalidUrl
from tests.authority import Authority
from tests.receivers import Backstage, HttpReceiver, TcpReceiver, drip, refused_port, reply, reset, stall, then

SHORT = Timeouts(connect=5.0, total=0.5)
PUBLIC = "93.184.215.14"


@pytest.fixture(scope="module")
def backstage() -> Iterator[Backstage]:
    with Backstage() as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def receiver(backstage: Backstage) -> Iterator[HttpReceiver]:
    with HttpReceiver(backstage) as running:
        yield running


def resolving(*addresses: str) -> Resolve:
    async def resolve(_: str, __: int) -> Sequence[str]:
        return addresses

    return resolve


def outbound(
    authority: Authority,
    *allowed: str,
    resolve: Resolve | None = None,
    timeouts: Timeouts = Timeouts(),  # noqa: B008 (frozen)
    dial: httpcore.AsyncNetworkBackend | None = None,
) -> Outbound:
    allow = AllowList.parse(" ".join(allowed))
    return Outbound(
        authority.trust(), allow=allow, timeouts=timeouts, resolve=resolve or resolving("127.0.0.1"), dial=dial
    )


def post(way: Outbound, url: str) -> Answer:
    return asyncio.run(way.post(url, b"{}", {"X-Test": "1"}))


class Detour(httpcore.AsyncNetworkBackend):
    """Stands in for the internet: writes down what was dialled, and leads public addresses to a receiver."""

    def __init__(self, port: int) -> None:
        self.dialled: list[str] = []
        self._port = port
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append(host)
        if is_public(host):
            return await self._real.connect_tcp("127.0.0.1", self._port, timeout)
        return await self._real.connect_tcp(host, port, timeout)


# -- what may be reached


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
def test_no_spelling_of_this_machine_was_reached(backstage: Backstage, authority: Authority, host: str) -> None:
    with HttpReceiver(backstage) as internal:
        # The port is listed, for another host: only the address is left to refuse it.
        way = Outbound(authority.trust(), allow=AllowList.parse(f"elsewhere.example:{internal.port}"))
        with pytest.raises((AddressRefused, InvalidUrl)):
            post(way, f"http://{host}:{internal.port}/")
    assert internal.connections == 0


def test_one_private_address_among_public_ones_was_enough_to_refuse(authority: Authority) -> None:
    detour = Detour(1)
    way = outbound(authority, resolve=resolving(PUBLIC, "10.0.0.1"), dial=detour)
    with pytest.raises(AddressRefused, match=r"^mixed\.example lies in a private network\."):
        post(way, "http://mixed.example/")
    assert detour.dialled == []


def test_rebinding_never_reached_the_internal_server(backstage: Backstage, authority: Authority) -> None:
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

    with HttpReceiver(backstage) as internal, HttpReceiver(backstage) as public:
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
    backstage: Backstage, receiver: HttpReceiver
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
    backstage: Backstage, authority: Authority, receiver: HttpReceiver
) -> None:
    with HttpReceiver(backstage) as internal:
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
    backstage: Backstage, authority: Authority, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.respond = reply(200, {"Set-Cookie": "session=other-account; Path=/"})
    way = outbound(authority, f"a.example:{receiver.port}")
    with HttpReceiver(backstage) as proxy:
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
    assert web_address("https://bücher.example/x").raw_host == b"xn--bcher-kva.example"


# -- TLS


def test_tls_was_verified_against_the_name(backstage: Backstage, authority: Authority) -> None:
    with HttpReceiver(backstage, tls=authority.serve("a.example")) as receiver:
        way = outbound(authority, f"127.0.0.1:{receiver.port}")
        assert post(way, f"https://a.example:{receiver.port}/").status == 200
        with pytest.raises(DeliveryFailed, match=r"certificate of b\.example was not accepted: Hostname mismatch"):
            post(way, f"https://b.example:{receiver.port}/")
        with pytest.raises(DeliveryFailed, match=r"certificate of a\.example was not accepted: .*\.$"):
            post(outbound(Authority(), f"127.0.0.1:{receiver.port}"), f"https://a.example:{receiver.port}/")
    assert len(receiver.requests) == 1


def test_a_context_that_does_not_verify_was_not_taken() -> None:
    lax = ssl.create_default_context()
    lax.check_hostname = False
    with pytest.raises(ValueError, match="verify"):
        Outbound(lax)
    Outbound(system_trust())


def test_a_server_that_demands_a_client_certificate_was_a_typed_failure(
    backstage: Backstage, authority: Authority
) -> None:
    context = authority.serve("a.example")
    context.verify_mode = ssl.CERT_REQUIRED
    with HttpReceiver(backstage, tls=context) as receiver, pytest.raises(DeliveryFailed):
        post(outbound(authority, f"a.example:{receiver.port}"), f"https://a.example:{receiver.port}/")


# -- how much and how long


def test_no_more_than_the_limit_was_read(authority: Authority, receiver: HttpReceiver) -> None:
    receiver.respond = reply(200, body=b"x" * (BODY_LIMIT * 20))
    answer = post(outbound(authority, f"a.example:{receiver.port}"), f"http://a.example:{receiver.port}/")
    assert (answer.status, len(answer.body)) == (200, BODY_LIMIT)


def test_a_compressed_answer_was_not_unpacked(authority: Authority, receiver: HttpReceiver) -> None:
    receiver.respond = reply(200, {"Content-Encoding": "gzip"}, b"not gzip at all")
    answer = post(outbound(authority, f"a.example:{receiver.port}"), f"http://a.example:{receiver.port}/")
    assert answer.body == b"not gzip at all"
    assert receiver.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("head", "fault"),
    [(b"", stall), (b"", drip), (b"HTTP/1.1 200 OK\r\n\r\n", stall), (b"HTTP/1.1 200 OK\r\n\r\n", drip)],
)
def test_a_slow_answer_was_cut(authority: Authority, receiver: HttpReceiver, head: bytes, fault: object) -> None:
    assert callable(fault)
    receiver.respond = then(fault, head)
    way = outbound(authority, f"a.example:{receiver.port}", timeouts=SHORT)
    with pytest.raises(DeliveryFailed, match=r"^a\.example did not answer in time\.$"):
        post(way, f"http://a.example:{receiver.port}/")


def test_a_handshake_that_never_ended_was_cut(backstage: Backstage, authority: Authority) -> None:
    with TcpReceiver(backstage, stall) as receiver:
        way = outbound(authority, f"a.example:{receiver.port}", timeouts=SHORT)
        with pytest.raises(DeliveryFailed, match="in time"):
            post(way, f"https://a.example:{receiver.port}/")


def test_a_name_server_that_never_answered_was_cut(authority: Authority) -> None:
    async def never(_: str, __: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(DeliveryFailed, match="in time"):
        post(outbound(authority, resolve=never, timeouts=SHORT), "http://a.example/")


# -- dialling


def test_the_next_address_was_dialled_when_the_first_refused(authority: Authority, receiver: HttpReceiver) -> None:
    way = outbound(authority, f"a.example:{receiver.port}", resolve=resolving("127.0.0.9", "::1", "127.0.0.1"))
    assert post(way, f"http://a.example:{receiver.port}/").status == 200


def test_each_address_had_its_share_of_the_time() -> None:
    shares: list[float] = []

    async def dial(address: str, seconds: float) -> str:
        shares.append(seconds)
        if address != "d":
            raise httpcore.ConnectTimeout
        return address

    assert asyncio.run(first_to_connect(["a", "b", "c", "d"], 8.0, dial)) == "d"
    assert shares == pytest.approx([2.0, 8 / 3, 4.0, 8.0], rel=0.05)


def test_an_endless_list_of_addresses_was_cut_short() -> None:
    dialled: list[str] = []

    async def dial(address: str, _: float) -> str:
        dialled.append(address)
        raise httpcore.ConnectError

    with pytest.raises(httpcore.ConnectError):
        asyncio.run(first_to_connect([str(number) for number in range(1000)], 1.0, dial))
    assert len(dialled) == 8


@pytest.mark.parametrize("error", [OSError, UnicodeError])
def test_a_name_without_an_address_was_a_typed_failure(authority: Authority, error: type[Exception]) -> None:
    async def missing(_: str, __: int) -> Sequence[str]:
        raise error

    for resolve in (missing, resolving()):
        with pytest.raises(DeliveryFailed, match=r"a\.example could not be re"):
            post(outbound(authority, resolve=resolve), "http://a.example/")


# -- what is said


def test_every_exception_of_httpx_had_a_sentence() -> None:
    foreign = [
        value
        for name in httpx.__all__
        if inspect.isclass(value := getattr(httpx, name)) and issubclass(value, Exception)
    ]
    assert len(foreign) >= 25
    for kind in foreign:
        assert issubclass(kind, faults.FOREIGN), kind
        assert any(base in faults.SENTENCES for base in kind.__mro__), kind
        if not issubclass(kind, httpx.StreamError):
            assert kind in faults.SENTENCES, kind
        error = kind.__new__(kind)
        assert "a.example" in str(faults.failure(error, "a.example"))


def test_no_sentence_could_carry_what_the_other_side_said() -> None:
    hostile = "\x1b]0;owned\x07 https://a.example/secret-path [@click=app.quit]"
    error = httpx.ReadError(hostile)
    error.__cause__ = OSError(hostile)
    assert str(faults.failure(error, "a.example")) == "a.example broke off the connection."
    assert str(faults.failure(OSError(), "a\x1b.example")) == "a\N{REPLACEMENT CHARACTER}.example could not be reached."


def test_refused_and_reset_connections_were_told_apart(
    backstage: Backstage, authority: Authority, receiver: HttpReceiver
) -> None:
    port = refused_port()
    with pytest.raises(DeliveryFailed, match="refused the connection"):
        post(outbound(authority, f"a.example:{port}"), f"http://a.example:{port}/")
    receiver.respond = then(reset)
    with pytest.raises(DeliveryFailed, match=r"broke off the connection") as caught:
        post(outbound(authority, f"a.example:{receiver.port}"), f"http://a.example:{receiver.port}/")
    assert not caught.value.permanent
    assert caught.value.retry_after is None


def test_what_is_not_http_was_a_typed_failure(backstage: Backstage, authority: Authority) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()

    with (
        TcpReceiver(backstage, babble) as receiver,
        pytest.raises(DeliveryFailed, match="did not answer in HTTP"),
    ):
        post(outbound(authority, f"a.example:{receiver.port}"), f"http://a.example:{receiver.port}/")
