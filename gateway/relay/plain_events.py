"""The plain events of a chat stream: one line of JSON with a part of an answer, and nothing else to be noted.

Almost all events of a stream are plain. They are told from the others together, which takes less than half of the time
of reading each of them (`gateway.relay.stream_event`).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.relay.stream_event import DELTA_TEXT, USAGE_KEY

_MARKS: Final = (b"[DONE]", b'"error"', b'"audio"')
"""Texts without which an event is neither the last, nor an error, nor sound."""
_LINE: Final = b"data:"
_END: Final = b"\n\n"


class PlainEvents(NamedTuple):
    """The plain events at the start of some events, counted."""

    number: int
    deltas: int
    """The events with a part of an answer."""
    text_bytes: int


def plain_events(events: Sequence[bytes], max_bytes: int) -> PlainEvents:
    """Count the plain events before the first other one. An event of more than `max_bytes` is none of them."""
    number, deltas, text_bytes = 0, 0, 0
    joined = b"".join(events)
    marks = (joined.find(mark) for mark in _MARKS)
    left = min((at for at in marks if at >= 0), default=len(joined))
    usage = USAGE_KEY.search(joined, 0, left)
    if usage is not None:
        left = usage.start()
    for event in events:
        left -= len(event)
        # One line: of an event with several, only those of its data count.
        is_line = event.startswith(_LINE) and event.find(b"\n") == len(event) - len(_END) and b"\r" not in event
        if left < 0 or not is_line or len(event) > max_bytes:
            break
        number += 1
        texts = DELTA_TEXT.findall(event)
        if texts:
            deltas += 1
            text_bytes += sum(map(len, texts))
    return PlainEvents(number, deltas, text_bytes)
