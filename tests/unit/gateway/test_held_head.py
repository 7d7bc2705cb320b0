"""The head of a response leaves with the start of its body, and alone if that is not there yet."""

import asyncio
from typing import cast

from gateway.held_head import HeadHolder, hold_next_write


class Transport:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        assert not self.is_closed
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True

    def get_write_buffer_size(self) -> int:
        return 7


def held(transport: Transport) -> HeadHolder:
    return HeadHolder(cast("asyncio.Transport", transport), asyncio.get_running_loop())


async def test_the_head_leaves_with_the_body() -> None:
    transport = Transport()
    holder = held(transport)
    for data in (b"head", b"body", b"", b"more"):
        holder.write(data)
    await asyncio.sleep(0)
    assert transport.written == [b"headbody", b"", b"more"]


async def test_the_head_of_a_silent_stream_leaves_at_once() -> None:
    transport = Transport()
    holder = held(transport)
    holder.write(b"head")
    assert transport.written == []
    await asyncio.sleep(0)
    assert transport.written == [b"head"]
    holder.write(b"event")
    assert transport.written == [b"head", b"event"]


async def test_the_head_leaves_before_a_close() -> None:
    transport = Transport()
    holder = held(transport)
    holder.write(b"head")
    holder.close()
    await asyncio.sleep(0)
    assert (transport.written, transport.is_closed) == ([b"head"], True)
    assert holder.get_write_buffer_size() == 7


async def test_a_later_part_leaves_with_the_one_after_it_if_it_is_asked_for() -> None:
    transport, scope = Transport(), dict[str, object]()
    holder = held(transport)
    hold_next_write(scope)
    holder.offer(scope)
    for data in (b"head", b"body"):
        holder.write(data)
    hold_next_write(scope)
    for data in (b"last", b"end"):
        holder.write(data)
    assert transport.written == [b"headbody", b"lastend"]
    hold_next_write(scope)
    holder.write(b"alone")
    assert len(transport.written) == 2
    await asyncio.sleep(0)
    assert transport.written[2:] == [b"alone"]


async def test_a_head_that_is_held_leaves_before_a_later_part_is() -> None:
    transport, scope = Transport(), dict[str, object]()
    holder = held(transport)
    holder.offer(scope)
    holder.write(b"head")
    hold_next_write(scope)
    assert transport.written == [b"head"]
