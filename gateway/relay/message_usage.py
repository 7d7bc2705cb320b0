"""Parses the usage in answers of Anthropic's Messages API."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.relay.usage_report import MAX_REPORTED_TOKENS, ReportedUsage, token_count

_QUARTERS_OF_WRITTEN: Final = 5
_QUARTERS_OF_WRITTEN_FOR_AN_HOUR: Final = 8
"""Anthropic's price of input that is written to its cache, in quarters of the price of other input."""


def message_usage(document: Mapping[str, Any], *, has_completion: bool = True) -> ReportedUsage | None:
    """The usage of a message, or of an event of its stream; None if there is none.

    `input_tokens` exclude what was read from the cache and written to it. A token that was written counts as one and a
    quarter, or as two with a lifetime of one hour, as Anthropic charges it: the client decides over it, and the price
    of a model has no place for it. The last report of a stream may have the output alone.
    """
    usage = document.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = (token_count(usage.get(name)) for name in ("input_tokens", "output_tokens"))
    read, written = (_count(usage, f"cache_{name}_input_tokens") for name in ("read", "creation"))
    creation = usage.get("cache_creation")
    for_an_hour = _count(creation, "ephemeral_1h_input_tokens") if isinstance(creation, dict) else 0
    for_an_hour = min(for_an_hour, written)
    quarters = (written - for_an_hour) * _QUARTERS_OF_WRITTEN + for_an_hour * _QUARTERS_OF_WRITTEN_FOR_AN_HOUR
    prompt = min((prompt or 0) + read - (-quarters // 4), MAX_REPORTED_TOKENS)
    completion = completion if has_completion else None
    return ReportedUsage(prompt, completion, min(read, prompt)) if prompt or completion else None


def _count(usage: Mapping[str, Any], name: str) -> int:
    return token_count(usage.get(name)) or 0
