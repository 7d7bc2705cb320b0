"""A refusal of the server's relay as an error for a person: by its code or status, never by the server's words."""

from collections.abc import Callable, Mapping
from typing import Final

import httpx

from remote.answers import read_envelope
from remote.fields import fields_of, parse_json
from remote.transport import HttpAnswer
from store.errors import (
    GatekeyError,
    InvalidApiKey,
    ModelNotPriced,
    QuestionRefused,
    QuotaExceeded,
    ServerRateLimited,
    SpendLimitReached,
    UpstreamFailed,
)
from store.text import sanitize

_BY_CODE: Final[Mapping[str, Callable[[str], GatekeyError]]] = {
    "model_price_error": ModelNotPriced,
    "model_not_found": lambda model: QuestionRefused(f"This server offers no model {model} to this key."),
    "insufficient_user_quota": lambda _: QuotaExceeded(),
    "pre_consume_token_quota_failed": lambda _: SpendLimitReached(),
    "system_cpu_overloaded": lambda _: UpstreamFailed("The server is too busy for models now. Try again in a moment."),
}
_BY_STATUS: Final[Mapping[int, Callable[[], GatekeyError]]] = {
    httpx.codes.UNAUTHORIZED: lambda: InvalidApiKey(
        "The server does not accept this API key: it is disabled or used up, or it has expired."
    ),
    httpx.codes.FORBIDDEN: lambda: QuestionRefused("The server does not let this API key ask this model from here."),
    httpx.codes.TOO_MANY_REQUESTS: ServerRateLimited,
}


def relay_error(answer: HttpAnswer, host: str, model: str) -> GatekeyError:
    """The error in the answer to a question about `model`.

    Raises `AnswerUnreadable` and `ServerFailed` for an answer that does not come from the relay.
    """
    status = int(answer.status)
    error = fields_of(parse_json(answer.body) if answer.is_json else None).object("error")
    if not error.members and status not in _BY_STATUS:
        read_envelope(answer, host)
    code = error.text("code", 80)
    if code in _BY_CODE:
        return _BY_CODE[code](sanitize(model, 80))
    if status in _BY_STATUS:
        return _BY_STATUS[status]()
    return failure_of(code, status)


def failure_of(code: str, status: int) -> GatekeyError:
    """The error of a model that failed, or of a question that it did not take. `code` is sanitized."""
    what = ", ".join(filter(None, (f"status {status}" if status else "", code)))
    about = f" ({what})" if what else ""
    if status and status < httpx.codes.INTERNAL_SERVER_ERROR:
        return QuestionRefused(f"The server refused the question{about}. Change it, or try another model.")
    return UpstreamFailed(f"The model gave no answer{about}. Usage Logs may say why.")
