"""The request for a console: what goes through, and what a client cannot put into it."""

import os
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ssh.child import console_variables
from ssh.fork_request import (
    Answer,
    ConsoleRequest,
    Descriptors,
    locale_variables,
    receive_descriptors,
    send_descriptors,
    terminal_type,
)
from store.values.sign_in import SecondFactorNeeded, SignedIn

REQUEST = ConsoleRequest(
    term="xterm-256color",
    colorterm="truecolor",
    lang="de_DE.UTF-8",
    zone="Europe/Berlin",
    connection="192.0.2.1 50000 192.0.2.2 2222",
    name="alice",
    answer=None,
    offers_sign_in=True,
)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        SignedIn("planted-token", "alice", required_length=15),
        SecondFactorNeeded("planted-ticket", "alice", datetime(2026, 11, 23, 12, 5, tzinfo=UTC)),
    ],
)
def test_a_request_arrives_as_it_was_sent_and_shows_no_secret(answer: Answer) -> None:
    request = replace(REQUEST, answer=answer)
    assert ConsoleRequest.from_bytes(request.to_bytes()) == request
    assert "planted" not in repr(request)


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ("xterm-256color", "xterm-256color"),
        ("screen.xterm_new+x", "screen.xterm_new+x"),
        ("", "unknown"),
        ("x" * 65, "unknown"),
        ("../../tmp/planted", "unknown"),
        ("xterm\x1b[31m", "unknown"),
        ("xterm\n", "unknown"),
        ("ｘterm", "unknown"),
    ],
)
def test_only_the_name_of_a_terminal_is_taken(said: str, used: str) -> None:
    assert terminal_type(said) == used


@pytest.mark.parametrize(
    "zone", ["/etc/passwd", ":/etc/passwd", "../../etc/passwd", "Europe/../../x", "a" * 200, "UTC\x00", "<+03>-3"]
)
def test_a_time_zone_is_no_path(zone: str) -> None:
    assert locale_variables({b"TZ": zone.encode()}) == ("", "", "")


def test_other_variables_are_not_taken() -> None:
    said = {b"COLORTERM": b"truecolor", b"LANG": b"C.UTF-8", b"TZ": b"Asia/Tokyo", b"GATEKEY_KEY": b"x", b"\xff": b"y"}
    assert locale_variables(said) == ("truecolor", "C.UTF-8", "Asia/Tokyo")
    assert locale_variables({b"LANG": b"\xff\xfe", b"COLORTERM": b"$(id)"}) == ("", "", "")


def test_files_are_off_in_every_console() -> None:
    variables = console_variables(replace(REQUEST, lang="", colorterm="", zone=""))
    assert variables["GATEKEY_FILES"] == "none"
    assert variables["LANG"] == "C.UTF-8"
    assert "TZ" not in variables
    assert "alice" not in variables.values()


@pytest.mark.parametrize("streams", [1, 3])
def test_descriptors_travel_in_their_order(streams: int) -> None:
    near, far = socket.socketpair()
    with near, far:
        ends = [os.pipe() for _ in range(2 + streams)]
        request, control, *others = (readable for readable, _ in ends)
        send_descriptors(near, Descriptors(request, control, tuple(others)))
        received = receive_descriptors(far)
        assert received is not None
        arrived = (received.request, received.control, *received.streams)
        for number, ((_, writable), descriptor) in enumerate(zip(ends, arrived, strict=True)):
            os.write(writable, bytes([number]))
            assert os.read(descriptor, 1) == bytes([number])
        for descriptor in (*arrived, *(each for pair in ends for each in pair)):
            os.close(descriptor)
        near.close()
        assert receive_descriptors(far) is None


def test_a_command_line_is_shown_nowhere() -> None:
    request = replace(REQUEST, command="settings set notifications.webhook_secret planted-word")
    assert ConsoleRequest.from_bytes(request.to_bytes()) == request
    assert "planted" not in repr(request)
