"""The patterns that stand in for h11's: the same lines, in linear time."""

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import h11
import pytest
from h11 import _abnf, _readers
from hypothesis import given
from hypothesis import strategies as st

from gateway.h11_patterns import CHUNK_HEADER, HEADER_FIELD, use_linear_patterns

_STOCK = {
    HEADER_FIELD: re.compile(_abnf.header_field.encode()),
    CHUNK_HEADER: re.compile(_abnf.chunk_header.encode()),
}
_ENDLESS_LINES = {
    "header": (h11.CLIENT, b"HTTP/1.1 200 OK\r\nX:" + b" " * 90_000 + b"\0\r\n\r\n"),
    "trailer": (
        h11.CLIENT,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX:" + b" " * 90_000 + b"\0\r\n\r\n",
    ),
    "chunk": (
        h11.CLIENT,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b" " * 90_000 + b"\nX\r\n",
    ),
}
_PATIENCE_S = 30.0
"""Seconds for a line that takes a millisecond, and a minute with the patterns of h11."""

pieces = st.lists(
    st.sampled_from(
        [b" ", b"\t", b":", b";", b"a", b"Zz", b"-", b"0", b"f", b"\r", b"\n", b"\r\n", b"\0", b"\x0b", b"\xff"]
    )
    | st.binary(max_size=3)
).map(b"".join)


@pytest.mark.parametrize("pattern", _STOCK)
@given(line=pieces)
def test_a_line_is_read_as_h11_reads_it(pattern: "re.Pattern[bytes]", line: bytes) -> None:
    for start in (b"", b"Name:", b"1f", b"5;"):
        ours, stock = pattern.fullmatch(start + line), _STOCK[pattern].fullmatch(start + line)
        names = [each for each in pattern.groupindex if each != "chunk_ext"]  # h11 reads it and forgets it
        assert (ours and [ours[name] for name in names]) == (stock and [stock[name] for name in names])


@pytest.mark.parametrize("name", _ENDLESS_LINES)
def test_a_long_wrong_line_is_refused_before_anybody_has_waited(name: str) -> None:
    program = f"""
import h11
from gateway.h11_patterns import use_linear_patterns
from tests.unit.gateway.test_h11_patterns import _ENDLESS_LINES
use_linear_patterns()
role, received = _ENDLESS_LINES[{name!r}]
connection = h11.Connection(role, 200_000)
connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
connection.send(h11.EndOfMessage())
connection.receive_data(received)
try:
    while connection.next_event() is not h11.NEED_DATA:
        pass
except h11.RemoteProtocolError:
    print("refused")
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=_PATIENCE_S, check=True
    )
    assert run.stdout == "refused\n"


def _serve() -> None:
    from gateway.app import create_app
    from tests.harness.stores import make_store

    with make_store() as store:
        create_app(store)


def _send_webhooks() -> None:
    from gateway.outbound import Outbound, system_trust

    Outbound(system_trust())


def _bind() -> None:
    from tui.provider_client import provider_client

    provider_client()


def _ask_a_server() -> None:
    from remote.address import parse_server_address
    from tui.server_account import connected
    from tui.store_location import Options

    connected(parse_server_address("https://api.example.com"), Options(), lambda _: None, keeps=False)


@pytest.mark.parametrize("begin", [_serve, _send_webhooks, _bind, _ask_a_server])
def test_whatever_reads_http_uses_them(begin: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for pattern, name in ((HEADER_FIELD, "header_field_re"), (CHUNK_HEADER, "chunk_header_re")):
        monkeypatch.setattr(_readers, name, _STOCK[pattern])
    begin()
    assert (_readers.header_field_re, _readers.chunk_header_re) == (HEADER_FIELD, CHUNK_HEADER)


def test_h11_looks_its_patterns_up_where_they_are_put() -> None:
    use_linear_patterns()
    for reader in (_readers._decode_header_lines, _readers.ChunkedReader.__call__):
        assert {"header_field_re", "chunk_header_re"} & set(reader.__code__.co_names)
