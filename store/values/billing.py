"""The quota and the prices of models."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

TOKENS_PER_PRICE: Final = 1_000_000
"""Tokens that a price is for."""


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """Prices in micro-USD: per million input tokens, per million output tokens, and per request."""

    model: str
    input_per_million: int
    output_per_million: int
    per_request: int = 0
    cached_input_per_million: int | None = None
    """The price of input from the model server's cache. None: the price of other input."""
    max_output_tokens: int | None = None
    """The most output tokens of the model. None: the site's setting."""
    is_default: bool = False
    """True if the model has no price and this is the site's rate for such models."""

    @property
    def is_cached_dearer(self) -> bool:
        """True if cached input costs more than other input. Older versions stored such a price."""
        return (self.cached_input_per_million or 0) > self.input_per_million

    def cost(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> int:
        """The cost of one request in micro-USD, rounded up; `cached_tokens` are part of `prompt_tokens`."""
        cached = self.input_per_million if self.cached_input_per_million is None else self.cached_input_per_million
        prompt = (prompt_tokens - cached_tokens) * self.input_per_million + cached_tokens * cached
        tokens = prompt + completion_tokens * self.output_per_million
        return -(-tokens // TOKENS_PER_PRICE) + self.per_request


class SeenModel(NamedTuple):
    """A model without a price that an account called."""

    model: str
    calls: int
    last_seen_at: datetime


class QuotaState(NamedTuple):
    """An account's quota, in micro-USD."""

    remaining_micro_usd: int
    held_micro_usd: int
    used_micro_usd: int
