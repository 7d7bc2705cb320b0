"""The server in front of the application: deadlines, framing that has one reading, and refusals in JSON."""

import importlib.util
import json
import socket
import sys
from collections.abc import Iterator
from typing import Any, cast

import h11
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway import http_protocol, serve
from gateway.connection_register import ConnectionRegister
from gateway.problems import PROBLEM_MEDIA_TYPE
from tests.harness.guarded_servers import Guarded, guarded, read_to_end

HOST = b"Host: gateway.test\r\n"
LARGE = 8 * 1024 * 1024


async def _length(request: Request) -> Response:
    try:
        return PlainTextResponse(str(len(await request.body())))
    except ClientDisconnect:
        return Response(status_code=499)


async def _large(_: Request) -> Response:
    return Response(b"x" * LARGE)


async def _early(_: Request) -> Response:
    return PlainTextResponse("no need to read that", 413)


def _app() -> Starlette:
    routes = [
        Route("/v1/length", _length, methods=["POST"]),
        Route("/length", _length, methods=["GET", "POST"]),
        Route("/large", _large),
        Route("/early", _early, methods=["POST"]),
    ]
    return Starlette(routes=routes)


@pytest.fixture(autouse=True, params=["h11", "httptools"])
def framing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who splits what is received into requests: every promise holds with either."""
    if request.param == "h11":
        monkeypatch.setitem(sys.modules, "httptools", None)
    elif importlib.util.find_spec("httptools") is None:
        pytest.skip("there is no build of httptools for this interpreter")


@pytest.fixture
def server() -> Iterator[Guarded]:
    with guarded(_app()) as running:
        yield running


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    """A server that gives everything a fifth of a second."""
    for name in ("HEAD_TIMEOUT_S", "BODY_RATE_WINDOW_S", "WRITE_STALL_TIMEOUT_S"):
        monkeypatch.setattr(http_protocol, name, 0.2)
    with guarded(_app()) as running:
        yield running


def told(answer: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers and document of the last answer in `answer`."""
    head, _, body = answer[answer.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(first.split()[1]), headers, json.loads(body)


# -- deadlines --------------------------------------------------------------------------------------------------


def test_a_connection_that_says_nothing_is_closed_without_a_word(hasty: Guarded) -> None:
    assert hasty.ask(b"") == b""


@pytest.mark.parametrize("begun", [b"GET /length HTTP/1.1\r\n", b"POST /v1/length HTTP/1.1\r\n" + HOST])
def test_half_a_head_is_told_that_it_is_late(hasty: Guarded, begun: bytes) -> None:
    status, headers, document = told(hasty.ask(begun))
    assert (status, headers["connection"]) == (408, "close")
    assert "within 10 seconds" in (document["error"]["message"] if b"/v1/" in begun else document["detail"])


def test_the_second_head_on_a_connection_has_the_same_time(hasty: Guarded) -> None:
    first = b"GET /length HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = hasty.ask(first + b"GET /length HTTP/1.1\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert told(answer)[0] == 408


@pytest.mark.parametrize("length", [b"Content-Length: 100000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_that_stops_is_told_so(hasty: Guarded, length: bytes) -> None:
    status, headers, document = told(hasty.ask(b"POST /v1/length HTTP/1.1\r\n" + HOST + length + b"\r\n5\r\nhello"))
    assert (status, headers["content-type"]) == (408, "application/json")
    assert document["error"]["message"] == "The body came in too slowly."


def test_what_follows_an_early_answer_is_not_read_for_ever(hasty: Guarded) -> None:
    answer = hasty.ask(b"POST /early HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\nhello")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_came_after_its_answer_is_no_longer_waited_for(
    hasty: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = property(lambda _: 0.5, lambda *_: None)
    monkeypatch.setattr(http_protocol.GuardedProtocol, "timeout_keep_alive", idle, raising=False)
    with hasty.connect(b"POST /early HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\n") as early:
        answer = b""
        while not answer.endswith(b"no need to read that"):
            answer += early.recv(4096)
        early.sendall(b"hello")
        assert read_to_end(early) == b""


def test_a_head_that_follows_a_body_after_its_answer_has_its_time(hasty: Guarded) -> None:
    with hasty.connect(b"POST /early HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\n") as early:
        answer = b""
        while not answer.endswith(b"no need to read that"):
            answer += early.recv(4096)
        early.sendall(b"helloGET /v1/length HTTP/1.1\r\n")
        status, _, document = told(read_to_end(early))
        assert (status, document["error"]["message"]) == (408, "The request did not come in within 10 seconds.")


def test_a_body_has_an_end_however_steadily_it_comes(hasty: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "MIN_BODY_BYTES_PER_S", 0)
    monkeypatch.setattr(http_protocol, "BODY_TIMEOUT_S", 0.3)
    assert told(hasty.ask(b"POST /length HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n1"))[0] == 408


def test_a_body_that_comes_fast_enough_has_its_time(hasty: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "MIN_BODY_BYTES_PER_S", 0)
    with hasty.connect(b"POST /length HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: 8\r\n\r\n") as slow:
        slow.settimeout(1)  # some windows long
        with pytest.raises(TimeoutError):
            slow.recv(1)
        slow.settimeout(60)
        slow.sendall(b"x" * 8)
        assert read_to_end(slow).endswith(b"8")


def test_a_client_that_takes_no_answer_is_cut_off(hasty: Guarded) -> None:
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", hasty.port))
        deaf.sendall(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
        while len(hasty.connections) == 0:
            continue
        while len(hasty.connections):
            continue
        assert len(read_to_end(deaf)) < LARGE


# -- framing ----------------------------------------------------------------------------------------------------

_SMUGGLED = [
    b"POST {} HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n",
    b"POST {} HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST {} HTTP/1.1\n" + HOST + b"\r\n",
    b"POST {} HTTP/1.1\r\nHost: gateway.test\nContent-Length: 0\r\n\r\n",
    b"POST {} HTTP/1.1\r\nHost: gateway.test\r\nX: y\n\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"Content-Length : 4\r\n\r\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"POST {}\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST {} HTTP/2.0\r\n" + HOST + b"\r\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nX: y\r\n z\r\n\r\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"X: y\x0bz\r\n\r\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 70_000,
    b"CONNECT {} HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST {} HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: a\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n",
    *(
        b"POST {} HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + body
        for body in (
            *(b"3;a\rb\r\nabc\r\n0\r\n\r\n", b"3;\x00\r\nabc\r\n0\r\n\r\n", b"3 \r\nabc\r\n0\r\n\r\n"),
            *(b"0;\r\r\n\r\n", b"0\r\nX: y\r\n z\r\n\r\n", b"0\r\nX: \x01\r\n\r\n"),
            *(b"10000000000000003\r\nabc\r\n0\r\n\r\n", b"3;" + b"x" * 2000 + b"\r\nabc\r\n0\r\n\r\n"),
            b"1\r\nx\r\n" * 1100 + b"0\r\n\r\n",
        )
    ),
]


@pytest.mark.parametrize("path", [b"/v1/length", b"//v1/length", b"/length"])
@pytest.mark.parametrize("request_", _SMUGGLED, ids=range(len(_SMUGGLED)))
def test_what_two_readers_could_cut_differently_is_refused_and_the_connection_closed(
    server: Guarded, request_: bytes, path: bytes
) -> None:
    after = b"GET /length HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = server.ask(request_.replace(b"{}", path) + after)
    assert answer.count(b"HTTP/1.1 ") == 1
    status, headers, document = told(answer)
    assert (status, headers["connection"]) == (400, "close")
    if b"/v1/" in path:
        assert headers["content-type"] == "application/json"
        assert document["error"]["type"] == "invalid_request_error"
    else:
        assert headers["content-type"] == PROBLEM_MEDIA_TYPE
        assert document["status"] == 400


def test_a_line_ending_may_arrive_in_two_parts(server: Guarded) -> None:
    with server.connect(b"GET /length HTTP/1.1\r") as halves:
        for part in (b"\n" + HOST, b"Connection: close\r\n\r", b"\n"):
            halves.sendall(part)
        assert read_to_end(halves).startswith(b"HTTP/1.1 200 ")


class _Searched(bytearray):
    """Notes how many bytes were searched for the end of the head, and for line ends."""

    looked_at = 0

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        self.looked_at += len(self) - start
        return super().find(sub, start)

    def count(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        self.looked_at += end - start
        return super().count(sub, start, end)


def test_each_byte_of_a_head_is_looked_at_a_few_times_however_many_parts_it_comes_in() -> None:
    connection = cast("Any", serve.http_framing()(65536))
    data = connection._receive_buffer._data = _Searched()
    head = b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 4000 + b"\r\n\r\n"
    for _ in range(2):
        for byte in head[:-1]:
            connection.receive_data(bytes([byte]))
            assert connection.next_event() is h11.NEED_DATA
        connection.receive_data(head[-1:])
        assert isinstance(connection.next_event(), h11.Request)
        assert isinstance(connection.next_event(), h11.EndOfMessage)
        answer: tuple[h11.Event, ...] = (h11.Response(status_code=204, headers=[]), h11.EndOfMessage())
        for event in answer:
            connection.send(event)
        connection.start_next_cycle()
    assert 0 < data.looked_at <= 2 * 12 * len(head)


@pytest.mark.parametrize("line", [b"X: y\n", b"X: y\r\nZ: \n"])
def test_a_lone_line_feed_is_refused_in_whatever_parts_it_comes(line: bytes) -> None:
    *before, last = b"GET / HTTP/1.1\r\n" + HOST + line
    connection = serve.http_framing()(65536)
    for byte in before:
        connection.receive_data(bytes([byte]))
        assert connection.next_event() is h11.NEED_DATA
    connection.receive_data(bytes([last]))
    with pytest.raises(h11.RemoteProtocolError):
        connection.next_event()


def test_a_lone_line_feed_within_a_body_is_nobodys_business(server: Guarded) -> None:
    body = b"Connection: close\r\nContent-Length: 4\r\n\r\n\n\na\n"
    assert server.ask(b"POST /length HTTP/1.1\r\n" + HOST + body).endswith(b"4")


def test_pipelined_requests_are_answered_one_after_the_other(server: Guarded) -> None:
    one = b"POST /length HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\na\nb"
    last = b"GET /length HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    assert server.ask(one * 3 + last).count(b"HTTP/1.1 200 ") == 4


def test_nothing_is_upgraded_to(server: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    wish = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n"
    with server.connect(b"GET /length HTTP/1.1\r\n" + HOST + wish) as wishing:
        assert wishing.recv(12) == b"HTTP/1.1 200"
    assert "pgrade" not in caplog.text


# -- places -----------------------------------------------------------------------------------------------------


def test_the_longest_silent_gives_its_place_to_whoever_comes() -> None:
    with guarded(_app(), ConnectionRegister(3, 3)) as server:
        silent = [server.connect() for _ in range(3)]
        for _ in range(5):
            assert server.ask(b"GET /length HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n").endswith(b"0")
        assert read_to_end(silent[0]) == b""
        for connection in silent:
            connection.close()


def test_where_all_are_at_work_the_next_is_told_to_come_later() -> None:
    with guarded(_app(), ConnectionRegister(2, 2)) as server:
        begun = (
            b"POST /length HTTP/1.1\r\n"
            + HOST
            + b"Connection: close\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        working = [server.connect(begun) for _ in range(2)]
        for connection in working:
            assert connection.recv(12) == b"HTTP/1.1 100"
        status, headers, document = told(server.ask(b""))
        assert (status, headers["retry-after"]) == (503, "5")
        assert "too many connections" in document["detail"]
        for connection in working:
            connection.sendall(b"hello")
            assert b"HTTP/1.1 200" in read_to_end(connection)
            connection.close()
