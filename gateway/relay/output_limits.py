"""The length of an answer: the cost to hold for it, and the limit to send to the model server."""

import logging
from dataclasses import dataclass
from typing import Final

from gateway.relay.request import Call
from gateway.relay.usage import Usage
from gateway.site_view import SiteView
from store.money import show_usd
from store.values.billing import TOKENS_PER_PRICE, ModelPrice

LOGGER: Final = logging.getLogger("gatekey.relay")
LIMIT_IGNORED: Final = "ignored"
MIN_OUTPUT_TOKENS: Final = 256
"""A shorter answer is of little use to a client that set no limit, so such a call is refused instead."""
_TOLERANCE_TOKENS: Final = 16
"""Tokens a model server may exceed a limit by: some count the end token, or complete a word."""
_MAX_TRACKED_MODELS: Final = 1000


class LimitCompliance:
    """The models that exceeded a limit in a request. One per gateway, until it stops."""

    def __init__(self) -> None:
        self._disobedient: set[str] = set()

    def trusts(self, site: SiteView, model: str) -> bool:
        """True if a limit in a request can be trusted."""
        return site.output_limit != LIMIT_IGNORED and model not in self._disobedient

    def record(self, call: Call, usage: Usage) -> None:
        """Remember the model of `call` if its answer was longer than allowed."""
        limit = call.length.tokens
        if not call.endpoint.limits or limit is None or call.model in self._disobedient:
            return
        allowed = (limit + _TOLERANCE_TOKENS) * call.length.answers
        if not usage.is_counted and usage.completion_tokens > allowed and len(self._disobedient) < _MAX_TRACKED_MODELS:
            self._disobedient.add(call.model)
            LOGGER.warning(
                "The model %s answered with %d tokens where %d were allowed: from now on its longest answer is held. "
                "Set upstream.output_limit to the field that the model server obeys.",
                call.model,
                usage.completion_tokens,
                limit * call.length.answers,
            )


@dataclass(frozen=True, slots=True)
class CostCeiling:
    """The maximum cost of one call at a price."""

    call: Call
    price: ModelPrice | None
    site: SiteView
    trusts_limit: bool
    """True if the model server is trusted to respect a limit in the request."""

    @property
    def tokens(self) -> int:
        """Maximum tokens of one answer."""
        requested = self.call.length.tokens
        priced = self.price.max_output_tokens if self.price is not None else None
        if not self.call.endpoint.limits:
            return requested or 0
        if requested is None:
            return priced or self.site.max_output_tokens
        if self.trusts_limit:
            return min(requested, priced or requested)
        return priced or max(requested, self.site.max_output_tokens)

    @property
    def max_micro_usd(self) -> int:
        """Maximum cost, in micro-USD."""
        return self.cost(self.tokens)

    def cost(self, tokens: int) -> int:
        """The cost in micro-USD if each answer has so many tokens."""
        # The hold covers the dearer kind of input: the cached part is known only after the answer.
        cached = self.call.prompt_tokens if self.price is not None and self.price.is_cached_dearer else 0
        prompt, completion = self.call.prompt_tokens, tokens * self.call.length.answers
        return Usage(prompt, completion, self.call.pictures, cached_tokens=cached).cost(self.price)

    def affordable_tokens(self, micro_usd: int) -> int:
        """Tokens per answer that `micro_usd` pay for; 0 if the request cannot limit its answer."""
        price = self.price
        if price is None or not price.output_per_million or not self.call.endpoint.limits or not self.trusts_limit:
            return 0
        left = (micro_usd - price.per_request) * TOKENS_PER_PRICE
        left -= self.call.prompt_tokens * max(price.input_per_million, price.cached_input_per_million or 0)
        return max(left // price.output_per_million // self.call.length.answers, 0)

    def limit_covered_by(self, micro_usd: int) -> tuple[str, int] | None:
        """The limit, as field and tokens, that `micro_usd` cover in a request without one; None if none."""
        tokens = self.affordable_tokens(micro_usd)
        if self.call.length.tokens is not None or tokens < MIN_OUTPUT_TOKENS:
            return None
        fields = self.call.endpoint.limits
        return (self.site.output_limit if self.site.output_limit in fields else fields[0]), tokens

    def explain(self) -> str:
        """A sentence with the maximum cost of the call and its parts."""
        call, tokens = self.call, self.tokens * self.call.length.answers
        sentence = f"It may cost up to {show_usd(self.max_micro_usd, exact=True)}: {call.prompt_tokens:,} tokens in"
        if not tokens:
            return f"{sentence}."
        explanation = ""
        if call.endpoint.limits and (call.length.tokens is None or not self.trusts_limit):
            limit = call.endpoint.limits[0]
            reason = f"as {limit} was not sent" if call.length.tokens is None else f"as it ignores {limit}"
            explanation = f" (the most the model answers with, {reason})"
        return f"{sentence} and {tokens:,} out{explanation}."
