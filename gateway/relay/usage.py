"""What a call came to: read from what the model server reports, or counted where it reports nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.model_server.error_reasons import failure_sentence, reason_in_document
from gateway.relay.request import Call
from gateway.relay.usage_report import ReportedUsage, parse_usage
from store.errors import UpstreamFailed
from store.pricing import ModelPrice
from store.usage_log import Kind

_BYTES_PER_TOKEN: Final = 4
"""Of an answer, to count what nobody reported: about right for English, and a gift elsewhere."""
_BYTES_PER_AUDIO_TOKEN: Final = 1000
"""Of a recording in base64: OpenAI has a token for 50 ms of speech, which are 3,200 bytes as PCM and fewer as MP3."""
_ENVELOPE_KEYS: Final = ("role", "annotations")
"""Of a message, what is there whether or not anything was said."""
_COUNTED_REMARK: Final = "The model server reported no usage; it was counted {}."
_CACHED_REMARK: Final = "{:,} tokens of the prompt were cached, and cost what cached input costs."


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, and pictures where they are what is paid for."""

    prompt_tokens: int
    completion_tokens: int
    pictures: int = 0
    is_counted: bool = False
    """Whether it was counted here, because the model server did not say."""
    cached_tokens: int = 0
    """Of the prompt, those that the model server had in its cache."""

    def cost(self, price: ModelPrice | None) -> int:
        """In micro-USD: the price of a request is taken for each picture; a model without a price costs nothing."""
        if price is None:
            return 0
        extra = max(self.pictures - 1, 0) * price.per_request
        return price.cost(self.prompt_tokens, self.completion_tokens, self.cached_tokens) + extra

    def remark(self, price: ModelPrice | None, counted: str = "here") -> str:
        """What the log says beside the figures, where they alone do not tell the cost. `counted` says how."""
        if self.is_counted:
            return _COUNTED_REMARK.format(counted)
        has_price = price is not None and price.cached_input_per_million is not None
        return _CACHED_REMARK.format(self.cached_tokens) if self.cached_tokens and has_price else ""


def response_usage(call: Call, document: Mapping[str, Any], length: int, *, secret: str = "", host: str = "") -> Usage:
    """The usage of a complete answer of `length` bytes.

    Raises `UpstreamFailed` for one that is none, with its reason, from which `secret` and the model server's
    `host` are left out.
    """
    reported = parse_usage(document, has_completion=call.has_completion)
    if reported is None and reports_error(document):
        reason = reason_in_document(document)
        raise UpstreamFailed(
            failure_sentence("The model server answered with an error", reason, secret=secret, host=host)
        )
    if call.endpoint.kind is Kind.TASK:
        return Usage(0, 0)  # it has only just begun
    data = document.get("data")
    pictures = len(data) if call.pictures and isinstance(data, list) else 0
    if reported is None and call.pictures:
        if not pictures:
            raise UpstreamFailed("The model server's answer held no picture.")
        return Usage(0, 0, pictures)  # most picture models have no tokens to report
    is_text = call.has_completion and not call.pictures and _has_content(document)
    return _merged_usage(call, reported, length // _BYTES_PER_TOKEN if is_text else 0, pictures)


def stream_usage(
    call: Call, reported: ReportedUsage | None, deltas: int, text_bytes: int, audio_bytes: int = 0, *, is_last: bool
) -> Usage:
    """The usage of a stream of so many pieces, letters and sounds (both in bytes); each piece is a token at least.

    `is_last` says that nothing more was answered after `reported`: if something was, that was not all.
    """
    counted = max(deltas, text_bytes // _BYTES_PER_TOKEN + audio_bytes // _BYTES_PER_AUDIO_TOKEN)
    if reported is not None and not is_last and (reported.completion_tokens or 0) < counted:
        reported = ReportedUsage(reported.prompt_tokens, None, reported.cached_tokens)
    return _merged_usage(call, reported, counted if call.has_completion or reported is None else 0)


def _merged_usage(call: Call, reported: ReportedUsage | None, counted: int, pictures: int = 0) -> Usage:
    """What was reported, and `counted` tokens of an answer for which none were, or no prompt."""
    if reported is None:
        return Usage(call.prompt_tokens, counted, pictures, is_counted=True)
    # Nobody answers something in no tokens, or from no prompt.
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
    """Whether an answer holds anything but its own frame. One in an unknown shape does."""
    choices = document.get("choices")
    return not isinstance(choices, list) or any(_choice_has_content(choice) for choice in choices)


def _choice_has_content(choice: object) -> bool:
    if not isinstance(choice, dict):
        return True
    message = choice.get("message")
    said = message if isinstance(message, dict) else {}
    return bool(choice.get("text")) or any(value for key, value in said.items() if key not in _ENVELOPE_KEYS)


def reports_error(document: Mapping[str, Any]) -> bool:
    """Whether an answer or a chunk with a good status reports that there is none."""
    return bool(document.get("error")) or document.get("object") == "error"
