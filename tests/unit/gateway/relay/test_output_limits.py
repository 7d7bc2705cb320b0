"""Answers of unknown length: the amount held, the limit sent to the model server, and the refusal."""

import asyncio
import json
from typing import Any, Final

import httpx
import pytest

from store.money import MICRO_PER_USD
from store.sections import PriceSettings
from store.store import Store
from store.values.billing import ModelPrice
from store.values.usage import UsageEntry
from tests.fakes.scripted_model_server import CHAT, ModelServer, answer, chat, event, said, stream
from tests.harness.gateway_client import MODEL, client_of, make_relayed
from tests.harness.quota_calls import hold_quota
from tests.harness.stores import sign_in
from tests.harness.usage_log import used_of

CHATS: Final = "/v1/chat/completions"
LONGEST: Final = 64_000
PRICE: Final = ModelPrice(MODEL, 0, 600_000, max_output_tokens=LONGEST)
"""$0.60 for a million tokens out, so that the longest answer costs $0.0384."""
NO_MONEY: Final = "The remaining quota does not cover this request."


class Talker(ModelServer):
    """A model that answers as long as it may. `obeys` says whether a limit counts; `held` is what was held."""

    def __init__(self, store: Store, *, obeys: bool = True) -> None:
        super().__init__(self._talk)
        self._store = store
        self._obeys = obeys
        self.held: list[int] = []

    def _talk(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        with self._store.database.read() as tx:
            self.held.append(self._store.quota.state_of(tx, 1).held_micro_usd)
        limit = body.get("max_completion_tokens") or body.get("max_tokens") if self._obeys else None
        tokens = min(limit or LONGEST, LONGEST) * body.get("n", 1)
        usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens}
        if body.get("stream"):
            return stream(said("Hi"), event({"choices": [], "usage": usage}), b"data: [DONE]\n\n")
        return answer(chat(usage=usage))


def relayed(store: Store, left_micro_usd: int, price: ModelPrice = PRICE, **limits: int) -> str:
    key = make_relayed(store, **limits)
    store.pricing.set(price)
    store.quota.adjust("alice", set_to=left_micro_usd, actor="test")
    return key


def newest(store: Store) -> UsageEntry:
    return store.usage.page(sign_in(store)).entries[0].entry


