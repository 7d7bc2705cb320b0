"""The searches in an event take time in proportion to its length, and a stream may be cut anywhere."""

import asyncio
import json
import re
from itertools import pairwise
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.relay import stream_event
from gateway.relay.stream_meter import StreamMeter

PLAIN_TEXT: Final = re.compile(rb'"(?:content|text|input)"\s*:\s*"((?:[^"\\]|\\.)+)"')
PLAIN_ERROR: Final = re.compile(rb"(?:^|[\r\n])event:[ ]?error[ ]*(?:[\r\n]|$)")
PARTS: Final = [b'"content"', b'"text"', b":", b" ", b'"', b"\\", b"x", b"event:", b"error", b"\n", b"\r"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PARTS), max_size=30).map(b"".join))
def test_fast_searches_found_the_same_as_plain_ones(event: bytes) -> None:
    """The plain ones take half a second for 4 MiB, on the event loop."""
    assert stream_event.DELTA_TEXT.findall(event) == PLAIN_TEXT.findall(event)
    assert bool(stream_event._ERROR_EVENT.search(event)) == bool(PLAIN_ERROR.search(event))


EVENTS: Final = [
    b"data: {}\n\n",
    b'data: {"content":"abc"}\r\n\r\n',
    b'data: {"content":"a secret"}\n\n\n',
    b'data: {"usage":{"prompt_tokens":3,"completion_tokens":2}}\r\r',
    b": ping\n\n",
    b"data: [DONE]\n\n",
    b'data: {"text":"' + b"y" * 70_000 + b'"}\n\n',
    b'data: {"error":{"message":"no"}}\n\n',
]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(EVENTS), max_size=8).map(b"".join), st.lists(st.integers(0, 75_000), max_size=6))
def test_where_a_stream_was_cut_made_no_difference(stream: bytes, cuts: list[int]) -> None:
    pieces = [stream[start:end] for start, end in pairwise((0, *sorted(cuts), len(stream)))]
    assert counted(pieces) == counted([stream])


def counted(pieces: list[bytes]) -> tuple[object, ...]:
    """The stream as it was passed on, and the count."""

    async def read_long(event: bytes) -> stream_event.EventFacts:
        return stream_event.EventFacts.from_json(json.loads(json.dumps(stream_event.event_facts(event).to_json())))

    async def feed() -> bytes:
        passed = b""
        for piece in pieces:
            passed += b"".join(await meter.feed(piece))
            if meter.failure is not None:
                break
        return passed

    meter = StreamMeter(hides_usage=False, secret=b"secret", host="", read_long=read_long)
    passed = asyncio.run(feed())
    return passed, meter.deltas, meter.text_bytes, meter.reported, meter.is_done, str(meter.failure)
