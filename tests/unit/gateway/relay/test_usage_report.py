"""Tokens in every dialect of usage: each is charged as what it is, once, and zeros are no report of an answer."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.usage_report import MAX_REPORTED_TOKENS, ReportedUsage, parse_usage
from store.store import Store
from store.values.billing import ModelPrice
from tests.fakes.scripted_model_server import CHAT, DONE, ModelServer, answer, chat, event, said, stream
from tests.harness.gateway_client import MODEL, client_of, make_relayed
from tests.harness.usage_log import entry_of

ISSUE: Final = {
    "prompt_tokens": 368,
    "completion_tokens": 19,
    "total_tokens": 10_923,
    "cache_read_input_tokens": 10_536,
}
"""Cached input beside the prompt, as the total tells."""


def chat_usage(prompt: int, completion: int, total: int, **details: Any) -> dict[str, Any]:
    """Usage in OpenAI's names, with what a provider adds to them."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total, **details}


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (ISSUE, (10_904, 19, 10_536)),
        # OpenAI: within the prompt.
        (chat_usage(2006, 300, 2306, prompt_tokens_details={"cached_tokens": 1920}), (2006, 300, 1920)),
        (
            {"input_tokens": 2006, "output_tokens": 300, "total_tokens": 2306}
            | {"input_tokens_details": {"cached_tokens": 1920}},
            (2006, 300, 1920),
        ),
        # DeepSeek and Moonshot.
        (chat_usage(100, 5, 105, prompt_cache_hit_tokens=64, prompt_cache_miss_tokens=36), (100, 5, 64)),
        (chat_usage(100, 5, 105, cached_tokens=64), (100, 5, 64)),
        # LiteLLM: Anthropic's figures, and the prompt with them.
        (
            chat_usage(
                10_904, 19, 10_923, cache_read_input_tokens=10_536, prompt_tokens_details={"cached_tokens": 10_536}
            ),
            (10_904, 19, 10_536),
        ),
        # Anthropic: beside the prompt, and no total.
        (
            {"input_tokens": 368, "output_tokens": 19}
            | {"cache_read_input_tokens": 100, "cache_creation_input_tokens": 50},
            (518, 19, 100),
        ),
        # Beside the prompt, for they are more than it; the total leaves them out, or there is none.
        (chat_usage(368, 19, 387, cache_read_input_tokens=10_536), (10_904, 19, 10_536)),
        ({"prompt_tokens": 368, "completion_tokens": 19, "cache_read_input_tokens": 10_536}, (10_904, 19, 10_536)),
        # Read and written.
        (chat_usage(3, 19, 1022, cache_read_input_tokens=600, cache_creation_input_tokens=400), (1003, 19, 600)),
        # xAI: cached within the prompt, thoughts beside the completion.
        (
            chat_usage(
                32,
                9,
                135,
                prompt_tokens_details={"cached_tokens": 6},
                completion_tokens_details={"reasoning_tokens": 94},
            ),
            (32, 103, 6),
        ),
        # Gemini: what tools read beside the prompt, and thoughts beside the completion.
        (
            chat_usage(32, 9, 241, tool_use_prompt_tokens=100, completion_tokens_details={"reasoning_tokens": 100}),
            (132, 109, 0),
        ),
        (chat_usage(32, 9, 141, tool_use_prompt_tokens=100), (132, 9, 0)),
        (chat_usage(32, 9, 151, tool_use_prompt_tokens=100), (132, 19, 0)),
        # Thoughts that only the total tells of, beside cached input.
        (chat_usage(368, 19, 11_000, cache_read_input_tokens=10_536), (10_904, 96, 10_536)),
        ({"prompt_tokens": 368, "total_tokens": 10_923, "cache_read_input_tokens": 10_536}, (10_904, 19, 10_536)),
        # Figures that are none.
        ({"prompt_tokens": 10, "completion_tokens": 4, "cache_read_input_tokens": -7}, (10, 4, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": [7]}, (10, 4, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": None}, (10, 4, 0)),
        ({"prompt_tokens": 10, "completion_tokens": None, "total_tokens": 5}, (10, None, 0)),
    ],
)
def test_tokens_were_charged_as_what_they_are(usage: dict[str, Any], told: tuple[int, int, int]) -> None:
    assert parse_usage({"usage": usage}) == ReportedUsage(*told)


def test_what_the_total_of_an_embedding_has_beyond_the_prompt_was_input() -> None:
    usage = {"prompt_tokens": 10, "total_tokens": 14}
    assert parse_usage({"usage": usage}, has_completion=False) == ReportedUsage(14, 0)


TOKENS = st.integers(0, 2000) | st.integers(MAX_REPORTED_TOKENS - 5, MAX_REPORTED_TOKENS + 5)
NAMES = [
    "completion_tokens",
    "total_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "reasoning_tokens",
]


