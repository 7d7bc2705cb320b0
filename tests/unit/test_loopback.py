"""The guard that keeps every test on this machine."""

import asyncio
import socket

import pytest

from tests.harness.loopback import BeyondLoopback, is_on_this_machine

ELSEWHERE = ("192.0.2.1", 9)
"""An address of documentation (RFC 5737), which is nobody's."""


def by_stream() -> None:
    socket.create_connection(ELSEWHERE, 0.1)


def by_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ELSEWHERE)


def by_event_loop() -> None:
    asyncio.run(asyncio.wait_for(asyncio.open_connection(*ELSEWHERE), 1))


@pytest.mark.parametrize("reach", [by_stream, by_datagram, by_event_loop])
def test_another_machine_is_refused_and_the_test_is_named(reach: object, guarded_sockets: list[str]) -> None:
    assert callable(reach)
    with pytest.raises(BeyondLoopback, match=r"test_another_machine_is_refused.* reached for 192\.0\.2\.1"):
        reach()
    assert len(guarded_sockets) == 1, "an error that the program swallows fails the test afterwards"
    guarded_sockets.clear()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "localhost"])  # noqa: S104
def test_the_loopback_is_open(host: str) -> None:
    assert is_on_this_machine((host, 80))
    assert is_on_this_machine("/run/a.socket")


@pytest.mark.parametrize("host", ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "fe80::1%lo", "example.com", ""])
def test_everything_else_is_closed(host: str) -> None:
    assert not is_on_this_machine((host, 80, 0, 0))
