"""Events of a stream, however the network cuts them."""

import pytest

from remote.event_stream import EventData

STREAM = b': comment\ndata: {"a":1}\n\nevent: x\r\ndata:one\r\ndata: two\r\n\r\ndata: [DONE]\n\n'
EVENTS = [b'{"a":1}', b"one\ntwo", b"[DONE]"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_found_in_pieces_of_any_size(size: int) -> None:
    events = EventData()
    found = [data for at in range(0, len(STREAM), size) for data in events.feed(STREAM[at : at + size])]
    assert found == EVENTS
    assert events.end() == []


def test_the_last_event_needs_no_empty_line() -> None:
    events = EventData()
    assert events.feed(b"data: last\n") == []
    assert events.end() == [b"last"]
