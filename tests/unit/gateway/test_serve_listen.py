"""The listening address: `::` serves both families, and a caller over IPv4 is named by the IPv4 address."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from gateway.client_address import client_address
from gateway.listener import listen
from store.errors import CannotListen


@pytest.fixture(params=["::", "0:0:0:0:0:0:0:0"])
def everywhere(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with closing(listen(request.param, 0)) as listener:
        yield listener


@pytest.mark.parametrize(("address", "peer"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1")])
def test_all_addresses_of_ipv6_were_those_of_ipv4_too(everywhere: socket.socket, address: str, peer: str) -> None:
    port = everywhere.getsockname()[1]
    with socket.create_connection((address, port), timeout=10):
        accepted, from_ = everywhere.accept()
        accepted.close()
    assert client_address({"client": from_[:2], "headers": []}, ()) == peer


def test_one_address_of_ipv6_was_that_alone() -> None:
    with closing(listen("::1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("::1", port), timeout=10):
            pass
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=10)


def test_all_addresses_were_taken_by_one_server_for_both_families(everywhere: socket.socket) -> None:
    with pytest.raises(CannotListen, match="in use"):
        listen("0.0.0.0", everywhere.getsockname()[1])  # noqa: S104 - that is what is tried
