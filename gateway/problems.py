"""Maps errors to HTTP statuses, and formats them as responses.

The account API answers with problems (RFC 9457), whose `detail` is the error's sentence. The relay answers in OpenAI's
format, so that its unmodified SDK raises the right exception.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response

from gateway.log import traceback_line
from store.errors import (
    AccountSuspended,
    ApiKeyDisabled,
    Conflict,
    DatabaseBusy,
    FreshProofRequired,
    GatekeyError,
    GatewayError,
    InvalidInput,
    InvalidModel,
    ModelNotAllowed,
    ModelNotPriced,
    NetworkNotAllowed,
    NotAllowed,
    NotAuthentic,
    NotFound,
    QuotaExceeded,
    RequestRateReached,
    SpendLimitReached,
    StoreUnavailable,
    TooManyAttempts,
    UpstreamFailed,
)
from store.text import sanitize
from store.values.sections import SettingsConflict

LOGGER: Final = logging.getLogger("gatekey.problems")
PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
REQUEST_ID_KEY: Final = "gatekey.request_id"
"""Key of the request id in an ASGI scope."""
REALM: Final = 'Bearer realm="gatekey"'

STATUSES: Final[Mapping[type[GatekeyError], int]] = {
    InvalidInput: 422,
    NotAuthentic: 401,
    TooManyAttempts: 429,
    QuotaExceeded: 429,
    SpendLimitReached: 429,
    RequestRateReached: 429,
    NotAllowed: 403,
    NotFound: 404,
    SettingsConflict: 412,
    Conflict: 409,
    GatewayError: 502,
    DatabaseBusy: 503,
    StoreUnavailable: 503,
    GatekeyError: 500,
}
"""For each error, the status of the nearest of its classes."""

_TYPES: Final[Mapping[int, str]] = {
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_CODES: Final[Mapping[type[GatekeyError], tuple[str, str]]] = {
    AccountSuspended: ("permission_error", "account_suspended"),
    ApiKeyDisabled: ("permission_error", "api_key_disabled"),
    ModelNotAllowed: ("permission_error", "model_not_allowed"),
    NetworkNotAllowed: ("permission_error", "address_not_allowed"),
    RequestRateReached: ("rate_limit_error", "rate_limit_exceeded"),
    ModelNotPriced: ("permission_error", "model_not_priced"),
    InvalidModel: ("invalid_request_error", "model_not_found"),
    QuotaExceeded: ("insufficient_quota", "insufficient_quota"),
    SpendLimitReached: ("insufficient_quota", "spend_limit_reached"),
    TooManyAttempts: ("rate_limit_error", "rate_limit_exceeded"),
    UpstreamFailed: ("server_error", "upstream_failed"),
}
"""OpenAI's `type` and `code` for errors that a client may handle."""
OWN_CODES: Final = frozenset(
    {
        *(code for _, code in _CODES.values()),
        "file_not_found",
        "invalid_api_key",
        "invalid_request_error",
        "not_found",
        "not_found_error",
        "overloaded",
        "permission_error",
        "server_error",
        "unknown_url",
        "upstream_broken",
        "upstream_error",
        "upstream_missing",
        "upstream_timeout",
        "upstream_unreachable",
    }
)
"""The codes of the gateway itself, as `problem_code` returns them. An error of the model server has any other."""

_UNAVAILABLE: Final = "The service cannot reach its data at the moment. Try again in a moment."


class HttpProblem(GatekeyError):
    """An error of the HTTP request itself, with its status and headers."""

    def __init__(self, status: int, sentence: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})
        self.reason = ""
        """A code for programs, where the status alone is ambiguous."""


class OpenAiProblem(HttpProblem):
    """An error with a `code`, `param` or `type` of OpenAI's own."""

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, sentence, headers=headers)
        self.code = code
        self.param = param
        self.kind = kind


class InvalidDocument(InvalidInput):
    """A body or a query that does not match its schema."""

    title = "The request does not fit"


