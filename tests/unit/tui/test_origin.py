"""The origin of a console: the owner is shown the terminal, and attempts are counted without it."""

import os
from itertools import count

import pytest

from store.errors import TooManyAttempts, WrongCredentials
from store.throttle import ATTEMPTS_PER_SOURCE
from tests.harness.stores import make_store
from tui.local_account import LocalAccount
from tui.origin import peer, source
from tui.store_location import Options


@pytest.mark.parametrize(
    ("connection", "counted_as"),
    [
        ("203.0.113.7 50022 192.0.2.1 22", "ssh 203.0.113.7 uid {}"),
        ("2001:db8:1:2:3:4:5:6 50022 2001:db8::1 22", "ssh 2001:db8:1:2::/64 uid {}"),
        ("2001:db8:1:2:9:9:9:9 50023 2001:db8::1 22", "ssh 2001:db8:1:2::/64 uid {}"),
        ("::ffff:203.0.113.7 50022 ::ffff:192.0.2.1 22", "ssh 203.0.113.7 uid {}"),
        ("UNKNOWN 65535 UNKNOWN 65535", "ssh UNKNOWN uid {}"),
        ("", "uid {}"),
    ],
)
def test_tries_are_counted_by_peer_and_system_user(connection: str, counted_as: str) -> None:
    assert peer({"SSH_CONNECTION": connection, "SSH_TTY": "/dev/pts/7"}) == counted_as.format(os.getuid())


def test_a_shell_without_ssh_is_counted_by_its_user() -> None:
    assert peer({}) == f"uid {os.getuid()}"


def test_the_owner_is_shown_the_peer_and_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "ttyname", lambda _descriptor: "/dev/pts/7")
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.7 50022 192.0.2.1 22")
    assert source() == "ssh 203.0.113.7 pts/7"
    monkeypatch.delenv("SSH_CONNECTION")
    assert source() == "pts/7"


def test_without_a_terminal_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_descriptor: int) -> str:
        raise OSError

    monkeypatch.setattr(os, "ttyname", none)
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert source() == "no terminal"


async def test_consoles_of_one_peer_share_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each connection of sshd is a terminal and a port of its own."""
    connections = count(1)
    with make_store() as store:

        async def guess(address: str) -> None:
            number = next(connections)
            monkeypatch.setattr(os, "ttyname", lambda _descriptor: f"/dev/pts/{number}")
            monkeypatch.setenv("SSH_CONNECTION", f"{address} {50000 + number} 192.0.2.1 22")
            await LocalAccount(Options(), opened=store).sign_in(f"victim-{number}", "wrong")

        for _ in range(ATTEMPTS_PER_SOURCE):
            with pytest.raises(WrongCredentials):
                await guess("203.0.113.7")
        with pytest.raises(TooManyAttempts):
            await guess("203.0.113.7")
        with pytest.raises(WrongCredentials):
            await guess("203.0.113.8")
