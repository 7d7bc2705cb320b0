"""Long events of a stream are read in a process, booked as short ones are, and counted where that process fails."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest

from gateway.json_text import loads_lenient
from gateway.relay import stream_event, stream_meter
from gateway.relay.process_client import MAX_INLINE_BYTES
from gateway.relay.usage import UNREAD_REMARK
from store.store import Store
from store.values.usage import Kind
from tests.fakes.scripted_model_server import CHAT, COST, DONE, USAGE, USED, ModelServer, event, said, stream
from tests.harness.gateway_client import UPSTREAM_KEY, client_of, make_relayed
from tests.harness.usage_log import entry_of
from tests.harness.watched_parser import WatchedParser

PATH: Final = "/v1/chat/completions"
STREAMED: Final = {**CHAT, "stream": True, "stream_options": {"include_usage": True}, "max_tokens": 100}
LONG: Final = "x" * (MAX_INLINE_BYTES + 1000)
PICTURE: Final = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1024 * 1024}}


def picture(**members: Any) -> bytes:
    """An event with a picture of 1 MiB, and no text."""
    choices = [{"index": 0, "delta": {"role": "assistant", "images": [PICTURE]}}]
    return event({"choices": choices, **members})


async def stopped(parser: WatchedParser) -> int:
    """The id of a process of `parser` that answers nothing more."""
    await parser.event(said(LONG), 0)
    return parser.stop()


async def streamed(store: Store, *pieces: bytes, key: str = "") -> httpx.Response:
    upstream = ModelServer(lambda _: stream(*pieces))
    async with client_of(store, token=key or make_relayed(store), upstream=upstream) as client:
        return await client.post(PATH, json=STREAMED)


# -- read ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [100_000, 3_000_000])
@pytest.mark.parametrize("chunk", [1_000, 65_536, 10_000_000])
async def test_a_long_event_was_read_elsewhere_and_booked_as_reported(
    store: Store, monkeypatch: pytest.MonkeyPatch, length: int, chunk: int
) -> None:
    parsed, searched = list[int](), list[int]()
    real_facts = stream_event.event_facts

    def noting_loads(text: bytes) -> Any:
        parsed.append(len(text))
        return loads_lenient(text)

    def noting_facts(text: bytes) -> Any:
        searched.append(len(text))
        return real_facts(text)

    monkeypatch.setattr(stream_event, "loads_lenient", noting_loads)
    monkeypatch.setattr(stream_meter, "event_facts", noting_facts)
    long = event({"choices": [{"index": 0, "delta": {"content": "x" * length}}], "usage": USAGE})
    content = said("Hi") + long + said("") + DONE
    passed = await streamed(store, *(content[start : start + chunk] for start in range(0, len(content), chunk)))
    assert passed.content == content
    assert max(parsed, default=0) <= MAX_INLINE_BYTES
    assert max(searched) <= MAX_INLINE_BYTES
    entry = entry_of(store)
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micro_usd, entry.detail) == (10, 4, COST, "")


async def test_the_text_of_a_long_event_was_counted_and_its_picture_was_not(store: Store) -> None:
    passed = await streamed(store, picture(), said("x" * 80_000), DONE)
    assert passed.content == picture() + said("x" * 80_000) + DONE
    assert entry_of(store).completion_tokens == 20_000


async def test_a_long_event_with_an_error_broke_off_with_its_reason(store: Store) -> None:
    failure = {"error": {"message": f"No {UPSTREAM_KEY} at models.test.", "detail": LONG}}
    passed = await streamed(store, said("Hi") + event(failure) + said("unsent"))
    sent, told = passed.content.split(b"data: {", 2)[1:]
    assert b"data: {" + sent == said("Hi")
    message = json.loads(b"{" + told)["error"]["message"]
    assert message == "The model server reported an error and broke off: No … at …."
    assert (entry_of(store).kind, entry_of(store).completion_tokens) == (Kind.ERROR, 1)


@pytest.mark.parametrize("offset", [0, 5, len(UPSTREAM_KEY)])
async def test_the_key_in_a_long_event_was_masked_wherever_it_stood(store: Store, offset: int) -> None:
    # It ends before, across and behind the end of a piece.
    lead = "y" * (256 * 1024 - offset - len(b'data: {"x": "'))
    long = event({"x": f"{lead}{UPSTREAM_KEY}{UPSTREAM_KEY}{LONG}{UPSTREAM_KEY}"})
    passed = await streamed(store, said(UPSTREAM_KEY) + long, USED, DONE)
    assert passed.content == (said(UPSTREAM_KEY) + long + USED + DONE).replace(UPSTREAM_KEY.encode(), b"...")


@pytest.mark.parametrize("wants_usage", [True, False])
async def test_a_long_event_with_nothing_but_the_usage_was_for_those_who_had_asked(
    store: Store, wants_usage: bool
) -> None:
    used = event({"choices": [], "usage": USAGE, "provider": LONG})
    body = {**STREAMED, "stream_options": {"include_usage": wants_usage}}
    upstream = ModelServer(lambda _: stream(said("Hi") + used + DONE))
    async with client_of(store, token=make_relayed(store), upstream=upstream) as client:
        passed = await client.post(PATH, json=body)
    assert passed.content == said("Hi") + (used if wants_usage else b"") + DONE
    assert entry_of(store).cost_micro_usd == COST


# -- counted ------------------------------------------------------------------------------------------------------


async def test_a_long_event_whose_reading_was_killed_was_passed_on_and_counted(
    store: Store, parser: WatchedParser
) -> None:
    key, number = make_relayed(store), await stopped(parser)
    calling = asyncio.create_task(streamed(store, said("Hi"), picture(), DONE, key=key))
    await parser.begun.wait()
    os.kill(number, signal.SIGKILL)
    assert (await calling).content == said("Hi") + picture() + DONE
    entry = entry_of(store)
    # A million tokens by its length, but a hundred were held.
    assert (entry.status, entry.completion_tokens, entry.detail) == ("ok", 100, UNREAD_REMARK)


async def test_a_long_event_that_was_not_read_did_not_change_what_was_reported(
    store: Store, parser: WatchedParser
) -> None:
    parser.process.read_timeout_s = 0.0
    passed = await streamed(store, said("Hi"), picture(), USED, DONE)
    assert passed.content == said("Hi") + picture() + USED + DONE
    assert (entry_of(store).cost_micro_usd, entry_of(store).detail) == (COST, "")


async def test_a_stop_while_a_long_event_was_read_left_what_had_been_sent(store: Store, parser: WatchedParser) -> None:
    key, number = make_relayed(store), await stopped(parser)
    async with client_of(
        store, token=key, upstream=ModelServer(lambda _: stream(said("Hi"), said(LONG), DONE))
    ) as client:
        await parser.cancel_meanwhile(client.post(PATH, json=STREAMED))
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    assert (entry_of(store).status, entry_of(store).completion_tokens) == ("gateway_stopped", 1)


# -- many short ones ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [b"\n\n", b"data:\n\n", b":\n\n", b'data: {"usage":{"prompt_tokens":1}}\n\n'])
async def test_others_had_their_turn_between_many_short_events(part: bytes) -> None:
    count = 65_536 // len(part)

    async def chunks() -> AsyncIterator[bytes]:
        yield part * count

    turns, lengths = 0, list[int]()

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def read_long(_: bytes) -> stream_event.EventFacts:
        raise AssertionError

    meter = stream_meter.StreamMeter(False, b"", "", read_long)
    task = asyncio.create_task(other())
    async for piece in stream_meter.stream_slices(chunks()):
        lengths += map(len, await meter.feed(piece))
    task.cancel()
    slices = len(part) * count // stream_meter.SLICE_BYTES
    assert turns >= slices - 1
    # Short events are sent together: one message for each of them would take longer than counting them.
    assert (sum(lengths), len(lengths) <= slices + 1) == (len(part) * count, True)
