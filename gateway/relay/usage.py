"""What a call came to: read from what the model server reports, or counted where it reports nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.relay.request import Call
from store.errors import UpstreamFailed
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


@dataclass(frozen=True, slots=True)
class Reported:
    """What a model server says. `completion_tokens` None: it did not say."""

    prompt_tokens: int
    completion_tokens: int | None


def reported(document: Mapping[str, Any], *, has_completion: bool = True) -> Reported | None:
    """The usage in an answer or a chunk, under either of the names OpenAI gives it; None if there is none.

    Without a completion the total is that of the prompt, and some servers (Voyage) report nothing else.
    """
    usage = document.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt = _tokens(usage.get("prompt_tokens", usage.get("input_tokens")))
    total = _tokens(usage.get("total_tokens"))
    if prompt is None and not has_completion:
        prompt = total
    if prompt is None:
        return None
    completion = _tokens(usage.get("completion_tokens", usage.get("output_tokens")))
    if total is not None:
        # Some servers (xAI, Gemini) tell what the model thought in the total alone.
        completion = max(completion or 0, total - prompt)
    return Reported(prompt, completion)


def of_answer(call: Call, document: Mapping[str, Any], length: int) -> Usage:
    """The usage of a complete answer of `length` bytes. Raises `UpstreamFailed` for one that is none."""
    told = reported(document, has_completion=call.completion_tokens > 0)
    if told is None and says_error(document):
        raise UpstreamFailed("The model server answered with an error.")
    if call.endpoint.kind is Kind.TASK:
        return Usage(0, 0)  # it has only just begun
    data = document.get("data")
    pictures = len(data) if call.pictures and isinstance(data, list) else 0
    if told is None and call.pictures:
        if not pictures:
            raise UpstreamFailed("The model server's answer held no picture.")
        return Usage(0, 0, pictures)  # most picture models have no tokens to report
    counted = length // _BYTES_PER_TOKEN if call.completion_tokens and not call.pictures else 0
    if told is None:
        return Usage(call.prompt_tokens, counted, is_counted=True)
    if told.completion_tokens is None:
        return Usage(told.prompt_tokens, counted, pictures, is_counted=bool(counted))
    return Usage(told.prompt_tokens, told.completion_tokens, pictures)


def of_stream(call: Call, told: Reported | None, pieces: int, letters: int, *, is_last: bool) -> Usage:
    """The usage of a stream of so many pieces and letters (in bytes); each piece is a token at least.

    `is_last` says that nothing more was answered after `told`: if something was, that was not all.
    """
    counted = max(pieces, letters // _BYTES_PER_TOKEN)
    if told is None:
        return Usage(call.prompt_tokens, counted, is_counted=True)
    if told.completion_tokens is not None and (is_last or told.completion_tokens >= counted):
        return Usage(told.prompt_tokens, told.completion_tokens)
    return Usage(told.prompt_tokens, counted, is_counted=True)


def says_error(document: Mapping[str, Any]) -> bool:
    """Whether an answer or a chunk with a good status reports that there is none."""
    return bool(document.get("error")) or document.get("object") == "error"


def _tokens(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number: 2.0 is a whole one (RFC 8259, 6)
    return value if type(value) is int and 0 <= value <= _MOST else None
