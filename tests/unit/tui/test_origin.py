"""Where a console runs: the owner is shown the terminal, and tries are counted without it."""

import os

import pytest

from tui.origin import peer, source


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
