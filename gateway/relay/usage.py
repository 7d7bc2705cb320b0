"""The usage of a call: as the model server reports it, or counted if it reports none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.model_server.error_reasons import failure_sentence, reason_in_document
from gateway.relay.request import Call
from gateway.relay.usage_report import ReportedUsage, parse_usage
from store.errors import UpstreamFailed
from store.values.billing import ModelPrice
from store.values.usage import Kind

_BYTES_PER_TOKEN: Final = 4
"""For counting an unreported answer: about right for English, and low for other languages."""
_BYTES_PER_AUDIO_TOKEN: Final = 1000
"""Of base64: OpenAI has one token per 50 ms of speech, which is 3,200 bytes as PCM and fewer as MP3."""
_ENVELOPE_KEYS: Final = ("role", "annotations")
"""Members of a message that are set even if it is empty."""
_COUNTED_REMARK: Final = "The model server reported no usage; it was counted {}."
_CACHED_REMARK: Final = "{:,} tokens of the prompt were cached, and cost what cached input costs."


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call, and pictures where those are charged."""

    prompt_tokens: int
    completion_tokens: int
    pictures: int = 0
    is_counted: bool = False
    """Whether the gateway counted the tokens, because the model server reported none."""
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


def response_usage(call: Call, document: Mapping[str, Any], length: int, *, secret: str = "", host: str = "") -> Usage:
    """The usage of a complete response of `length` bytes.

    Raises `UpstreamFailed` with the reason if the response is an error; `secret` and `host` are masked in it.
    """
    reported = parse_usage(document, has_completion=call.has_completion)
    if reported is None and reports_error(document):
        reason = reason_in_document(document)
        raise UpstreamFailed(
            failure_sentence("The model server answered with an error", reason, secret=secret, host=host)
        )
    if call.endpoint.kind is Kind.TASK:
        return Usage(0, 0)  # the batch has not run yet
    data = document.get("data")
    pictures = len(data) if call.pictures and isinstance(data, list) else 0
    if reported is None and call.pictures:
        if not pictures:
            raise UpstreamFailed("The model server's answer held no picture.")
        return Usage(0, 0, pictures)  # most picture models report no tokens
    is_text = call.has_completion and not call.pictures and _has_content(document)
    return _merged_usage(call, reported, length // _BYTES_PER_TOKEN if is_text else 0, pictures)


def stream_usage(
    call: Call, reported: ReportedUsage | None, deltas: int, text_bytes: int, audio_bytes: int = 0, *, is_last: bool
) -> Usage:
    """The usage of a stream with so many parts and bytes of text and audio. Each part counts as one token at least.

    `is_last` says that no part followed `reported`. If one did, the report is incomplete.
    """
    counted = max(deltas, text_bytes // _BYTES_PER_TOKEN + audio_bytes // _BYTES_PER_AUDIO_TOKEN)
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


def _has_content(document: Mapping[str, Any]) -> bool:
    """Whether a response has any content. One in an unknown format counts as content."""
    choices = document.get("choices")
    return not isinstance(choices, list) or any(_choice_has_content(choice) for choice in choices)


def _choice_has_content(choice: object) -> bool:
    if not isinstance(choice, dict):
        return True
    message = choice.get("message")
    said = message if isinstance(message, dict) else {}
    return bool(choice.get("text")) or any(value for key, value in said.items() if key not in _ENVELOPE_KEYS)


def reports_error(document: Mapping[str, Any]) -> bool:
    """Whether a response or chunk with a success status reports an error."""
    return bool(document.get("error")) or document.get("object") == "error"
