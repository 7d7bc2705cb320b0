"""Errors of the relay as responses, in the form that the clients of a path expect."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from gateway.paths import is_anthropic
from gateway.problems import OpenAiProblem, openai_problem, sentence_of, status_of
from store.errors import GatekeyError, QuotaExceeded, SpendLimitReached

_BILLING: Final = "billing_error"
_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: _BILLING,
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
"""Anthropic's types of errors. Other statuses below 500 are invalid requests."""
_ALL_TYPES: Final = frozenset(_TYPES.values()) | {"invalid_request_error", "api_error"}


def relay_problem(error: GatekeyError, path: str, request_id: str = "") -> Response:
    """The response of the relay: in Anthropic's form for its paths, in OpenAI's for all others."""
    response = openai_problem(error, request_id)
    if not is_anthropic(path):
        return response
    headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    body = anthropic_body(error)
    if request_id:
        headers["request-id"] = body["request_id"] = request_id
    return Response(json.dumps(body, ensure_ascii=False), response.status_code, headers, media_type="application/json")


def anthropic_body(error: GatekeyError) -> dict[str, Any]:
    """`{"type": "error", "error": {type, message}}`. A type of the model server is kept if it is one of Anthropic's."""
    status = status_of(error)
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
    if isinstance(error, QuotaExceeded | SpendLimitReached):
        kind = _BILLING
    if isinstance(error, OpenAiProblem) and error.kind in _ALL_TYPES:
        kind = error.kind
    return {"type": "error", "error": {"type": kind, "message": sentence_of(error)}}