@pytest.mark.parametrize(
    ("path", "body", "tokens"),
    [
        (CHATS, {}, LONGEST),
        (CHATS, {"n": 3}, 3 * LONGEST),
        (CHATS, {"max_tokens": None}, LONGEST),
        (CHATS, {"max_tokens": 100}, 100),
        (CHATS, {"max_completion_tokens": 100, "n": 2}, 200),
        (CHATS, {"max_tokens": 10_000_000}, LONGEST),
        ("/v1/completions", {"prompt": "Hello"}, LONGEST),
        ("/v1/completions", {"prompt": ["a", "b"], "best_of": 2}, 4 * LONGEST),
        ("/v1/embeddings", {"input": "Hello"}, 0),
        ("/v1/images/generations", {"prompt": "a cat", "n": 2}, 16_000),
    ],
)
async def test_the_models_own_longest_answer_was_held(
    store: Store, path: str, body: dict[str, Any], tokens: int
) -> None:
    key, models = relayed(store, 5 * MICRO_PER_USD), Talker(store)
    asked = {"model": MODEL, **({"messages": []} if path == CHATS else {}), **body}
    async with client_of(store, token=key, upstream=models) as client:
        await client.post(path, json=asked)
    assert models.held == [tokens * 6 // 10]
    assert models.bodies == [{name: value for name, value in asked.items() if value is not None}]


async def test_the_site_says_how_long_an_answer_is_where_the_price_does_not(store: Store) -> None:
    key, models = relayed(store, 5 * MICRO_PER_USD, ModelPrice(MODEL, 0, 1_000_000)), Talker(store)
    for tokens in (131_072, 70_000):
        async with client_of(store, token=key, upstream=models) as client:
            await client.post(CHATS, json=CHAT)
        assert models.held.pop() == tokens
        store.site.set("price.max_output_tokens", "70000")


@pytest.mark.parametrize("streams", [False, True])
async def test_an_answer_was_limited_to_what_could_be_paid_for(store: Store, streams: bool) -> None:
    key, models = relayed(store, 30_000), Talker(store)
    async with client_of(store, token=key, upstream=models) as client:
        relay = await client.post(CHATS, json={**CHAT, "stream": streams})
    assert relay.status_code == 200
    assert relay.headers["x-gatekey-max-tokens"] == "50000"
    assert models.bodies[0]["max_tokens"] == 50_000
    assert (models.held, used_of(store)) == ([30_000], 30_000)
    assert newest(store).detail == "The answer was limited to 50,000 tokens, which is what could be paid for."


async def test_an_answer_was_limited_to_what_the_key_may_still_spend(store: Store) -> None:
    key, models = relayed(store, MICRO_PER_USD, spend_limit_micro_usd=20_000), Talker(store)
    async with client_of(store, token=key, upstream=models) as client:
        relay = await client.post(CHATS, json={**CHAT, "n": 2})
    assert relay.headers["x-gatekey-max-tokens"] == "16666"
    assert used_of(store) == 20_000


@pytest.mark.parametrize(
    ("path", "word", "field"),
    [
        (CHATS, "max_tokens", "max_tokens"),
        (CHATS, "max_completion_tokens", "max_completion_tokens"),
        ("/v1/completions", "max_completion_tokens", "max_tokens"),
    ],
)
async def test_the_limit_went_in_the_field_that_the_model_server_obeys(
    store: Store, path: str, word: str, field: str
) -> None:
    key, models = relayed(store, 30_000), Talker(store)
    store.site.set("upstream.output_limit", word)
    asked = {**CHAT, "max_tokens": None} if path == CHATS else {"model": MODEL, "prompt": "Hello"}
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post(path, json=asked)).status_code == 200
    sent = {name: value for name, value in asked.items() if value is not None}
    assert models.bodies == [{**sent, field: 50_000}]


async def test_a_model_server_that_refused_the_limit_was_told_on_with_where_it_came_from(store: Store) -> None:
    key = relayed(store, 30_000)
    refusal = {"error": {"message": "max_tokens is too large.", "type": "invalid_request_error", "param": "max_tokens"}}
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(refusal, 400))) as client:
        refused = await client.post(CHATS, json=CHAT)
        asked = await client.post(CHATS, json={**CHAT, "max_tokens": 50_000})
    assert refused.status_code == 400
    assert refused.json()["error"] == {
        **refusal["error"],
        "code": None,
        "message": "max_tokens is too large. The answer was limited to 50,000 tokens, which is what could be paid for.",
    }
    assert asked.json()["error"]["message"] == "max_tokens is too large."
    assert used_of(store) == 0


# -- what a refusal says ----------------------------------------------------------------------------------------


UNSENT: Final = (
    f"{NO_MONEY} It may cost up to $0.0384: 23 tokens in and 64,000 out (the most the model answers with, as "
    "max_tokens was not sent). "
)


@pytest.mark.parametrize(
    ("body", "left", "sentence"),
    [
        ({}, 60, UNSENT + "$0.00006 of the quota is left. With max_tokens of 100 or less it is covered."),
        ({}, 0, UNSENT + "$0.00 of the quota is left."),
        (
            {"max_tokens": 60_000},
            30_000,
            NO_MONEY + " It may cost up to $0.036: 30 tokens in and 60,000 out. $0.03 of the quota is left. With "
            "max_tokens of 50,000 or less it is covered.",
        ),
    ],
)
async def test_a_refusal_said_what_was_held_and_why(
    store: Store, body: dict[str, Any], left: int, sentence: str
) -> None:
    key = relayed(store, left)
    async with client_of(store, token=key, upstream=Talker(store)) as client:
        refused = await client.post(CHATS, json={**CHAT, **body})
    assert refused.status_code == 429
    assert refused.json()["error"]["message"] == newest(store).detail == sentence


