"""Failures as HTTP: one table from errors to statuses, and the two dialects they are told in.

The account API answers with RFC 9457 problems, whose `detail` is the error's own sentence. The relay answers as
OpenAI does, so that its SDK, unchanged, raises the right exception.
"""

import json
import logging
import traceback
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import PurePath
from typing import Any, Final

from starlette.responses import Response

from store.errors import (
    AccountSuspended,
    Conflict,
    DatabaseBusy,
    FreshProofRequired,
    GatekeyError,
    GatewayError,
    InvalidInput,
    InvalidModel,
    ModelNotPriced,
    NotAllowed,
    NotAuthentic,
    NotFound,
    QuotaExceeded,
    SpendLimitReached,
    StoreUnavailable,
    TooManyAttempts,
    UpstreamFailed,
)
from store.settings import SettingsConflict
from store.text import sanitize

LOGGER: Final = logging.getLogger("gatekey.problems")
PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
REQUEST_ID_KEY: Final = "gatekey.request_id"
"""Where a request's name stands in its ASGI scope."""
REALM: Final = 'Bearer realm="gatekey"'

STATUSES: Final[Mapping[type[GatekeyError], int]] = {
    InvalidInput: 422,
    NotAuthentic: 401,
    TooManyAttempts: 429,
    QuotaExceeded: 429,
    SpendLimitReached: 429,
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
    ModelNotPriced: ("permission_error", "model_not_priced"),
    InvalidModel: ("invalid_request_error", "model_not_found"),
    QuotaExceeded: ("insufficient_quota", "insufficient_quota"),
    SpendLimitReached: ("insufficient_quota", "spend_limit_reached"),
    TooManyAttempts: ("rate_limit_error", "rate_limit_exceeded"),
    UpstreamFailed: ("server_error", "upstream_failed"),
}
"""OpenAI's `type` and `code` for the errors that a client may want to tell apart."""

_MAX_CAUSES: Final = 4
_MAX_FRAMES: Final = 24
"""Of the frames of an exception, the innermost are logged."""
_UNAVAILABLE: Final = "The service cannot reach its data at the moment. Try again in a moment."


class HttpProblem(GatekeyError):
    """A failure of the request itself, which no rule of the store knows: its status, and its headers."""

    def __init__(self, status: int, sentence: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})
        self.reason = ""
        """One word for a program, where a status alone does not say enough."""


class OpenAiProblem(HttpProblem):
    """A failure that OpenAI has a `code` or `param` of its own for."""

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
    """A body or a query that does not fit its schema."""

    title = "The request does not fit"


def validation_problem(errors: Sequence[Mapping[str, Any]]) -> InvalidDocument:
    """The sentence for what pydantic or FastAPI found. It quotes nothing that was sent."""
    first = errors[0]
    place = [str(part) for part in first["loc"] if part not in ("body", "query", "header", "path")]
    if first["type"] == "extra_forbidden":
        # The name came from outside, like the value.
        return InvalidDocument("There is a field that this document does not have.")
    if first["type"] == "json_invalid":
        return InvalidDocument("The body is not JSON.")
    field = ".".join(place)
    return InvalidDocument(f"{field or 'The document'}: {first['msg']}.", field=field)


def status_of(error: GatekeyError) -> int:
    """The HTTP status that `error` is told with."""
    if isinstance(error, HttpProblem):
        return error.status
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def sentence_of(error: GatekeyError) -> str:
    """What the other side may read. The state of the database is the administrator's business."""
    return _UNAVAILABLE if isinstance(error, StoreUnavailable) else sanitize(error, 500)


def headers_of(error: GatekeyError) -> dict[str, str]:
    """The headers that go with `error` (RFC 6750, 3; RFC 9110, 10.2.3)."""
    if isinstance(error, HttpProblem):
        return dict(error.headers)
    if isinstance(error, NotAuthentic):
        return {"WWW-Authenticate": f'{REALM}, error="invalid_token", error_description="{_header_text(error)}"'}
    if isinstance(error, FreshProofRequired):
        return {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", error_description="{_header_text(error)}"'}
    if isinstance(error, TooManyAttempts):
        return {"Retry-After": str(int(error.retry_after.total_seconds()))}
    if isinstance(error, StoreUnavailable):
        return {"Retry-After": "1"}
    return {}


def problem(error: GatekeyError) -> Response:
    """The answer of the account API (RFC 9457)."""
    status = status_of(error)
    body: dict[str, Any] = {
        "title": HTTPStatus(status).phrase if isinstance(error, HttpProblem) else error.title,
        "status": status,
        "detail": sentence_of(error),
    }
    if isinstance(error, HttpProblem) and error.reason:
        body["reason"] = error.reason
    if error.field:
        body["field"] = error.field.replace("-", "_")  # screens and documents spell one name differently
    return Response(_json(body), status, headers_of(error), media_type=PROBLEM_MEDIA_TYPE)


def openai_problem(error: GatekeyError, request_id: str = "") -> Response:
    """The answer of the relay, in the shape of OpenAI's errors."""
    headers = headers_of(error)
    if request_id:
        headers["X-Request-Id"] = request_id
    if isinstance(error, QuotaExceeded | SpendLimitReached):
        headers["x-should-retry"] = "false"  # the SDK would try twice more
    return Response(_json(openai_body(error)), status_of(error), headers, media_type="application/json")


def log_unforeseen(error: BaseException, request_id: str = "") -> None:
    """One line on an exception that nobody thought of: its type and `file:line:function` of its frames.

    Types and places only: a message can quote what was sent, and a local variable holds it.
    """
    LOGGER.error("Request %s failed: %s", request_id or "-", traceback_line(error))


def traceback_line(error: BaseException) -> str:
    """Types and `file:line:function` of `error` and of what caused it, on one line."""
    return ", caused by ".join(_chain_locations(error))


def problem_code(error: GatekeyError) -> str:
    """One word for `error`, for the usage log."""
    told = openai_body(error)["error"]
    return str(told["code"] or told["type"])


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


def _chain_locations(error: BaseException) -> Iterator[str]:
    link: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if link is None:
            return
        frames = deque(traceback.walk_tb(link.__traceback__), _MAX_FRAMES)
        places = (
            f"{'/'.join(PurePath(frame.f_code.co_filename).parts[-2:])}:{line}:{frame.f_code.co_qualname}"
            for frame, line in frames
        )
        yield " ".join([f"{type(link).__module__}.{type(link).__qualname__} at", *places])
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _header_text(error: GatekeyError) -> str:
    # RFC 6750 allows printable ASCII without the quote and the backslash.
    return "".join(c for c in str(error) if " " <= c <= "~" and c not in '"\\')


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
