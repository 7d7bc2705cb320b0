"""The searches in an event take time in proportion to its length."""

import re
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.relay import stream_meter

PLAIN_TEXT: Final = re.compile(rb'"(?:content|text|input)"\s*:\s*"((?:[^"\\]|\\.)+)"')
PLAIN_ERROR: Final = re.compile(rb"(?:^|[\r\n])event:[ ]?error[ ]*(?:[\r\n]|$)")
PARTS: Final = [b'"content"', b'"text"', b":", b" ", b'"', b"\\", b"x", b"event:", b"error", b"\n", b"\r"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PARTS), max_size=30).map(b"".join))
def test_fast_searches_found_the_same_as_plain_ones(event: bytes) -> None:
    """The plain ones take half a second for 4 MiB, on the event loop."""
    assert stream_meter._DELTA_TEXT.findall(event) == PLAIN_TEXT.findall(event)
    assert bool(stream_meter._ERROR_EVENT.search(event)) == bool(PLAIN_ERROR.search(event))
