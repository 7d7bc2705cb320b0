"""The usage of a call: as the model server reports it, or counted if it reports none."""

from dataclasses import dataclass
from typing import Final

from gateway.model_server.error_reasons import ErrorReason, failure_sentence
from gateway.relay.request import Call
from gateway.relay.response_facts import ResponseFacts
from gateway.relay.usage_report import ReportedUsage
from store.errors import UpstreamFailed
from store.values.billing import ModelPrice
from store.values.usage import Kind

_BYTES_PER_TOKEN: Final = 4
"""For counting an unreported answer: about right for English, and low for other languages."""
_BYTES_PER_AUDIO_TOKEN: Final = 1000
"""Bytes of base64 per token: OpenAI has one token per 50 ms of speech, which is 3,200 bytes as PCM and fewer as MP3."""
UNREAD_REMARK: Final = "The answer could not be read in time; it was counted by its length."
_COUNTED_REMARK: Final = "The model server reported no usage; it was counted {}."
_CACHED_REMARK: Final = "{:,} tokens of the prompt were cached, and cost what cached input costs."


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call, and pictures where those are charged."""

    prompt_tokens: int
    completion_tokens: int
    pictures: int = 0
    is_counted: bool = False
    """True if the gateway counted the tokens, because the model server reported none."""
    cached_tokens: int = 0
    """The part of the prompt that the model server had in its cache."""

    def cost(self, price: ModelPrice | None) -> int:
        """The cost in micro-USD. `per_request` is charged for each picture; a model without a price costs nothing."""
        if price is None:
            return 0
        extra = max(self.pictures - 1, 0) * price.per_request
        return price.cost(self.prompt_tokens, self.completion_tokens, self.cached_tokens) + extra

    def remark(self, price: ModelPrice | None, counted: str = "here") -> str:
        """The remark in the usage log where the figures alone do not explain the cost; `counted` names the source of
        the count."""
        if self.is_counted:
            return _COUNTED_REMARK.format(counted)
        has_price = price is not None and price.cached_input_per_million is not None
        return _CACHED_REMARK.format(self.cached_tokens) if self.cached_tokens and has_price else ""


def response_usage(call: Call, facts: ResponseFacts, length: int, *, secret: str = "", host: str = "") -> Usage:
    """The usage of a complete response of `length` bytes.

    Raises `UpstreamFailed` with the reason if the response is an error; `secret` and `host` are masked in it.
    """
    reported = facts.usage
    if facts.is_error:
        reason = ErrorReason(facts.reason) if facts.reason is not None else None
        raise UpstreamFailed(
            failure_sentence("The model server answered with an error", reason, secret=secret, host=host)
        )
    if call.endpoint.kind is Kind.TASK or not call.endpoint.charges_tokens:
        return Usage(0, 0)  # a batch has not run yet
    pictures = facts.items if call.pictures else 0
    if reported is None and call.pictures:
        if not pictures:
            raise UpstreamFailed("The model server's answer held no picture.")
        return Usage(0, 0, pictures)  # most picture models report no tokens
    is_text = call.has_completion and not call.pictures and facts.has_content
    return _merged_usage(call, reported, length // _BYTES_PER_TOKEN if is_text else 0, pictures)


def estimated_usage(call: Call, length: int, max_tokens: int) -> Usage:
    """The usage of a complete response of `length` bytes that could not be parsed.

    Each of its answers has up to `max_tokens`, as so many were held.
    """
    if call.endpoint.kind is Kind.TASK or not call.endpoint.charges_tokens:
        return Usage(0, 0)
    completion = min(length // _BYTES_PER_TOKEN, max_tokens * call.length.answers) if call.has_completion else 0
    return Usage(call.prompt_tokens, completion, call.pictures, is_counted=True)


def stream_usage(
    call: Call,
    reported: ReportedUsage | None,
    deltas: int,
    text_bytes: int,
    audio_bytes: int = 0,
    *,
    is_last: bool,
    max_tokens: int | None = None,
) -> Usage:
    """The usage of a stream with so many parts and bytes of text and audio. Each part counts as one token at least.

    `is_last` says that no part followed `reported`. If one did, the report is incomplete. Each answer is counted as
    `max_tokens` at most, if given.
    """
    counted = max(deltas, text_bytes // _BYTES_PER_TOKEN + audio_bytes // _BYTES_PER_AUDIO_TOKEN)
    if max_tokens is not None:
        counted = min(counted, max_tokens * call.length.answers)
    if reported is not None and not is_last and (reported.completion_tokens or 0) < counted:
        reported = ReportedUsage(reported.prompt_tokens, None, reported.cached_tokens)
    return _merged_usage(call, reported, counted if call.has_completion or reported is None else 0)


def _merged_usage(call: Call, reported: ReportedUsage | None, counted: int, pictures: int = 0) -> Usage:
    """The reported usage. `counted` tokens replace a missing completion; the estimate replaces a missing prompt."""
    if reported is None:
        return Usage(call.prompt_tokens, counted, pictures, is_counted=True)
    # An answer has tokens, and so does its prompt: zero means that the server did not report it.
    has_completion = bool(reported.completion_tokens) or not counted
    has_prompt = reported.prompt_tokens > 0 or pictures > 0
    return Usage(
        reported.prompt_tokens if has_prompt else call.prompt_tokens,
        (reported.completion_tokens or 0) if has_completion else counted,
        pictures,
        is_counted=not has_completion or not has_prompt,
        cached_tokens=reported.cached_tokens,
    )