@given(st.fixed_dictionaries({"prompt_tokens": TOKENS}, optional=dict.fromkeys(NAMES, TOKENS)))
def test_no_token_was_lost_and_none_was_made_up(usage: dict[str, int]) -> None:
    told = parse_usage({"usage": usage})
    known = {name: value for name, value in usage.items() if value <= MAX_REPORTED_TOKENS}
    if told is None:
        assert not known.get("prompt_tokens")
        assert "prompt_tokens" not in known or not known.get("completion_tokens")
        return
    assert 0 <= told.cached_tokens <= told.prompt_tokens <= MAX_REPORTED_TOKENS
    assert told.prompt_tokens >= known["prompt_tokens"]
    assert (told.completion_tokens or 0) >= known.get("completion_tokens", 0)
    total = told.prompt_tokens + (told.completion_tokens or 0)
    assert total >= min(known.get("total_tokens", 0), MAX_REPORTED_TOKENS)
    cached = known.get("cache_read_input_tokens", 0) + known.get("cache_creation_input_tokens", 0)
    named = known["prompt_tokens"] + known.get("completion_tokens", 0)
    assert total <= max(named + cached, known.get("total_tokens", 0))


# -- charged --------------------------------------------------------------------------------------------------------


async def booked(store: Store, reply: Any, price: ModelPrice, **body: Any) -> Any:
    key = make_relayed(store)
    store.pricing.set(price)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: reply)) as client:
        assert (await client.post("/v1/chat/completions", json={**CHAT, **body})).status_code == 200
    return entry_of(store)


CACHED: Final = ModelPrice(MODEL, 1_000_000, 2_000_000, cached_input_per_million=100_000)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("price", "cost", "detail"),
    [
        (CACHED, 368 + 1054 + 2 * 19, "10,536 tokens of the prompt were cached, and cost what cached input costs."),
        (ModelPrice(MODEL, 1_000_000, 2_000_000), 10_904 + 2 * 19, ""),
        (ModelPrice(MODEL, 1_000_000, 2_000_000, cached_input_per_million=0), 368 + 2 * 19, None),
    ],
)
async def test_cached_input_cost_what_cached_input_costs(
    store: Store, price: ModelPrice, cost: int, detail: str | None, *, streams: bool
) -> None:
    pieces = [said("x"), event({"choices": [], "usage": ISSUE}), DONE]
    entry = await booked(store, stream(*pieces) if streams else answer(chat(usage=ISSUE)), price, stream=streams)
    assert (entry.prompt_tokens, entry.completion_tokens, entry.cost_micro_usd) == (10_904, 19, cost)
    assert detail is None or entry.detail == detail


ZEROS: Final = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("usage", [ZEROS, {**ZEROS, "prompt_tokens": 10}, {"prompt_tokens": 0}])
async def test_zeros_for_a_real_answer_were_no_report(store: Store, usage: dict[str, int], *, streams: bool) -> None:
    words = "These are far more words than none at all. " * 20
    message = {"role": "assistant", "content": words}
    whole = answer(chat(usage=usage, choices=[{"index": 0, "message": message}]))
    pieces = [said(words), event({"choices": [], "usage": usage}), DONE]
    entry = await booked(store, stream(*pieces) if streams else whole, CACHED, stream=streams)
    assert entry.completion_tokens >= len(words) // 4
    assert entry.prompt_tokens >= 10
    assert "reported no usage" in entry.detail


async def test_a_prompt_of_no_tokens_was_counted(store: Store) -> None:
    usage = {"prompt_tokens": 0, "completion_tokens": 4, "total_tokens": 4}
    entry = await booked(store, answer(chat(usage=usage)), CACHED)
    assert (entry.prompt_tokens > 10, entry.completion_tokens) == (True, 4)


@pytest.mark.parametrize(
    "choices", [[], [{"index": 0, "message": {"role": "assistant", "content": None}, "finish_reason": "length"}]]
)
async def test_an_answer_that_says_nothing_cost_its_prompt(store: Store, choices: list[Any]) -> None:
    entry = await booked(store, answer(chat(usage=ZEROS, choices=choices)), CACHED)
    assert (entry.prompt_tokens > 0, entry.completion_tokens) == (True, 0)


@pytest.mark.parametrize(
    ("delta", "least"),
    [
        ({"thinking": "x" * 400}, 100),
        ({"reasoning_content": "x" * 400}, 100),
        ({"reasoning": "x" * 400}, 100),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "x" * 400}]}]}, 100),
        ({"audio": {"id": "a", "transcript": "x" * 400}}, 100),
        ({"audio": {"id": "a", "data": "QUJD" * 25_000}}, 100),
        ({"tool_calls": [{"index": 0, "custom": {"input": "x" * 400}}]}, 100),
    ],
    ids=["thinking", "reasoning_content", "reasoning", "parts", "transcript", "audio", "custom tool"],
)
async def test_everything_a_stream_holds_was_counted(store: Store, delta: dict[str, Any], least: int) -> None:
    pieces = [event({"choices": [{"index": 0, "delta": delta}]}), DONE]
    entry = await booked(store, stream(*pieces), CACHED, stream=True)
    assert least <= entry.completion_tokens < 2 * least
    assert "counted from the stream" in entry.detail
