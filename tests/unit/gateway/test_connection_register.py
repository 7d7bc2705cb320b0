"""The register of connections: limits in all and per client, and who goes first."""

import ipaddress
import logging

import pytest

from gateway.connection_register import ConnectionRegister
from gateway.descriptors import connection_limit, peer_limit


class Line:
    """A connection that notes whether it was given up."""

    def __init__(self) -> None:
        self.is_given_up = False

    def close_idle(self) -> None:
        self.is_given_up = True


def enter(register: ConnectionRegister, address: str, count: int) -> list[Line]:
    lines = [Line() for _ in range(count)]
    assert all(register.admit(line, address) for line in lines)
    return lines


def test_the_longest_waiting_goes_first_and_one_at_work_never() -> None:
    register = ConnectionRegister(3, 3)
    lines = enter(register, "192.0.2.1", 3)
    register.mark_busy(lines[0])
    assert register.admit(Line(), "192.0.2.2")
    assert [line.is_given_up for line in lines] == [False, True, False]
    register.mark_idle(lines[0])
    assert register.admit(Line(), "192.0.2.2")
    assert [line.is_given_up for line in lines] == [False, True, True]
    assert len(register) == 3


def test_nobody_at_work_makes_place() -> None:
    register = ConnectionRegister(2, 2)
    for line in enter(register, "192.0.2.1", 2):
        register.mark_busy(line)
    assert not register.admit(Line(), "192.0.2.2")
    assert len(register) == 2


def test_one_client_makes_place_among_its_own() -> None:
    register = ConnectionRegister(10, 2)
    other = enter(register, "192.0.2.2", 2)
    mine = enter(register, "192.0.2.1", 3)
    assert [line.is_given_up for line in mine] == [True, False, False]
    assert not any(line.is_given_up for line in other)


def test_one_network_of_ipv6_is_one_client() -> None:
    register = ConnectionRegister(10, 2)
    for number in range(2):
        register.mark_busy(enter(register, f"2001:db8::{number}", 1)[0])
    assert not register.admit(Line(), "2001:db8::3")
    assert register.admit(Line(), "2001:db8:0:1::3")


def test_a_trusted_proxy_stands_for_many_clients() -> None:
    register = ConnectionRegister(10, 1, proxies=(ipaddress.ip_network("10.0.0.0/8"),))
    assert not any(line.is_given_up for line in enter(register, "::ffff:10.0.0.1", 5))
    assert not any(line.is_given_up for line in enter(register, "10.0.0.1", 5))
    assert enter(register, "nonsense", 1)


def test_who_left_is_forgotten_and_leaves_once() -> None:
    register = ConnectionRegister(10, 1)
    line = enter(register, "192.0.2.1", 1)[0]
    register.remove(line)
    register.remove(line)
    register.mark_idle(line)
    assert len(register) == 0
    register.shed()
    assert not line.is_given_up


def test_without_descriptors_some_of_the_silent_go() -> None:
    register = ConnectionRegister(100, 100)
    lines = enter(register, "192.0.2.1", 40)
    register.shed()
    assert [line.is_given_up for line in lines] == [True] * 16 + [False] * 24


def test_a_flood_is_a_line_in_the_log_each_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    register = ConnectionRegister(1, 5, monotonic=lambda: now)
    with caplog.at_level(logging.WARNING, "gatekey.connections"):
        for _ in range(1000):
            register.admit(Line(), "192.0.2.1")
        assert len(caplog.records) == 1
        now = 60.0
        register.admit(Line(), "192.0.2.1")
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("descriptors", "wanted", "connections"),
    [(1024, 0, 448), (65536, 0, 10000), (64, 0, 16), (1024, 5000, 896), (1024, 3, 3)],
)
def test_the_limits_follow_from_the_descriptors(descriptors: int, wanted: int, connections: int) -> None:
    assert connection_limit(descriptors, wanted) == connections


def test_one_client_has_a_quarter_unless_told_otherwise() -> None:
    assert [peer_limit(448), peer_limit(16), peer_limit(3), peer_limit(448, 7), peer_limit(10, 99)] == [
        112,
        16,
        3,
        7,
        10,
    ]
