"""The start of one worker."""

import socket
from typing import Final

import pytest

from gateway import serve_workers

LOCKS: Final = 0


def test_a_program_that_is_gone_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade may move the interpreter."""
    made: list[socket.socket] = []
    pair = socket.socketpair

    def noted() -> tuple[socket.socket, socket.socket]:
        ours, theirs = pair()
        made.extend((ours, theirs))
        return ours, theirs

    monkeypatch.setattr("socket.socketpair", noted)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(FileNotFoundError):
        serve_workers._spawn(["/nowhere/python"], listener, LOCKS, None, "")
    assert [each.fileno() for each in made] == [-1, -1]


def test_a_worker_that_starts_keeps_its_link() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = serve_workers._spawn(["/bin/cat"], listener, LOCKS, None, "")
    with worker.link:
        assert worker.process.wait(30) == 0
        assert worker.link.fileno() != -1
