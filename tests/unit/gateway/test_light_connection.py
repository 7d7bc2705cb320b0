"""The light connection beside h11: the same bytes in, the same events and the same bytes out."""

from collections.abc import Sequence
from typing import Any, Final

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.strict_http import StrictConnection

pytest.importorskip("httptools", reason="there is no build for this interpreter")

from gateway.light_connection import LightConnection

LONGEST_HEAD: Final = 2048
HOST: Final = b"Host: gateway.test\r\n"
_ANSWER: Final = [h11.Response(status_code=404, headers=[("Content-Length", "0")]), h11.EndOfMessage()]

Either = h11.Connection | LightConnection


def both() -> tuple[h11.Connection, LightConnection]:
    return StrictConnection(LONGEST_HEAD), LightConnection(LONGEST_HEAD)


def history(connection: Either, parts: Sequence[bytes]) -> list[Any]:
    """What `connection` reads out of `parts`; each request is answered when it has been read to its end."""
    told: list[Any] = []
    for part in parts:
        connection.receive_data(part)
        while True:
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError:
                return [*told, "refused", connection.our_state, connection.their_state]
            if event is h11.NEED_DATA or event is h11.PAUSED:
                break
            if isinstance(event, h11.Request):
                waits = connection.they_are_waiting_for_100_continue
                told += [(event.method, event.target, event.http_version, _plain(event), waits), b""]
            elif isinstance(event, h11.Data):
                told[-1] += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                told += ["end", *(connection.send(each) for each in _ANSWER)]
                if connection.our_state is h11.DONE:
                    connection.start_next_cycle()
    return [*told, connection.our_state, connection.their_state, connection.trailing_data[0]]


def _plain(request: h11.Request) -> list[tuple[bytes, bytes]]:
    # h11 writes the name of the coding in lower case.
    return [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in request.headers]


def agree(parts: Sequence[bytes]) -> list[Any]:
    """What both read, which is the same, whether `parts` come as they are or at once."""
    old, light = (history(connection, parts) for connection in both())
    assert light == old
    at_once = history(LightConnection(LONGEST_HEAD), [b"".join(parts)])
    assert at_once == light
    return light


# -- requests ---------------------------------------------------------------------------------------------------

_METHODS = st.sampled_from(
    [b"GET", b"POST", b"HEAD", b"CONNECT", b"PROPFIND", b"BREW", b"PRI", b"get", b"SOURCE", b"G@T"]
)
_TARGETS = st.sampled_from(
    [
        b"/",
        b"/v1/x?y=z",
        b"*",
        b"//v1",
        b"http://h/x",
        b"https://h:1/",
        b"h:443",
        b"x",
        b"",
        b"/a#b",
        b"/%zz",
        b"/\x80",
        b"/{|}",
    ]
) | st.binary(max_size=8).map(b"/".__add__)
_VERSIONS = st.sampled_from(
    [b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.2", b"http/1.1", b"HTTP/11"]
)
_NAMES = st.sampled_from(
    [
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
        b"Expect",
        b"Host",
        b"X",
        b"Upgrade",
        b"X-Y_z",
        b"X y",
        b"",
        b"X:",
    ]
) | st.binary(max_size=4)
_VALUES = st.sampled_from(
    [
        b"",
        b"0",
        b"3",
        b"3, 3",
        b"+3",
        b"03",
        b"9" * 21,
        b"chunked",
        b"Chunked",
        b"gzip, chunked",
        b"close",
        b"keep-alive",
        b"Upgrade, close",
        b"websocket",
        b"100-continue",
        b"100-Continue, x",
        b"a b",
        b" 3 ",
        b"\t3\t",
        b"a\x01b",
        b"\xff",
        b"a\rb",
    ]
) | st.binary(max_size=6)
_LINE_ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\n ", b"\r\r\n", b" \r\n"])
_LINES = st.tuples(_NAMES, st.sampled_from([b": "] * 6 + [b":", b" : ", b":\t", b" "]), _VALUES, _LINE_ENDS).map(
    b"".join
)
_BODIES = st.sampled_from(
    [
        b"",
        b"abc",
        b"0\r\n\r\n",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"3 \r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n",
        b"-1\r\n",
        b"0x3\r\nabc\r\n",
        b"fffffffffffffffffffff\r\n",
        b"0\r\nA : b\r\n\r\n",
        b"\r\n",
    ]
) | st.binary(max_size=12)


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    first = b" ".join([draw(_METHODS), draw(_TARGETS), draw(_VERSIONS)]) + draw(_LINE_ENDS)
    host = draw(st.sampled_from([HOST] * 8 + [b"", HOST * 2]))
    return first + host + b"".join(draw(st.lists(_LINES, max_size=3))) + b"\r\n" + draw(_BODIES)


@st.composite
def _streams(draw: st.DrawFn) -> list[bytes]:
    whole = b"".join(draw(st.lists(_requests() | st.sampled_from(_GOOD), min_size=1, max_size=3)))
    cuts = sorted(draw(st.lists(st.integers(1, max(len(whole) - 1, 1)), max_size=5)))
    return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True) if start < end]


