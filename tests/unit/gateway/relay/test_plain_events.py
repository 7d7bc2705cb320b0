"""Events that are counted together are counted as each of them would be alone."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.plain_events import plain_events
from gateway.relay.stream_event import EventFacts, event_facts

MAX_BYTES: Final = 60
SAID: Final = b'data: {"delta":{"content":"word"},"usage":null}\n\n'
KINDS: Final = [
    SAID,
    b'data:{"text":"a","text":"bc"}\n\n',
    b'data: {"delta":{}}\n\n',
    b'data: {"delta":{"content":"[DONE]"}}\n\n',
    b'data: {"delta":{"content":"x"},"usage": {"prompt_tokens":1}}\n\n',
    b'data: {"error":{"message":"no"}}\n\n',
    b'data: {"object": "error"}\n\n',
    b'data: {"audio":{"data":"QUJD"}}\n\n',
    b'event: error\ndata: {"content":"x"}\n\n',
    b'data: {"content":\ndata: "x"}\n\n',
    b'data: {"content":"x"}\r\n\r\n',
    b'data: {"content":"x"}\n\n\n',
    b'id: 1\ndata: {"content":"x"}\n\n',
    b': {"content":"x"}\n\n',
    b"data: [DONE]\n\n",
    b"data: " + b"y" * MAX_BYTES + b"\n\n",
    b"\n\n",
]
PLAIN: Final = KINDS[:3]


@given(st.lists(st.sampled_from(KINDS), max_size=8))
def test_plain_events_are_counted_as_each_of_them_alone(events: list[bytes]) -> None:
    number, deltas, text_bytes = plain_events(events, MAX_BYTES)
    facts = [event_facts(event) for event in events[:number]]
    assert (deltas, text_bytes) == (sum(each.is_delta for each in facts), sum(each.text_bytes for each in facts))
    for each in facts:
        assert each == EventFacts(is_delta=each.is_delta, text_bytes=each.text_bytes)


@given(st.lists(st.sampled_from(PLAIN), max_size=5), st.sampled_from(KINDS[3:]))
def test_what_follows_the_plain_events_is_read_alone(plain: list[bytes], other: bytes) -> None:
    assert plain_events([*plain, other, SAID], MAX_BYTES).number == len(plain)


def test_an_event_that_only_says_a_mark_is_read_alone_and_counts_the_same() -> None:
    assert plain_events([SAID, SAID, KINDS[3]], MAX_BYTES) == (2, 2, 8)