async def test_a_refusal_by_the_keys_limit_said_so(store: Store) -> None:
    key = relayed(store, MICRO_PER_USD, spend_limit_micro_usd=3_000)
    other = store.api_keys.list(sign_in(store))[0].id
    hold_quota(store, 1, 1_000, api_key_id=other)
    async with client_of(store, token=key, upstream=Talker(store)) as client:
        refused = await client.post(CHATS, json={**CHAT, "max_tokens": 10_000})
    assert refused.json()["error"]["message"] == (
        "The spend limit of this API key does not cover this request. It may cost up to $0.006: 30 tokens in and "
        "10,000 out. $0.002 of the key's spend limit is left, and $0.001 is held for calls under way. With max_tokens "
        "of 3,333 or less it is covered."
    )


async def test_who_came_second_was_told_what_the_first_held(store: Store) -> None:
    """Both read the same balance; the first took all of it."""
    key, models = relayed(store, 30_000), Talker(store)
    async with client_of(store, token=key, upstream=models) as client:
        answers = await asyncio.gather(*(client.post(CHATS, json=CHAT) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [200, 429, 429, 429]
    for one in answers:
        if one.status_code == 429:
            message = one.json()["error"]["message"]
            assert message.startswith(f"{NO_MONEY} It may cost up to $0.0")
    assert used_of(store) == 30_000


# -- models without a price --------------------------------------------------------------------------------------


async def test_an_accepted_model_without_a_price_was_held_and_charged_at_the_sites_rate(store: Store) -> None:
    key, models = relayed(store, 5 * MICRO_PER_USD), Talker(store)
    store.settings.save(sign_in(store), PriceSettings(accept_unpriced_models=True), 1)
    store.site.set("price.unpriced_rate", "1/2")
    async with client_of(store, token=key, upstream=models) as client:
        for body in ({"max_tokens": 100}, {}):
            assert (await client.post(CHATS, json={**CHAT, "model": "new-model", **body})).status_code == 200
    assert models.held == [229, 23 + 2 * 131_072]
    entry = newest(store)
    assert (entry.model, entry.cost_micro_usd, entry.unpriced) == ("new-model", 10 + 2 * LONGEST, True)
    assert used_of(store) == 10 + 200 + 10 + 2 * LONGEST


# -- model servers that obey no limit ---------------------------------------------------------------------------


async def test_where_limits_are_ignored_the_longest_answer_was_held_whatever_was_asked(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    key, models = relayed(store, 50_000), Talker(store, obeys=False)
    store.site.set("upstream.output_limit", "ignored")
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post(CHATS, json={**CHAT, "max_tokens": 1})).status_code == 200
        refused = await client.post(CHATS, json={**CHAT, "max_tokens": 1})
    assert models.held == [38_400]
    assert "from now on" not in caplog.text
    assert refused.json()["error"]["message"] == (
        f"{NO_MONEY} It may cost up to $0.0384: 28 tokens in and 64,000 out (the most the model answers with, as it "
        "ignores max_tokens). $0.0116 of the quota is left."
    )
    assert used_of(store) == 38_400


@pytest.mark.parametrize("streams", [False, True])
async def test_a_model_that_ignored_a_limit_was_trusted_once(
    store: Store, streams: bool, caplog: pytest.LogCaptureFixture
) -> None:
    key, models = relayed(store, 100_000), Talker(store, obeys=False)
    body = {**CHAT, "max_tokens": 1, "stream": streams}
    async with client_of(store, token=key, upstream=models) as client:
        statuses = [(await client.post(CHATS, json=body)).status_code for _ in range(3)]
    assert (statuses, models.held) == ([200, 200, 429], [1, 38_400])
    assert used_of(store) == 2 * 38_400
    assert "answered with 64000 tokens where 1 were allowed" in caplog.text
