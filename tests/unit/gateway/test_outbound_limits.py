"""The way out: how much is read, how long it may take, and which address is dialled."""

import asyncio
from collections.abc import Sequence

import httpcore
import pytest

from gateway.connect import first_to_connect
from gateway.outbound import MAX_RESPONSE_BYTES
from store.errors import DeliveryFailed
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import HttpReceiver, LoopThread, Recorded, TcpReceiver, drip, reply, stall, then
from tests.harness.outbound import SHORT, outbound, post, resolving

# -- how much and how long


def test_no_more_than_the_limit_was_read(authority: Authority, receiver: HttpReceiver) -> None:
    async def flood(_: Recorded, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * MAX_RESPONSE_BYTES)
            await writer.drain()

    receiver.respond = flood
    answer = post(outbound(authority, f"a.example:{receiver.port}"), f"http://a.example:{receiver.port}/")
    assert (answer.status, len(answer.body)) == (200, MAX_RESPONSE_BYTES)


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


def test_a_handshake_that_never_ended_was_cut(loop_thread: LoopThread, authority: Authority) -> None:
    with TcpReceiver(loop_thread, stall) as receiver:
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
    assert all(most / 2 < share <= most for share, most in zip(shares, (2.0, 8 / 3, 4.0, 8.0), strict=True))


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
