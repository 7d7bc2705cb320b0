"""Parses a model server's usage report into input, cached input and output tokens.

Servers agree on the names `prompt_tokens`, `completion_tokens` and `total_tokens`, and on little else:

- OpenAI, DeepSeek and Moonshot include cached tokens in the prompt.
- Anthropic, and gateways that forward its figures, count cache reads and writes in addition to the prompt.
- xAI and Gemini count reasoning in addition to the completion, and Gemini counts tool input in addition to the prompt.

The total includes the additional figures, so it shows which of them were counted separately.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

MAX_REPORTED_TOKENS: Final = 1_000_000_000
"""Upper bound per call; larger figures are ignored."""
_PLAIN_KEYS: Final = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})
_DETAIL_KEYS: Final = (
    "prompt_tokens_details",
    "input_tokens_details",
    "completion_tokens_details",
    "output_tokens_details",
)
_CACHE_READ_KEYS: Final = ("cache_read_input_tokens", "cached_tokens", "prompt_cache_hit_tokens", "cache_read_tokens")
_CACHE_WRITE_KEYS: Final = ("cache_creation_input_tokens", "cache_creation_tokens", "cache_write_tokens")
_TOOL_KEYS: Final = (
    "tool_use_prompt_tokens",
    "tool_use_input_tokens",
    "tool_use_tokens",
    "tool_use_prompt_token_count",
)
_REASONING_KEYS: Final = ("reasoning_tokens", "thinking_tokens", "thoughts_tokens", "thoughts_token_count")


@dataclass(frozen=True, slots=True)
class ReportedUsage:
    """The figures of a model server. `completion_tokens` is None if it reported none."""

    prompt_tokens: int
    completion_tokens: int | None
    cached_tokens: int = 0
    """The part of the prompt that the server had in its cache."""

    def completing(self, earlier: "ReportedUsage | None") -> "ReportedUsage":
        """This report, with the prompt of an `earlier` one of the same stream if it has none itself."""
        if self.prompt_tokens or earlier is None:
            return self
        return ReportedUsage(earlier.prompt_tokens, self.completion_tokens, earlier.cached_tokens)


def parse_usage(document: Mapping[str, Any], *, has_completion: bool = True) -> ReportedUsage | None:
    """The usage in a response or a chunk, under either of OpenAI's names for it; None if there is none.

    A report of zeros counts as none. Without a completion the total equals the prompt, and some servers (Voyage) report
    nothing else.
    """
    usage = document.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt = token_count(usage.get("prompt_tokens", usage.get("input_tokens")))
    total = token_count(usage.get("total_tokens"))
    if prompt is None and not has_completion:
        prompt = total
    if prompt is None:
        return None
    completion = token_count(usage.get("completion_tokens", usage.get("output_tokens")))
    extra = _ExtraTokens.of(usage)
    reported_total = prompt + (completion or 0)
    if total is not None and total > reported_total:
        rest = total - reported_total
        into_prompt = rest if not has_completion else extra.of_prompt(rest, prompt, knows_completion=bool(completion))
        if rest > into_prompt:
            completion = (completion or 0) + rest - into_prompt
    else:
        # Anthropic reports no total, and its `input_tokens` include none of these.
        is_anthropic = total is None and not usage.keys() & {"prompt_tokens", "input_tokens_details"}
        into_prompt = extra.cache if is_anthropic or extra.cache > prompt else 0
    if total is not None and completion is None and total >= prompt:
        completion = 0
    prompt = min(prompt + into_prompt, MAX_REPORTED_TOKENS)
    if not prompt and not completion:
        return None
    return ReportedUsage(prompt, completion, min(extra.read, prompt))


@dataclass(frozen=True, slots=True)
class _ExtraTokens:
    """Figures that some servers include in prompt and completion, and others count separately."""

    read: int
    """Read from the cache."""
    written: int
    """Written to the cache."""
    tools: int
    """Results of tools that the model server ran."""
    reasoning: int

    @classmethod
    def of(cls, usage: Mapping[str, Any]) -> "_ExtraTokens":
        if usage.keys() <= _PLAIN_KEYS:
            return _NO_EXTRA_TOKENS
        details = (usage.get(name) for name in _DETAIL_KEYS)
        parts = [usage, *(part for part in details if isinstance(part, dict))]
        kinds = (_CACHE_READ_KEYS, _CACHE_WRITE_KEYS, _TOOL_KEYS, _REASONING_KEYS)
        return cls(*(_greatest(parts, names) for names in kinds))

    @property
    def cache(self) -> int:
        return self.read + self.written

    def of_prompt(self, rest: int, prompt: int, *, knows_completion: bool) -> int:
        """The input tokens in the `rest`, by which the total exceeds prompt and completion."""
        figures = ((self.reasoning, 0), (self.tools, 1), (self.read, 1), (self.written, 1))
        if knows_completion:
            for count in range(1, len(figures) + 1):
                for subset in combinations(figures, count):
                    if sum(tokens for tokens, _ in subset) == rest:
                        return sum(tokens for tokens, is_input in subset if is_input)
        # A figure larger than the prompt cannot be included in it.
        separate = self.tools + (self.cache if self.cache > prompt else 0)
        return min(rest, separate)


_NO_EXTRA_TOKENS: Final = _ExtraTokens(0, 0, 0, 0)


def _greatest(parts: Sequence[Mapping[str, Any]], names: Sequence[str]) -> int:
    """The greatest number of tokens under one of `names`; 0 if there is none."""
    found = [part[name] for part in parts for name in names if name in part]
    return max((tokens for value in found if (tokens := token_count(value)) is not None), default=0) if found else 0


def token_count(value: object) -> int | None:
    """A number of tokens in a report; None if it is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # RFC 8259, 6: JSON has one number type, so 2.0 is an integer
    return value if type(value) is int and 0 <= value <= MAX_REPORTED_TOKENS else None
