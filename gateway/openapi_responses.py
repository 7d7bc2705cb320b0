"""Documentation of each status: its meaning, its body and its headers."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel

from gateway.problems import PROBLEM_MEDIA_TYPE

Schema = dict[str, Any]

MEANINGS: Final[Mapping[int, str]] = {
    400: "The request could not be read.",
    401: "There is no valid System Access Token in the Authorization header (RFC 6750).",
    403: "The account is suspended, or a token may not do this: it needs a fresh proof of identity, in the console.",
    404: "There is nothing at this address.",
    405: "The method is not one of this address.",
    409: "It does not go with what is there: there are as many as there may be, or it was changed meanwhile.",
    412: "The section was changed since the version in If-Match; nothing was overwritten.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "A field does not fit; the sentence says which.",
    428: "There is no If-Match, and without it someone's change could be overwritten unseen (RFC 6585).",
    429: "There were too many requests of this account, or too many bad tokens from this address.",
    500: "Something went wrong that nobody thought of. It was logged.",
    503: "The data cannot be reached at the moment.",
}
_HEADERS: Final[Mapping[int, tuple[str, str]]] = {
    401: ("WWW-Authenticate", "RFC 6750, section 3."),
    405: ("Allow", "The methods of this address."),
    429: ("Retry-After", "Seconds."),
    503: ("Retry-After", "Seconds."),
}
ALWAYS_WITH_HEADERS: Final = frozenset(_HEADERS)


def problem_responses(*statuses: int) -> dict[int | str, Schema]:
    """The error responses of the account API for FastAPI, each with a problem as its body (RFC 9457)."""
    responses = error_responses({status: MEANINGS[status] for status in statuses}, "Problem", PROBLEM_MEDIA_TYPE)
    return {int(status): response for status, response in responses.items()}


def error_responses(
    meanings: Mapping[int, str],
    schema: str,
    media_type: str = "application/json",
    *,
    with_headers: frozenset[int] = ALWAYS_WITH_HEADERS,
) -> dict[str, Schema]:
    """Responses by status, with the component `schema` as body. Statuses in `with_headers` document their header."""
    responses: dict[str, Schema] = {}
    for status, meaning in meanings.items():
        content = {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        responses[str(status)] = {"description": meaning, "content": content}
        if status in with_headers & ALWAYS_WITH_HEADERS:
            name, description = _HEADERS[status]
            header = {"description": description, "required": True, "schema": {"type": "string"}}
            responses[str(status)]["headers"] = {name: header}
    return responses


def whole_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of `model` in one piece: a reference would point into the whole OpenAPI document."""
    whole: dict[str, Any] = json.loads(_schema_text(model))
    return whole


@cache
def _schema_text(model: type[BaseModel]) -> str:
    # Made once in a process: it takes a third of the time in which an application is created.
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})
    written = json.dumps(schema)
    for name, part in parts.items():
        written = written.replace(json.dumps({"$ref": f"#/$defs/{name}"}), json.dumps(part))
    return written
