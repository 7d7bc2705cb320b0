"""The sentences for a server that cannot be reached."""

import asyncio
import inspect

import httpx
import pytest

from gateway import network_errors
from store.errors import DeliveryFailed
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import HttpReceiver, LoopThread, TcpReceiver, refused_port, reset, then
from tests.harness.outbound import outbound, post


def test_every_exception_of_httpx_had_a_sentence() -> None:
    foreign = [
        value
        for name in httpx.__all__
        if inspect.isclass(value := getattr(httpx, name)) and issubclass(value, Exception)
    ]
    assert len(foreign) >= 25
    for kind in foreign:
        assert issubclass(kind, network_errors.NETWORK_ERRORS), kind
        assert any(base in network_errors.SENTENCES for base in kind.__mro__), kind
        if not issubclass(kind, httpx.StreamError):
            assert kind in network_errors.SENTENCES, kind
        error = kind.__new__(kind)
        assert "a.example" in str(network_errors.delivery_failure(error, "a.example"))


def test_no_sentence_could_carry_what_the_other_side_said() -> None:
    hostile = "\x1b]0;owned\x07 https://a.example/secret-path [@click=app.quit]"
    error = httpx.ReadError(hostile)
    error.__cause__ = OSError(hostile)
    assert str(network_errors.delivery_failure(error, "a.example")) == "a.example broke off the connection."
    assert (
        str(network_errors.delivery_failure(OSError(), "a\x1b.example"))
        == "a\N{REPLACEMENT CHARACTER}.example could not be reached."
    )


def test_refused_and_reset_connections_were_told_apart(
    loop_thread: LoopThread, authority: Authority, receiver: HttpReceiver
) -> None:
    port = refused_port()
    with pytest.raises(DeliveryFailed, match="refused the connection"):
        post(outbound(authority, f"a.example:{port}"), f"http://a.example:{port}/")
    receiver.respond = then(reset)
    with pytest.raises(DeliveryFailed, match=r"broke off the connection") as caught:
        post(outbound(authority, f"a.example:{receiver.port}"), f"http://a.example:{receiver.port}/")
    assert not caught.value.permanent
    assert caught.value.retry_after is None


def test_what_is_not_http_was_a_typed_failure(loop_thread: LoopThread, authority: Authority) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")  # a close with bytes unread resets the connection
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()

    with (
        TcpReceiver(loop_thread, babble) as receiver,
        pytest.raises(DeliveryFailed, match="did not answer in HTTP"),
    ):
        post(outbound(authority, f"a.example:{receiver.port}"), f"http://a.example:{receiver.port}/")
