"""What a call came to: read from what the model server reports, or counted where it reports nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.relay.request import Call
from store.pricing import ModelPrice
from store.usage_log import Kind

_MOST: Final = 1_000_000_000
_BYTES_PER_TOKEN: Final = 4
"""Of an answer, to count what nobody reported: about right for English, and a gift elsewhere."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, and pictures where they are what is paid for."""

    prompt_tokens: int
    completion_tokens: int
    pictures: int = 0
    is_counted: bool = False
    """Whether it was counted here, because the model server did not say."""

    def cost(self, price: ModelPrice | None) -> int:
        """In micro-USD: the price of a request is taken for each picture; a model without a price costs nothing."""
        if price is None:
            return 0
        extra = max(self.pictures - 1, 0) * price.per_request
        return price.cost(self.prompt_tokens, self.completion_tokens) + extra


def reported(document: Mapping[str, Any]) -> Usage | None:
    """The usage in an answer or a chunk, under either of the names OpenAI gives it; None if there is none."""
    usage = document.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
    completion = usage.get("completion_tokens", usage.get("output_tokens", 0))
    if type(prompt) is not int or type(completion) is not int:
        return None
    if not (0 <= prompt <= _MOST and 0 <= completion <= _MOST):
        return None
    return Usage(prompt, completion)


def of_answer(call: Call, document: Mapping[str, Any], length: int) -> Usage:
    """The usage of a complete answer of `length` bytes."""
    if call.endpoint.kind is Kind.TASK:
        return Usage(0, 0)  # it has only just begun
    data = document.get("data")
    pictures = max(len(data), 1) if call.pictures and isinstance(data, list) else min(call.pictures, 1)
    told = reported(document)
    if told is not None:
        return Usage(told.prompt_tokens, told.completion_tokens, pictures)
    if call.pictures:
        return Usage(0, 0, pictures)  # most picture models have no tokens to report
    completion = length // _BYTES_PER_TOKEN if call.completion_tokens else 0
    return Usage(call.prompt_tokens, completion, is_counted=True)


def of_pieces(call: Call, pieces: int, letters: int) -> Usage:
    """The usage of a stream that nobody reported: each piece is a token at least."""
    return Usage(call.prompt_tokens, max(pieces, letters // _BYTES_PER_TOKEN), is_counted=True)
