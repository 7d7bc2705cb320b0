"""An account whose calls are charged, and what one of them costs."""

from typing import Final

from store.money import MICRO_PER_USD
from store.values.api_keys import ApiKeyLimits
from store.values.billing import ModelPrice
from tests.fakes.model_answers import PROMPT_TOKENS, WORDS
from tests.harness.stores import add_account, lift_request_rates, make_store, sign_in

MODEL: Final = "gpt-priced"
COST: Final = PROMPT_TOKENS + 2 * len(WORDS)
"""In micro-USD: one for a token in, two for a token out."""
CHAT: Final = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 10}
QUOTA_USD: Final = 5


def prepare_account(url: str, upstream: str) -> str:
    """An account with money, a priced model and a model server; returns the account's API key."""
    with make_store(url) as store:
        add_account(store, quota_usd=QUOTA_USD)
        lift_request_rates(store)
        store.site.set("upstream.base_url", f"{upstream}/v1")
        store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, 2 * MICRO_PER_USD))
        return store.api_keys.create(
            sign_in(store), "laptop", ApiKeyLimits(spend_limit_micro_usd=QUOTA_USD * MICRO_PER_USD)
        ).key
