"""The parts of a complete response that its booking needs.

Their size has a bound for any response, so that a process can parse a long one and send them back.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol, Self

from gateway.json_text import loads_lenient
from gateway.model_server.error_reasons import MAX_RAW_REASON_CHARACTERS, reason_in_document
from gateway.relay.api_form import ApiForm
from gateway.relay.audio_requests import transcript_usage
from gateway.relay.message_usage import message_usage
from gateway.relay.usage_report import ReportedUsage, parse_usage
from store.errors import UpstreamFailed
from store.inputs import MAX_MODEL_LENGTH
from store.text import is_sanitized


class UsageParser(Protocol):
    """Returns the usage that a response reports, or None."""

    def __call__(self, document: Mapping[str, Any], *, has_completion: bool) -> ReportedUsage | None: ...


MAX_MODELS: Final = 10_000
"""Models of one list that are read; the largest public list has some 500."""
USAGE_PARSERS: Final[Mapping[ApiForm, UsageParser]] = {
    ApiForm.CHAT: parse_usage,
    ApiForm.RESPONSES: parse_usage,
    ApiForm.MESSAGES: message_usage,
    ApiForm.TRANSCRIPT: transcript_usage,
}
_MAX_ID_CHARACTERS: Final = 101
"""One more than a batch id may have, so that a longer one is still refused."""
_MAX_REQUESTS: Final = 1_000_000_000
"""Requests of a batch; a larger number is no count."""
_MAX_CHOICES: Final = 10_000
"""Choices of a response that are searched for content. More count as content: ten million empty ones take 10 s."""
_TASK_KEYS: Final = frozenset({"request_counts", "output_file_id", "error_file_id"})
_NO_TASK: Final[Mapping[str, Any]] = {"total": None, "done": None, "files": ()}
_ENVELOPE_KEYS: Final = ("role", "annotations")
"""Members of a message that are set even if it is empty."""


@dataclass(frozen=True, slots=True)
class ResponseFacts:
    """The facts of one response. The texts are as the model server wrote them, not masked."""

    usage: ReportedUsage | None
    is_error: bool
    """True if it reports an error and no usage."""
    reason: str | None
    """The reason of the error."""
    items: int
    """Entries of `data`: the pictures of a drawing."""
    has_content: bool
    """True if it has any content, or an unknown format."""
    status: str | None
    """The status of a batch."""
    id: str | None
    done: int | None = None
    """Finished requests of a batch, failed ones included."""
    total: int | None = None
    files: tuple[str, ...] = ()
    """Ids of the files that a batch wrote."""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """The reverse of `to_json`."""
        usage = fields["usage"]
        files = tuple(fields["files"])
        return cls(**{**fields, "usage": usage and ReportedUsage(**usage), "files": files})

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON has them."""
        return asdict(self)


def parse_object(content: bytes | bytearray) -> dict[str, Any]:
    """The JSON object in `content`. Raises `UpstreamFailed`."""
    try:
        document = loads_lenient(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UpstreamFailed("The model server's answer was not a JSON object.")
    return document


def response_facts(document: Mapping[str, Any], *, has_completion: bool, form: ApiForm = ApiForm.CHAT) -> ResponseFacts:
    """The facts of `document`; `has_completion` says whether the call has completion tokens."""
    usage, data = USAGE_PARSERS[form](document, has_completion=has_completion), document.get("data")
    is_error = usage is None and reports_error(document)
    reason = reason_in_document(document) if is_error else None
    return ResponseFacts(
        usage=usage,
        is_error=is_error,
        reason=reason.message if reason is not None else None,
        items=len(data) if isinstance(data, list) else 0,
        has_content=_has_content(document),
        status=_text(document.get("status"), MAX_RAW_REASON_CHARACTERS),
        id=_text(document.get("id"), _MAX_ID_CHARACTERS),
        **_task_facts(document),
    )


def _task_facts(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The progress of a batch, and the files that it wrote."""
    if _TASK_KEYS.isdisjoint(document):
        return _NO_TASK
    counts = document.get("request_counts")
    total, *done = (_count(counts, name) for name in ("total", "completed", "failed"))
    names = (document.get(name) for name in ("output_file_id", "error_file_id"))
    return {
        "total": total,
        "done": None if None in done else sum(count or 0 for count in done),
        "files": tuple(name for name in names if isinstance(name, str) and len(name) < _MAX_ID_CHARACTERS),
    }


def _count(counts: object, name: str) -> int | None:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if type(value) is int and 0 <= value <= _MAX_REQUESTS else None


def listed_models(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Up to `MAX_MODELS` models of a list: `id`, and `created` and `owned_by` if they are valid."""
    data, models = document.get("data"), list[dict[str, Any]]()
    for entry in data if isinstance(data, list) else ():
        name = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(name, str) and len(name) <= MAX_MODEL_LENGTH and is_sanitized(name):
            models.append({"id": name, **_model_details(entry)})
        if len(models) >= MAX_MODELS:
            break
    return models


def reports_error(document: Mapping[str, Any]) -> bool:
    """True if a response or chunk with a success status reports an error."""
    return bool(document.get("error")) or document.get("object") == "error"


def _model_details(entry: Mapping[str, Any]) -> dict[str, Any]:
    created, owner = entry.get("created"), entry.get("owned_by")
    details: dict[str, Any] = {"created": created} if type(created) is int else {}
    if isinstance(owner, str) and len(owner) <= MAX_MODEL_LENGTH and is_sanitized(owner):
        details["owned_by"] = owner
    return details


def _has_content(document: Mapping[str, Any]) -> bool:
    """True if a response has any content. One in an unknown format counts as content."""
    choices = document.get("choices")
    if not isinstance(choices, list) or len(choices) > _MAX_CHOICES:
        return True
    return any(_choice_has_content(choice) for choice in choices)


def _choice_has_content(choice: object) -> bool:
    if not isinstance(choice, dict):
        return True
    message = choice.get("message")
    said = message if isinstance(message, dict) else {}
    return bool(choice.get("text")) or any(value for key, value in said.items() if key not in _ENVELOPE_KEYS)


def _text(value: object, longest: int) -> str | None:
    return value[:longest] if isinstance(value, str) else None
