"""One exchange: what is sent, and what a hostile or broken server can do to it."""

import asyncio
import gzip
import socket
import ssl

import httpx
import pytest

from remote.address import parse_server_address
from remote.network_failures import NETWORK_ERRORS, server_failure
from remote.transport import Limits, Request, Transport
from store.errors import AnswerLost, AnswerUnreadable, CertificateRefused, ServerFailed, ServerUnreachable
from tests.fakes.certificate_authority import Authority
from tests.harness.scripted_server import ADDRESS, Answer, Body, ScriptedServer, raw

READ = Request("GET", "/api/status")
CHANGE = Request("PUT", "/api/user/setting", body={"notify_type": "email"}, changes=True)


def over(*answers: Answer, limits: Limits | None = None) -> tuple[Transport, ScriptedServer]:
    server = ScriptedServer()
    server.script("GET /api/status", *answers)
    server.script("PUT /api/user/setting", *answers)
    return Transport(parse_server_address(ADDRESS), inner=server, limits=limits), server


async def test_a_request_asks_for_json_in_english_unpacked_and_brings_no_cookie_by_itself() -> None:
    transport, server = over(raw(200, b"{}", {"set-cookie": "session=x; Path=/"}))
    await transport.exchange(READ)
    await transport.exchange(CHANGE)
    read, change = server.seen
    for sent in (read, change):
        assert sent.headers["accept-encoding"] == "identity"
        assert sent.headers["accept"] == "application/json"
        assert sent.headers["accept-language"] == "en"
        assert "cookie" not in sent.headers
    assert change.headers["content-type"] == "application/json"
    assert change.content == b'{"notify_type": "email"}'
    assert "content-type" not in read.headers


async def test_an_answer_beyond_the_bound_is_not_read_to_its_end() -> None:
    body = Body([b"x" * 1000] * 50)
    transport, _ = over(lambda _: httpx.Response(200, stream=body), limits=Limits(answer_bytes=3000))
    with pytest.raises(AnswerUnreadable, match="larger"):
        await transport.exchange(READ)
    assert body.is_closed


async def test_a_packed_answer_is_unpacked_within_the_bound() -> None:
    packed = {"content-encoding": "gzip"}
    transport, _ = over(
        raw(200, gzip.compress(b'{"a":1}'), packed),
        raw(200, gzip.compress(b"x" * 100_000), packed),
        raw(200, b"no gzip", packed),
        raw(200, b"x", {"content-encoding": "br"}),
        limits=Limits(answer_bytes=3000),
    )
    assert (await transport.exchange(READ)).body == b'{"a":1}'
    for _ in range(3):
        with pytest.raises(AnswerUnreadable):
            await transport.exchange(READ)


async def test_a_redirect_is_handed_back_and_not_followed() -> None:
    transport, server = over(raw(302, headers={"location": "https://evil.example/api/status"}))
    assert (await transport.exchange(READ)).status == 302
    assert len(server.seen) == 1


async def test_a_server_that_keeps_silent_is_left_after_the_time_limit() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    transport = Transport(parse_server_address(ADDRESS), inner=Silent(), limits=Limits(total_s=0.01))
    with pytest.raises(ServerUnreachable, match="did not answer in time"):
        await transport.exchange(READ)
    with pytest.raises(AnswerLost, match="may have been made"):
        await transport.exchange(CHANGE)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def refused_certificate() -> Exception:
    cause = ssl.SSLCertVerificationError("words of a library")
    cause.verify_message = "certificate has expired"
    return caused(httpx.ConnectError("x"), cause)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (refused_certificate(), CertificateRefused, "certificate has expired. Nothing was sent."),
        (caused(httpx.ConnectError("x"), socket.gaierror(-2, "x")), ServerUnreachable, "could not be resolved"),
        (caused(httpx.ConnectError("x"), ConnectionRefusedError()), ServerUnreachable, "refused the connection"),
        (caused(httpx.ConnectError("x"), ssl.SSLError("WRONG_VERSION")), ServerUnreachable, "no secure connection"),
        (httpx.ConnectTimeout("x"), ServerUnreachable, "did not answer in time"),
        (httpx.ReadError("x"), AnswerLost, "may have been made"),
        (httpx.ReadTimeout("x"), AnswerLost, "may have been made"),
        (httpx.RemoteProtocolError("x"), AnswerLost, "does not answer in HTTP"),
        (ConnectionResetError(), AnswerLost, "broke off"),
    ],
)
async def test_a_failure_tells_whether_a_change_may_have_been_made(
    error: Exception, kind: type[ServerFailed], words: str
) -> None:
    transport, _ = over(error)
    with pytest.raises(ServerFailed, match=words) as caught:
        await transport.exchange(CHANGE)
    assert type(caught.value) is kind
    with pytest.raises(ServerUnreachable):
        await transport.exchange(READ)


def test_every_exception_of_the_network_has_a_sentence() -> None:
    kinds = [kind for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, NETWORK_ERRORS)]
    assert len(kinds) > 15
    for kind in kinds:
        error = kind.__new__(kind)
        assert "{" not in str(server_failure(error, "api.example.com", changes=False))


async def test_the_certificate_of_a_stranger_is_refused_before_anything_is_sent() -> None:
    """A real handshake, against the certificates that the system trusts."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=Authority().serve("127.0.0.1"))
    async with server:
        port = server.sockets[0].getsockname()[1]
        transport = Transport(parse_server_address(f"https://127.0.0.1:{port}"))
        with pytest.raises(CertificateRefused) as caught:
            await transport.exchange(CHANGE)
        await transport.aclose()
    assert "127.0.0.1 was not accepted" in str(caught.value)
    assert b"".join(received) == b""
