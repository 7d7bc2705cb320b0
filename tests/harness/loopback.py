"""No test reaches beyond this machine: a socket may connect and send to the loopback and to Unix sockets alone."""

import os
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest


class BeyondLoopback(OSError):
    """A test tried to reach another machine."""


def is_on_this_machine(address: Any) -> bool:
    """True for the address of a Unix socket, and for an IP address or name of the loopback."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0]).partition("%")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return host == "localhost"
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or found.is_unspecified


@pytest.fixture(autouse=True, scope="session")
def guarded_sockets() -> Iterator[list[str]]:
    """Refuse every other address; returns what was refused, by test, since the program may swallow the error."""
    refused: list[str] = []

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: socket.socket, *arguments: Any) -> Any:
            if not is_on_this_machine(arguments[-1]):
                test = os.environ.get("PYTEST_CURRENT_TEST", "a fixture").partition(" ")[0]
                refused.append(f"{test} reached for {arguments[-1][0]}")
                raise BeyondLoopback(refused[-1])
            return real(self, *arguments)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
        yield refused


@pytest.fixture(autouse=True)
def stays_on_this_machine(guarded_sockets: list[str]) -> Iterator[None]:
    """Fail a test whose program tried to reach another machine, whatever became of the error."""
    yield
    refused, guarded_sockets[:] = guarded_sockets[:], []
    assert refused == []
