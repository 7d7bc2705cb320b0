"""Ways in which a receiver fails, for each of the three channels that speak HTTP.

1 (refused), 2 (reset) and 11 (no such name) have no other case than the one in `test_dispatcher_faults.py`.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from gateway.channels.message import Message
from gateway.connect import Timeouts
from gateway.retry import MAX_RETRY_AFTER
from store.errors import AddressRefused, DeliveryFailed
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import (
    HttpReceiver,
    LoopThread,
    Respond,
    TcpReceiver,
    drip,
    reply,
    stall,
    then,
)
from tests.harness.channels import HTTP_CHANNELS, NOW, SECRETS, Send, assert_try_again, failing
from tests.harness.outbound import PATIENT, SHORT, outbound, resolving
from tests.harness.stores import StillClock

HOST = "push.example"

pytestmark = pytest.mark.parametrize("send", HTTP_CHANNELS)


def status(
    loop_thread: LoopThread,
    authority: Authority,
    send: Send,
    message: Message,
    respond: Respond,
    timeouts: Timeouts = PATIENT,
) -> DeliveryFailed:
    """The outcome of this answer. A slow machine may leave nothing of a short timeout to ask in."""
    with HttpReceiver(loop_thread, respond) as receiver:
        way = outbound(authority, f"{HOST}:{receiver.port}", timeouts=timeouts)
        error = failing(send(message, f"http://{HOST}:{receiver.port}", way, StillClock(NOW)))
    assert len(receiver.requests) in ((0, 1) if timeouts is SHORT else (1,))
    assert isinstance(error, DeliveryFailed)
    return error


@pytest.mark.parametrize(
    ("code", "phrase"),
    [(400, " Bad Request"), (401, " Unauthorized"), (404, " Not Found"), (500, " Internal Server Error"), (599, "")],
)
def test_3_an_error_status(
    loop_thread: LoopThread, authority: Authority, message: Message, send: Send, code: int, phrase: str
) -> None:
    """The schedule goes on; Retry-After counts for 429 and 503 alone, and the receiver's words are not repeated."""
    body = "".join(SECRETS).encode() + b"\x1b[2J"
    error = status(loop_thread, authority, send, message, reply(code, {"Retry-After": "60"}, body))
    hint = " Check the device key: Bark has no device with it." if send.__name__ == "by_bark" and code == 400 else ""
    assert_try_again(error, f"push.example answered {code}{phrase}.{hint}")


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("Sun, 01 Mar 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Sun, 01 Mar 2026 11:10:00 GMT", timedelta(0)),
        ("999999999", MAX_RETRY_AFTER),
        ("soon", None),
        ("", None),
    ],
)
def test_4_too_many_requests(
    loop_thread: LoopThread,
    authority: Authority,
    message: Message,
    send: Send,
    code: int,
    asked: str,
    wait: timedelta | None,
) -> None:
    error = status(loop_thread, authority, send, message, reply(code, {"Retry-After": asked}))
    assert not error.permanent
    assert error.retry_after == wait
    assert str(error).startswith(f"push.example answered {code} ")


def test_5_gone(loop_thread: LoopThread, authority: Authority, message: Message, send: Send) -> None:
    error = status(loop_thread, authority, send, message, reply(410, {"Retry-After": "60"}))
    assert (error.permanent, error.retry_after) == (True, None)
    assert str(error) == "push.example answered 410 Gone. It wants no more notifications."


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_6_a_redirect_into_the_private_network(
    loop_thread: LoopThread, authority: Authority, message: Message, send: Send, code: int
) -> None:
    with HttpReceiver(loop_thread) as internal:
        location = {"Location": f"http://127.0.0.1:{internal.port}/"}
        error = status(loop_thread, authority, send, message, reply(code, location))
    assert (error.permanent, error.retry_after) == (False, None)
    assert "Redirects are not followed" in str(error)
    assert internal.connections == 0


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_7_a_stall(loop_thread: LoopThread, authority: Authority, message: Message, send: Send, head: bytes) -> None:
    error = status(loop_thread, authority, send, message, then(stall, head), SHORT)
    assert_try_again(error, "push.example did not answer in time.")


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_8_a_drip(loop_thread: LoopThread, authority: Authority, message: Message, send: Send, head: bytes) -> None:
    error = status(loop_thread, authority, send, message, then(drip, head), SHORT)
    assert_try_again(error, "push.example did not answer in time.")


def test_9_bad_tls(loop_thread: LoopThread, authority: Authority, message: Message, send: Send) -> None:
    async def plaintext(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()

    with TcpReceiver(loop_thread, plaintext) as receiver:
        way = outbound(authority, f"{HOST}:{receiver.port}")
        error = failing(send(message, f"https://{HOST}:{receiver.port}", way, StillClock(NOW)))
    assert_try_again(error, "A secure connection to push.example could not be made.")
    with HttpReceiver(loop_thread, tls=authority.serve(HOST)) as impostor:
        way = outbound(Authority(), f"{HOST}:{impostor.port}")
        error = failing(send(message, f"https://{HOST}:{impostor.port}", way, StillClock(NOW)))
    assert str(error).startswith("The certificate of push.example was not accepted: ")
    assert impostor.requests == []


def test_10_a_certificate_for_another_host(
    loop_thread: LoopThread, authority: Authority, message: Message, send: Send
) -> None:
    with HttpReceiver(loop_thread, tls=authority.serve("other.example", "127.0.0.1")) as receiver:
        way = outbound(authority, f"{HOST}:{receiver.port}")
        error = failing(send(message, f"https://{HOST}:{receiver.port}", way, StillClock(NOW)))
    assert_try_again(
        error,
        "The certificate of push.example was not accepted: "
        "Hostname mismatch, certificate is not valid for 'push.example'.",
    )
    assert receiver.requests == []


def test_12_a_host_with_ipv6_only(loop_thread: LoopThread, authority: Authority, message: Message, send: Send) -> None:
    with HttpReceiver(loop_thread, host="::1", tls=authority.serve(HOST)) as receiver:
        way = outbound(authority, f"[::1]:{receiver.port}", resolve=resolving("::1"))
        asyncio.run(send(message, f"https://{HOST}:{receiver.port}", way, StillClock(NOW)))
    assert len(receiver.requests) == 1


def test_13_rebinding(loop_thread: LoopThread, authority: Authority, message: Message, send: Send) -> None:
    """The address was public when it was saved; at each of a hundred attempts it is private."""
    rng = random.Random(13)

    async def rebound(_: str, __: int) -> Sequence[str]:
        return rng.choice((["127.0.0.1"], ["::ffff:127.0.0.1"], ["::1"], ["10.0.0.1"]))

    with HttpReceiver(loop_thread) as internal:
        way = outbound(authority, f"elsewhere.example:{internal.port}", resolve=rebound)
        for _ in range(100):
            error = failing(send(message, f"http://{HOST}:{internal.port}", way, StillClock(NOW)))
            assert isinstance(error, AddressRefused)
            assert str(error).startswith("push.example lies in a private network.")
    assert internal.connections == 0


def test_nothing_secret_was_logged(
    loop_thread: LoopThread,
    authority: Authority,
    message: Message,
    send: Send,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG), HttpReceiver(loop_thread) as receiver:
        way = outbound(authority, f"{HOST}:{receiver.port}")
        asyncio.run(send(message, f"http://{HOST}:{receiver.port}", way, StillClock(NOW)))
        receiver.respond = reply(500)
        failing(send(message, f"http://{HOST}:{receiver.port}", way, StillClock(NOW)))
    assert len(receiver.requests) == 2
    assert [secret for secret in SECRETS if secret in caplog.text] == []
