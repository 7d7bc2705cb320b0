"""Chunks that are complete are read together, and are what h11 reads one by one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import h11
import pytest
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.model_server.chunked_reader import CompleteChunksReader

PARTS: Final = [
    b"3\r\nabc\r\n",
    b"1\r\n\n\r\n",
    b"00B\r\nhello world\r\n",
    b"2\r\n\r\n\r\n",
    b"3;name=value\r\nabc\r\n",
    b"3 \r\nabc\r\n",
    b"3\r\nabcd\r\n",
    b"3\nabc\n",
    b"x\r\n",
    b"\r\n",
    b"-3\r\nabc\r\n",
    b"+3\r\nabc\r\n",
    b"0x3\r\nabc\r\n",
    b"1" + b"0" * 15 + b"\r\n",
    b"1" + b"0" * 20 + b"\r\n",
    b"0\r\n\r\n",
    b"0\r\nA: b\r\n\r\n",
]
Reader = CompleteChunksReader | ChunkedReader


def read(reader: Reader, pieces: Sequence[bytes]) -> tuple[bytes, Any, bytes]:
    """The data that `reader` finds in `pieces`, the end of the body or the kind of the error, and what is left."""
    buffer, data = ReceiveBuffer(), b""
    for piece in pieces:
        buffer += piece
        try:
            while (event := reader(buffer)) is not None:
                if isinstance(event, h11.EndOfMessage):
                    return data, event.headers.raw_items(), bytes(buffer)
                data += event.data
        except h11.LocalProtocolError as error:
            return data, type(error), b""
    return data, None, b""


@given(st.lists(st.sampled_from(PARTS), max_size=6), st.lists(st.integers(0, 80), max_size=6))
@example([PARTS[0], PARTS[4], PARTS[0], PARTS[15]], [])
@example([PARTS[0], PARTS[0], PARTS[15]], [4, 9, 12])
def test_the_same_bytes_are_the_same_body(parts: list[bytes], cuts: list[int]) -> None:
    sent = b"".join(parts)
    borders = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    pieces = [sent[start:end] for start, end in pairwise(borders)]
    assert read(CompleteChunksReader(), pieces) == read(ChunkedReader(), pieces)


def test_complete_chunks_are_one_event_after_a_chunk_that_came_in_two_parts() -> None:
    reader, buffer = CompleteChunksReader(), ReceiveBuffer()
    buffer += b"3\r\na"
    assert _data(reader(buffer)) == b"a"
    assert reader(buffer) is None
    buffer += b"bc\r\n1\r\nd\r\n2\r\nef\r\n"
    assert _data(reader(buffer)) == b"bc"
    assert _data(reader(buffer)) == b"def"
    assert reader(buffer) is None
    with pytest.raises(h11.RemoteProtocolError):
        reader.read_eof()


def _data(event: h11.Data | h11.EndOfMessage | None) -> bytes:
    assert isinstance(event, h11.Data)
    return bytes(event.data)