_GOOD = [
    b"POST /v1/x HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc",
    b"POST /v1/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"X:\r\nY: \r\nZ: z\r\n\r\n",
]


@given(_streams())
@example([_GOOD[2]])
@example([b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", _GOOD[0]])
def test_the_same_bytes_are_the_same_requests_in_whatever_parts_they_come(parts: list[bytes]) -> None:
    agree(parts)


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb",
        b"PUT * HTTP/1.0\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n",
        b"GET /?a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n",
    ],
)
def test_any_byte_in_the_place_of_another_or_between_two_has_one_reading(request_: bytes) -> None:
    for place in range(len(request_)):
        for byte in range(256):
            for rest in (place, place + 1):
                agree([request_[:place] + bytes([byte]) + request_[rest:]])


@pytest.mark.parametrize(
    ("request_", "fits"),
    [
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * (LONGEST_HEAD - 43), True),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * (LONGEST_HEAD - 42), False),
    ],
)
@pytest.mark.parametrize("size", [1, 100, LONGEST_HEAD * 2])
def test_a_head_may_have_so_many_bytes_in_whatever_parts_it_comes(request_: bytes, size: int, fits: bool) -> None:
    whole = request_ + b"\r\n\r\n"
    told = agree([whole[start : start + size] for start in range(0, len(whole), size)])
    assert ("refused" not in told) == fits


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3, 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"X: y\r\n Content-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\n" + HOST + b"X: y\x01z\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"X: y\rz: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/2.0\r\n" + HOST + b"\r\n",
        b"\r\nPOST / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST gateway.test:1 HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
def test_what_has_two_readings_is_refused(request_: bytes) -> None:
    assert agree([request_])[0] == "refused"


# -- responses --------------------------------------------------------------------------------------------------

_FIRST = [
    b"",
    *(
        method + b" / HTTP/" + version + b"\r\n" + HOST + more + b"\r\n"
        for method in (b"GET", b"HEAD", b"POST")
        for version in (b"1.0", b"1.1")
        for more in (b"", b"Connection: close\r\n", b"Expect: 100-continue\r\nContent-Length: 3\r\n")
    ),
]
_ANSWER_HEADERS = st.lists(
    st.sampled_from(
        [
            ("content-length", "3"),
            ("Content-Length", "0"),
            ("Transfer-Encoding", "chunked"),
            ("connection", "close"),
            ("X", "y"),
            ("Connection", "keep-alive, x"),
            ("connection", "Close"),
            ("set-cookie", "a=b"),
            ("set-cookie", "c=d"),
            ("date", ""),
        ]
    ),
    max_size=4,
)
_EVENTS = st.one_of(
    st.sampled_from([b"abc", b"", b"a"]).map(lambda data: h11.Data(data=data)),
    st.sampled_from(
        [h11.EndOfMessage(), h11.ConnectionClosed(), b"abc", b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", "next"]
    ),
    st.just(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")),
    st.tuples(st.sampled_from([200, 204, 304, 404]), _ANSWER_HEADERS).map(lambda answer: _response(*answer)),
)


def _response(status: int, headers: list[tuple[str, str]]) -> h11.Response | None:
    try:
        return h11.Response(status_code=status, headers=headers, reason=b"Some reason")
    except h11.LocalProtocolError:
        return None  # two lengths


def done(connection: Either, event: Any) -> Any:
    """What `connection` makes of an event to be sent, of received bytes, or of the order to begin with the next."""
    try:
        if isinstance(event, bytes):
            if event:
                connection.receive_data(event)
            read = connection.next_event()
            return h11.Request if isinstance(read, h11.Request) else read
        return connection.start_next_cycle() if event == "next" else connection.send(event)
    except (h11.LocalProtocolError, h11.RemoteProtocolError) as error:
        return type(error)
    except AttributeError:  # h11 has no words for a request that comes after its response
        return h11.RemoteProtocolError


@given(st.sampled_from(_FIRST), st.lists(_EVENTS.filter(lambda event: event is not None), max_size=8))
@example(_FIRST[1], [_response(200, []), h11.Data(data=b"abc"), h11.EndOfMessage()])
def test_the_same_answers_are_the_same_bytes_and_leave_the_same_state(first: bytes, events: list[Any]) -> None:
    old, light = both()
    for event in [first, *events]:
        result = done(light, event)
        assert result == done(old, event)
        assert (light.our_state, light.their_state) == (old.our_state, old.their_state)
        if result is h11.RemoteProtocolError:
            return
        assert light.they_are_waiting_for_100_continue == old.they_are_waiting_for_100_continue
        assert light.trailing_data == old.trailing_data
