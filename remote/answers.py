"""The envelope that every answer comes in, and what is not one: a login page, an empty 200, a server's own fault.

A failure is told by status, code and route. The server's sentence is in one of several languages, and may hold words
of its database: it is not read.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from remote.fields import Fields, fields_of, parse_json
from remote.transport import HttpAnswer, redirect_target
from store.errors import AnswerUnreadable, NotOnThisServer, ServerFailed
from store.text import sanitize

UNAUTHORIZED: Final = httpx.codes.UNAUTHORIZED
TOO_MANY: Final = httpx.codes.TOO_MANY_REQUESTS
OUTAGES: Final = frozenset((502, 503, 504))
"""The statuses of a proxy whose server restarts."""

_EMPTY: Final = "{host} answered with nothing, which is how it tells a fault of its own."
_PAGE: Final = (
    "{host} answered with a web page. Is there a login page in front of it, or is the address that of another server?"
)
_ELSEWHERE: Final = "{host} sends requests on to {target}. If you trust it, use that address. Nothing was sent there."
_ELSEWHERE_ON_HOST: Final = "{host} sends requests on to another place of its own, as no New API server does."
_FORM: Final = "{host} answered in a form that is not a New API server's."


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer that could be read."""

    status: int
    is_accepted: bool
    code: str
    """The machine's word for a refusal, such as AUTH_SESSION_REVOKED; or empty."""
    data: Any = field(repr=False)
    extra: Fields = field(repr=False, default_factory=Fields)
    """The whole object."""


def read_envelope(answer: HttpAnswer, host: str) -> Envelope:
    """The envelope in `answer`.

    Raises `AnswerUnreadable` for what is none, `NotOnThisServer` for a route that the server does not have, and
    `ServerFailed` for a fault of the server.
    """
    status, named = answer.status, sanitize(host, 200)
    if 300 <= status < 400:
        target = redirect_target(answer)
        raise AnswerUnreadable((_ELSEWHERE if target else _ELSEWHERE_ON_HOST).format(host=named, target=target))
    if status >= 500:
        raise ServerFailed(f"{named} had a fault of its own (status {status}). Try again in a moment.")
    if not answer.body.strip():
        if status == httpx.codes.OK:
            raise ServerFailed(_EMPTY.format(host=named))
        return Envelope(status, False, "", None)
    if not answer.is_json:
        raise AnswerUnreadable((_PAGE if answer.body.lstrip()[:1] == b"<" else _FORM).format(host=named))
    whole = fields_of(parse_json(answer.body))
    if status == httpx.codes.NOT_FOUND and "error" in whole:
        raise NotOnThisServer
    accepted = _is_accepted(whole)
    if accepted is None and status == httpx.codes.OK:
        raise AnswerUnreadable(_FORM.format(host=named))
    is_fine = bool(accepted) and status < 300
    return Envelope(status, is_fine, whole.text("code", 80), whole.members.get("data"), whole)


def _is_accepted(whole: Fields) -> bool | None:
    """Whether the answer reports success; None if it does not tell. The routes for payments tell it in `message`."""
    if isinstance(whole.members.get("success"), bool):
        return whole.flag("success")
    return {"success": True, "error": False}.get(whole.raw_text("message")) if "message" in whole else None


def retry_after_s(answer: HttpAnswer) -> float | None:
    """The seconds that a Retry-After asks for. A date in it is ignored: the clocks may differ."""
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


def cookies_of(answer: HttpAnswer) -> dict[str, str]:
    """The cookies that an answer sets and does not delete. Of two of one name the last one counts (RFC 6265, 5.3)."""
    found: dict[str, str] = {}
    for line in answer.headers.get_list("set-cookie"):
        name, equals, value = line.partition(";")[0].strip().partition("=")
        if not equals or not name.isascii() or not all("!" <= letter <= "~" for letter in value):
            continue
        if value:
            found[name] = value
        else:
            found.pop(name, None)
    return found
