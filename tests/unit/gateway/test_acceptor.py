"""Taking in connections when the process has no descriptors left."""

import asyncio
import errno
import logging
import resource
import socket

import pytest

from gateway import descriptors
from gateway.acceptor import Acceptor
from gateway.connection_register import ConnectionRegister


class Failing(socket.socket):
    """A listener whose `accept` fails with `error` three times."""

    failures = 3
    error = OSError(errno.EMFILE, "Too many open files")

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures:
            self.failures -= 1
            raise self.error
        return super().accept()


class Aborting(Failing):
    error = OSError(errno.ECONNABORTED, "Software caused connection abort")


async def failures_left(kind: type[Failing]) -> int:
    """The failures that are left to a listener of this kind once a connection came through it."""
    made = asyncio.Event()

    class Noting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.close()
            made.set()

    with kind() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        acceptor = Acceptor(listener, Noting, ConnectionRegister(10, 10))
        with socket.create_connection(listener.getsockname()):
            await made.wait()
        acceptor.close()
        await acceptor.wait_closed()
        return listener.failures


def test_a_shortage_is_waited_out_and_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.acceptor.ACCEPT_RETRY_DELAY_S", 0.01)
    with caplog.at_level(logging.DEBUG):
        assert asyncio.run(failures_left(Failing)) == 0
    assert [record.getMessage() for record in caplog.records if record.name.startswith("gatekey")] == [
        "No more connections can be opened (0 are open): the limit on open files is reached"
    ]
    assert not [record for record in caplog.records if record.name == "asyncio" and record.levelno >= logging.WARNING]


def test_one_that_has_gone_already_keeps_nobody_waiting() -> None:
    assert asyncio.run(failures_left(Aborting)) == 0


@pytest.mark.parametrize(
    ("limits", "then"),
    [
        ((256, 1024), (1024, 1024)),
        ((256, resource.RLIM_INFINITY), (65536, resource.RLIM_INFINITY)),
        ((256, 1_000_000), (65536, 1_000_000)),
        ((1024, 1024), None),
        ((100_000, 1_000_000), None),
    ],
)
def test_the_soft_limit_is_raised_to_the_hard_one(
    limits: tuple[int, int], then: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: asked.append(wanted))
    assert descriptors.raise_limit() == (then or limits)[0]
    assert asked == ([then] if then else [])