def validation_problem(errors: Sequence[Mapping[str, Any]]) -> InvalidDocument:
    """The error for the findings of pydantic or FastAPI. It quotes nothing of the request."""
    first = errors[0]
    place = [str(part) for part in first["loc"] if part not in ("body", "query", "header", "path")]
    if first["type"] == "extra_forbidden":
        # The client chose the name, so it is not quoted either.
        return InvalidDocument("There is a field that this document does not have.")
    if first["type"] == "json_invalid":
        return InvalidDocument("The body is not JSON.")
    field = ".".join(place)
    return InvalidDocument(f"{field or 'The document'}: {first['msg']}.", field=field)


def status_of(error: GatekeyError) -> int:
    """The HTTP status of `error`."""
    if isinstance(error, HttpProblem):
        return error.status
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def sentence_of(error: GatekeyError) -> str:
    """The sentence for the client. It hides the state of the database, which concerns the administrator alone."""
    return _UNAVAILABLE if isinstance(error, StoreUnavailable) else sanitize(error, 500)


def headers_of(error: GatekeyError) -> dict[str, str]:
    """The headers of a response for `error` (RFC 6750, 3; RFC 9110, 10.2.3)."""
    if isinstance(error, HttpProblem):
        return dict(error.headers)
    if isinstance(error, NotAuthentic):
        return {"WWW-Authenticate": f'{REALM}, error="invalid_token", error_description="{_header_text(error)}"'}
    if isinstance(error, FreshProofRequired):
        return {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", error_description="{_header_text(error)}"'}
    if isinstance(error, TooManyAttempts | RequestRateReached):
        return {"Retry-After": str(int(error.retry_after.total_seconds()))}
    if isinstance(error, StoreUnavailable):
        return {"Retry-After": "1"}
    return {}


def problem(error: GatekeyError) -> Response:
    """The response of the account API (RFC 9457)."""
    status = status_of(error)
    body: dict[str, Any] = {
        "title": HTTPStatus(status).phrase if isinstance(error, HttpProblem) else error.title,
        "status": status,
        "detail": sentence_of(error),
    }
    if isinstance(error, HttpProblem) and error.reason:
        body["reason"] = error.reason
    if error.field:
        body["field"] = error.field.replace("-", "_")  # field names have dashes in screens and underscores in documents
    return Response(_json(body), status, headers_of(error), media_type=PROBLEM_MEDIA_TYPE)


def openai_problem(error: GatekeyError, request_id: str = "") -> Response:
    """The response of the relay, in OpenAI's format."""
    headers = headers_of(error)
    if request_id:
        headers["X-Request-Id"] = request_id
    if isinstance(error, QuotaExceeded | SpendLimitReached):
        headers["x-should-retry"] = "false"  # the SDK would retry twice
    return Response(_json(openai_body(error)), status_of(error), headers, media_type="application/json")


def log_unforeseen(error: BaseException, request_id: str = "") -> None:
    """Log an unexpected exception on one line: types and `file:line:function` of the frames.

    Messages and local variables are left out: they can contain data of the request.
    """
    LOGGER.error("Request %s failed: %s", request_id or "-", traceback_line(error))


def problem_code(error: GatekeyError) -> str:
    """OpenAI's code for `error`, for the usage log."""
    error_body = openai_body(error)["error"]
    return str(error_body["code"] or error_body["type"])


def openai_body(error: GatekeyError) -> dict[str, Any]:
    """`{"error": {message, type, param, code}}`."""
    status = status_of(error)
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    code: str | None = None
    param: str | None = None
    if isinstance(error, OpenAiProblem):
        kind, code, param = error.kind or kind, error.code, error.param
    elif status == 401:
        kind, code = "invalid_request_error", "invalid_api_key"
    elif type(error) in _CODES:
        kind, code = _CODES[type(error)]
    return {"error": {"message": sentence_of(error), "type": kind, "param": param, "code": code}}


def _header_text(error: GatekeyError) -> str:
    # RFC 6750 allows printable ASCII without the quote and the backslash.
    return "".join(c for c in str(error) if " " <= c <= "~" and c not in '"\\')


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
