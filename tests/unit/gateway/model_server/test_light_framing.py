"""The client's framing beside h11: the same bytes in, the same events and the same bytes out."""

from collections.abc import Sequence
from typing import Any, Final

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.model_server.light_framing import LightFraming

LONGEST_HEAD: Final = 512
Either = h11.Connection | LightFraming

_METHODS = st.sampled_from(["POST", "HEAD", "GET"])
_STATUS_LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\n"] * 6
    + [
        b"HTTP/1.1 204 \r\n",
        b"HTTP/1.0 200\r\n",
        b"HTTP/1.1 304 x\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 101 x\r\n",
        b"HTTP/1.1 2000 x\r\n",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\n",
        b"\r\n",
        b"",
    ]
)
_LINES = st.sampled_from(
    [
        b"Content-Length: 3\r\n",
        b"Content-Length: 3\n",
        b"Content-Length: x\r\n",
        b"Content-Length: 4\r\n",
        b"X:  y \r\n",
        b" z\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"Connection: keep-alive\r\n",
        b"no header\r\n",
        b"Upgrade: h2c\r\n",
        b"X: " + b"y" * LONGEST_HEAD + b"\r\n",
    ]
)
_BODIES = st.sampled_from(
    [
        b"abc",
        b"",
        b"ab",
        b"abcd",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\r\n0\r\nA: b\r\n\r\n",
        b"3\r\nabcd",
        b"x\r\n",
        b"3\r\nab",
    ]
)


@st.composite
def _answers(draw: st.DrawFn) -> list[bytes]:
    whole = draw(_STATUS_LINES) + b"".join(draw(st.lists(_LINES, max_size=3))) + b"\r\n" + draw(_BODIES)
    cuts = sorted(draw(st.lists(st.integers(1, len(whole)), max_size=4)))
    return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True) if start < end]


def _plain(event: Any) -> Any:
    if isinstance(event, h11.Response | h11.InformationalResponse):
        return type(event), event.status_code, event.headers.raw_items()
    return bytes(event.data) if isinstance(event, h11.Data) else type(event)


def history(connection: Either, method: str, parts: Sequence[bytes], *, ends: bool) -> list[Any]:
    """The bytes that `connection` sends, the events that it reads from `parts`, and the state it is left in."""
    request = h11.Request(method=method, target="/v1", headers=[("Host", "x"), ("Content-Length", "4")])
    told: list[Any] = [connection.send(each) for each in (request, h11.Data(data=b"body"), h11.EndOfMessage())]
    for part in [*parts, *([b""] if ends else [])]:
        connection.receive_data(part)
        while connection.their_state not in (h11.DONE, h11.MUST_CLOSE):
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError:
                return [*told, "refused"]
            if event is h11.NEED_DATA:
                break
            told.append(_plain(event))
    is_done = connection.our_state is h11.DONE and connection.their_state is h11.DONE
    return [*told, is_done, connection.trailing_data[0]]


