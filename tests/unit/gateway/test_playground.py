"""The playground's calls: as a request to the relay, without a server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
import pytest

from gateway.model_server.client import ModelServerClient
from gateway.playground import Playground
from store.errors import (
    GatewayError,
    InvalidApiKey,
    ModelNotPriced,
    QuotaExceeded,
    SessionEnded,
    SessionLocked,
    SpendLimitReached,
)
from store.sections import PriceSettings
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from store.values.playground import (
    AnswerEnd,
    AnswerImage,
    AnswerPart,
    AnswerText,
    ChatTurn,
    PlaygroundMode,
    PlaygroundQuestion,
    Speaker,
)
from store.values.usage import Kind
from tests.harness.gateway_client import MODEL, PRICE, make_relayed
from tests.harness.model_streams import PNG, USAGE, StreamingModelServer, event
from tests.harness.stores import make_store, sign_in


def question(text: str = "Hello?", **fields: object) -> PlaygroundQuestion:
    values = {"model": MODEL, "turns": (ChatTurn(Speaker.USER, text),), "max_tokens": 100, **fields}
    return PlaygroundQuestion(**values)  # type: ignore[arg-type]


@pytest.fixture
def memory() -> Iterator[Store]:
    with make_store() as store:
        make_relayed(store)
        yield store


@asynccontextmanager
async def playground(store: Store, server: StreamingModelServer | None = None) -> AsyncIterator[Playground]:
    async with aclosing(Playground(store, model_server=ModelServerClient(server or StreamingModelServer()))) as opened:
        yield opened


async def parts_of(opened: Playground, token: str, asked: PlaygroundQuestion) -> tuple[list[AnswerPart], AnswerEnd]:
    parts = [part async for part in opened.ask(token, asked)]
    end = parts.pop()
    assert isinstance(end, AnswerEnd)
    return parts, end


async def test_an_answer_streams_and_is_booked_like_any_call(memory: Store) -> None:
    server = StreamingModelServer()
    token = sign_in(memory)
    asked = question(system_prompt="Be brief.", temperature=0.5)
    async with playground(memory, server) as opened:
        parts, end = await parts_of(opened, token, asked)
    assert parts == [AnswerText("Let me see. ", is_reasoning=True), AnswerText("Hello "), AnswerText("there")]
    assert (end.status, end.prompt_tokens, end.completion_tokens, end.cost_micro_usd) == ("ok", 10, 5, 20)
    assert end.first_token_ms is not None
    assert server.asked[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello?"},
    ]
    assert (server.asked[0]["temperature"], server.asked[0]["max_tokens"]) == (0.5, 100)
    (logged,) = memory.usage.page(token).entries
    assert (logged.entry.request_id, logged.entry.cost_micro_usd) == (end.request_id, 20)
    assert (logged.entry.api_key_name, logged.entry.client_ip) == ("Playground", None)
    assert memory.quota.state(token).remaining_micro_usd == 5_000_000 - 20
    assert memory.quota.state(token).held_micro_usd == 0
    assert memory.ledger.page(token).entries[0].amount_micro_usd == -20


async def test_a_key_is_charged_and_limits(memory: Store) -> None:
    token = sign_in(memory)
    small = memory.api_keys.create(
        token, "small", ApiKeyLimits(spend_limit_micro_usd=150, allowed_networks=("192.0.2.1",))
    ).info
    async with playground(memory) as opened:
        with pytest.raises(SpendLimitReached):
            await parts_of(opened, token, question(key_id=small.id))
        _, end = await parts_of(opened, token, question(key_id=small.id, max_tokens=20))
        assert end.cost_micro_usd == 20
        memory.api_keys.revoke(token, small.id)
        with pytest.raises(InvalidApiKey):
            await parts_of(opened, token, question(key_id=small.id))
    spent = {key.name: key.spent_micro_usd for key in memory.api_keys.list(token)}
    assert spent == {"small": 20, "laptop": 0}
    # The refusal after the revocation names no key, as one of a client with a revoked key does not.
    assert [logged.entry.api_key_name for logged in memory.usage.page(token).entries] == ["small", "small"]


async def test_another_accounts_key_is_no_key(memory: Store) -> None:
    memory.accounts.create("bob", "correct horse battery staple", quota_micro_usd=5_000_000, actor="test")
    (of_alice,) = memory.api_keys.list(sign_in(memory))
    async with playground(memory) as opened:
        with pytest.raises(InvalidApiKey):
            await parts_of(opened, sign_in(memory, "bob"), question(key_id=of_alice.id))


async def test_a_session_that_is_over_or_locked_asks_nothing(memory: Store) -> None:
    token, server = sign_in(memory), StreamingModelServer()
    async with playground(memory, server) as opened:
        memory.sessions.lock(token)
        with pytest.raises(SessionLocked):
            await parts_of(opened, token, question())
        memory.sessions.end(token)
        with pytest.raises(SessionEnded):
            await parts_of(opened, token, question())
    assert server.asked == []


async def test_the_price_guard_and_the_quota_hold(memory: Store) -> None:
    token = sign_in(memory)
    async with playground(memory) as opened:
        with pytest.raises(ModelNotPriced):
            await parts_of(opened, token, question(model="unknown"))
        memory.settings.save(token, PriceSettings(accept_unpriced_models=True), 1)
        _, end = await parts_of(opened, token, question(model="unknown"))
        assert end.cost_micro_usd == 0
        memory.quota.adjust("alice", set_to=0, actor="test")
        with pytest.raises(QuotaExceeded):
            await parts_of(opened, token, question())


async def test_a_stop_keeps_what_came_and_charges_it(memory: Store) -> None:
    go_on = asyncio.Event()

    async def slow(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("kept")
        await go_on.wait()
        yield event(" never shown?")
        yield USAGE

    token = sign_in(memory)
    async with playground(memory, StreamingModelServer(slow)) as opened:
        answer = opened.ask(token, question())
        parts = aiter(answer)
        assert await anext(parts) == AnswerText("kept")
        answer.stop()
        go_on.set()
        rest = [part async for part in parts]
    end = rest[-1]
    assert isinstance(end, AnswerEnd)
    assert end.detail == "You stopped the answer; what had come was charged."
    # The gateway reads on to the usage, which counts what cannot be seen in the stream.
    assert end.cost_micro_usd == 20
    assert memory.quota.state(token).held_micro_usd == 0


async def test_an_answer_that_nobody_waits_for_is_booked(memory: Store) -> None:
    async def endless(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("first")
        await asyncio.Event().wait()

    token = sign_in(memory)
    async with playground(memory, StreamingModelServer(endless)) as opened:
        answer = opened.ask(token, question())
        assert await anext(aiter(answer)) == AnswerText("first")
        await answer.aclose()
    (logged,) = memory.usage.page(token).entries
    assert (logged.entry.status, logged.entry.cost_micro_usd > 0) == ("gateway_stopped", True)
    assert memory.quota.state(token).held_micro_usd == 0


async def test_a_model_server_that_breaks_off_leaves_the_text_and_a_sentence(memory: Store) -> None:
    async def broken(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("half an ans")
        raise httpx.ReadError("gone")

    token = sign_in(memory)
    async with playground(memory, StreamingModelServer(broken)) as opened:
        parts, end = await parts_of(opened, token, question())
    assert parts == [AnswerText("half an ans")]
    assert (end.kind, end.status) == (Kind.ERROR, "upstream_broken")
    assert "broke off" in end.detail
    (logged,) = memory.usage.page(token).entries
    assert logged.entry.cost_micro_usd == end.cost_micro_usd
    assert memory.quota.state(token).held_micro_usd == 0


async def test_without_a_model_server_the_reason_is_said(memory: Store) -> None:
    memory.site.unset("upstream.base_url")
    async with playground(memory) as opened:
        with pytest.raises(GatewayError, match="has not configured a model server"):
            await parts_of(opened, sign_in(memory), question())


async def test_images_come_as_an_address_or_as_bytes(memory: Store) -> None:
    async with playground(memory) as opened:
        parts, end = await parts_of(opened, sign_in(memory), question("a cat", mode=PlaygroundMode.IMAGE))
    assert parts == [AnswerImage(url="https://pictures.test/1.png"), AnswerImage(data=PNG)]
    assert end.kind is Kind.DRAWING


async def test_the_estimate_is_what_is_held(memory: Store) -> None:
    token, held = sign_in(memory), list[int]()

    async def looked(_: dict[str, Any]) -> AsyncIterator[bytes]:
        held.append(memory.quota.state(token).held_micro_usd)
        yield USAGE

    async with playground(memory, StreamingModelServer(looked)) as opened:
        estimate = await opened.estimate(token, question("Hello? " * 50))
        await parts_of(opened, token, question("Hello? " * 50))
        assert estimate.answer_tokens == 100
        assert [estimate.most_micro_usd] == held
        assert (await opened.estimate(token, question(model="unknown"))).most_micro_usd is None


async def test_a_long_event_arrives_whole(memory: Store) -> None:
    async def long(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("x" * 200_000)
        yield USAGE

    async with playground(memory, StreamingModelServer(long)) as opened:
        parts, _ = await parts_of(opened, sign_in(memory), question())
    assert "".join(part.text for part in parts if isinstance(part, AnswerText)) == "x" * 200_000


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r", b"\n"])
async def test_every_event_of_a_slice_is_shown_whatever_ends_its_lines(memory: Store, line_end: bytes) -> None:
    async def lines(_: dict[str, Any]) -> AsyncIterator[bytes]:
        for chunk in (event("one ") + event("two "), event("three"), USAGE):
            yield chunk.replace(b"\n", line_end)

    async with playground(memory, StreamingModelServer(lines)) as opened:
        parts, _ = await parts_of(opened, sign_in(memory), question())
    assert "".join(part.text for part in parts if isinstance(part, AnswerText)) == "one two three"


async def test_a_long_event_in_pieces_is_read_as_one(memory: Store) -> None:
    async def long(_: dict[str, Any]) -> AsyncIterator[bytes]:
        whole = event("a" * 300_000)
        yield whole[:100_000]
        yield whole[100_000:]
        yield USAGE

    async with playground(memory, StreamingModelServer(long)) as opened:
        parts, end = await parts_of(opened, sign_in(memory), question())
    assert "".join(part.text for part in parts if isinstance(part, AnswerText)) == "a" * 300_000
    assert end.detail == ""


@pytest.mark.parametrize("odd", [b"[" * 50_000 + b"]" * 50_000, b"{", b"[1, 2]"])
async def test_what_cannot_be_read_is_told_and_ends_nothing(memory: Store, odd: bytes) -> None:
    async def planted(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("one ")
        yield b"data: " + odd + b"\n\n"
        yield event("two")
        yield USAGE

    async with playground(memory, StreamingModelServer(planted)) as opened:
        parts, end = await parts_of(opened, sign_in(memory), question())
    assert parts == [AnswerText("one "), AnswerText("two")]
    assert end.detail == "A part of the answer could not be read, and is not shown."


async def test_a_character_split_over_two_events_is_one(memory: Store) -> None:
    async def split(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("smile \ud83d")
        yield event("\ude00, alone \ud83d")
        yield event("end")
        yield USAGE

    async with playground(memory, StreamingModelServer(split)) as opened:
        parts, _ = await parts_of(opened, sign_in(memory), question())
    text = "".join(part.text for part in parts if isinstance(part, AnswerText))
    assert text == "smile \U0001f600, alone \N{REPLACEMENT CHARACTER}end"


async def test_the_price_and_the_estimate_are_what_the_account_pays(memory: Store) -> None:
    token = sign_in(memory)
    async with playground(memory) as opened:
        assert (await opened.price(token, "unknown")).is_refused
        assert (await opened.price(token, MODEL.upper())).price == PRICE
        memory.settings.save(token, PriceSettings(accept_unpriced_models=True), 1)
        unpriced = await opened.price(token, "unknown")
        assert (unpriced.price, unpriced.is_refused) == (None, False)
        memory.site.set("price.unpriced_rate", "100/200")
        at_rate = (await opened.price(token, "unknown")).price
        assert at_rate is not None
        assert at_rate.is_default
        estimate = await opened.estimate(token, question(model="unknown"))
        assert estimate.most_micro_usd is not None
        assert estimate.most_micro_usd > 0