@given(_METHODS, _answers(), st.booleans())
@example("POST", [b"HTTP/1.1 200 OK\r\n\r\n", b"abc", b"d"], True)
@example("POST", [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", b"ab"], True)
@example("POST", [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"], False)
@example("POST", [b"HTTP/1.1 200 OK\r\nX: " + b"y" * LONGEST_HEAD], False)
@example("POST", [b"HTTP/1.1 101 x\r\n\r\n"], False)
@example("POST", [], True)
def test_the_same_bytes_are_the_same_response(method: str, parts: list[bytes], ends: bool) -> None:
    old = history(h11.Connection(h11.CLIENT, LONGEST_HEAD), method, parts, ends=ends)
    new = history(LightFraming(LONGEST_HEAD), method, parts, ends=ends)
    names = b"".join(parts).lower()
    if b"content-length" in names and b"transfer-encoding" in names:
        # h11 takes another request on such a connection, see below.
        old, new = old[:-2], new[:-2]
    assert new == old


@pytest.mark.parametrize("lengths", [(b"Content-Length: 3",), (b"Content-Length: 0",), ()])
def test_a_response_with_two_framings_is_the_last_of_its_connection(lengths: tuple[bytes, ...]) -> None:
    head = b"\r\n".join([b"HTTP/1.1 200 OK", *lengths, b"Transfer-Encoding: chunked", b"", b""])
    told = history(LightFraming(LONGEST_HEAD), "POST", [head + b"3\r\nabc\r\n0\r\n\r\n"], ends=False)
    assert b"abc" in told
    assert told[-2] is (not lengths)


def test_one_request_follows_another() -> None:
    framing = LightFraming(LONGEST_HEAD)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    for _ in range(2):
        assert history(framing, "POST", [answer], ends=False)[-2:] == [True, b""]
        framing.start_next_cycle()


def _finish(framing: LightFraming, data: bytes) -> None:
    framing.send(h11.Data(data=data))
    framing.send(h11.EndOfMessage())


@pytest.mark.parametrize("data", [b"", b"a", b"abcde"])
def test_a_request_has_the_length_that_it_names(data: bytes) -> None:
    framing = LightFraming(LONGEST_HEAD)
    framing.send(h11.Request(method="POST", target="/v1", headers=[("Host", "x"), ("Content-Length", "4")]))
    with pytest.raises(h11.LocalProtocolError):
        _finish(framing, data)


def test_nothing_is_sent_out_of_turn() -> None:
    framing = LightFraming(LONGEST_HEAD)
    request = h11.Request(method="GET", target="/v1", headers=[("Host", "x")])
    with pytest.raises(h11.LocalProtocolError):
        framing.send(h11.Data(data=b"x"))
    framing.send(request)
    with pytest.raises(h11.LocalProtocolError):
        framing.send(request)
    with pytest.raises(h11.LocalProtocolError):
        framing.start_next_cycle()


def test_very_many_responses_before_the_response_are_refused() -> None:
    framing = LightFraming(65536)
    framing.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    framing.receive_data(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    for _ in range(20):
        assert isinstance(framing.next_event(), h11.InformationalResponse)
    with pytest.raises(h11.RemoteProtocolError):
        framing.next_event()


HOST: Final = (b"Host", b"models.test")
ID: Final = (b"X-Request-Id", b"req_0")
LENGTH: Final = (b"Content-Length", b"4")


@pytest.mark.parametrize(
    "headers",
    [
        [HOST, ID, LENGTH],
        [HOST, (b"Authorization", b"Bearer x"), ID],
        [HOST, ID, (b"Transfer-Encoding", b"chunked")],
        [HOST, ID, LENGTH, (b"Connection", b"close")],
        [HOST, ID, LENGTH, LENGTH],
        [HOST, ID, ID],
        [(b"X-Request-Id", b"req 0"), HOST, LENGTH],
    ],
)
def test_a_head_is_sent_with_the_lines_that_h11_would_send(headers: list[tuple[bytes, bytes]]) -> None:
    for _ in range(2):  # h11 checks the first, and the second is written as it was
        own, other = LightFraming(LONGEST_HEAD), LightFraming(LONGEST_HEAD)
        head = own.send_head("POST", b"/v1", headers)
        expected = other.send(h11.Request(method="POST", target=b"/v1", headers=headers))
        assert head.endswith(b"\r\n\r\n")
        assert head.splitlines()[0] == expected.splitlines()[0]
        assert sorted(head.splitlines()) == sorted(expected.splitlines())
        for framing in (own, other):
            if LENGTH in headers:
                framing.send(h11.Data(data=b"abcd"))
        assert own.send(h11.EndOfMessage()) == other.send(h11.EndOfMessage())
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        for framing in (own, other):
            framing.receive_data(answer)
            while framing.next_event() is not h11.PAUSED:
                pass
        assert own.their_state is other.their_state


@pytest.mark.parametrize(
    "headers",
    [
        [HOST, (b"X-Request-Id", b"a\r\nX: y")],
        [HOST, (b"Content-Length", b"4\r\nX: y")],
        [HOST, (b"Content-Length", b"-4")],
        [HOST, LENGTH, (b"Content-Length", b"5")],
        [HOST, ID, (b"Authorization", b"Bearer a\r\nX: y")],
        [HOST, ID, (b"Authorization", b"Bearer \x00")],
        [HOST, HOST],
        [ID, LENGTH],
    ],
)
def test_a_head_that_h11_would_not_send_is_not_sent(headers: list[tuple[bytes, bytes]]) -> None:
    framing = LightFraming(LONGEST_HEAD)
    for _ in range(2):
        with pytest.raises(h11.LocalProtocolError):
            framing.send_head("POST", b"/v1", headers)
    assert framing.our_state is h11.IDLE
