"""The reason in a model server's error response, in any of the usual formats.

OpenAI has an `error` object with a `message`; Ollama has a string in `error`; vLLM and LM Studio have the `message` at
the top level; FastAPI has a `detail`, which may be a list of fields; Gemini has a list with one such document. Proxies
answer with plain text or HTML.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.json_text import loads_lenient
from store.text import sanitize

MAX_REASON_CHARACTERS: Final = 500
"""Length of a reason that is passed on."""
_TITLE_SEARCH_BYTES: Final = 16 * 1024
"""Leading bytes of a text or an HTML page that are searched for a sentence or a title."""
MAX_RAW_REASON_CHARACTERS: Final = 2 * MAX_REASON_CHARACTERS
"""Length of a text that is searched for addresses and keys. The time of the search grows with the square of the length:
20 ms for so many, a minute for 60,000."""
_MAX_LISTED_ERRORS: Final = 5
_MAX_DEPTH: Final = 4
_ERROR_KEYS: Final = ("error", "errors", "detail", "details")
_MESSAGE_KEYS: Final = ("message", "msg", "error_message", "error_msg", "reason", "title", "description")
_API_KEY: Final = re.compile(r"sk-[A-Za-z0-9_*-]{4,}")
_BARE_V6: Final = (
    r"(?<![\w:])(?:::1|[23f][0-9a-f]{3}:(?:[0-9a-f]{1,4}:)*:[0-9a-f:]*|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4})(?![\w:])"
)
_ADDRESS: Final = re.compile(
    r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>)]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[[0-9a-f:]*:[0-9a-f:]+\](?::\d+)?"
    r"|\b[a-z0-9-]+(?:\.[a-z0-9-]+)+:\d{2,5}\b|\bhost='[^']*'|\blocalhost:\d+\b"
    rf"|\bhost [\w.-]+:\d+|\blookup \S+|{_BARE_V6}",
    re.IGNORECASE,
)
_PRIVATE_ADDRESS: Final = re.compile(
    r"\bapi_base=\S+|\blocalhost(?::\d+)?\b|\b(?:127|10)(?:\.\d{1,3}){3}(?::\d+)?\b|\b192\.168(?:\.\d{1,3}){2}(?::\d+)?\b"
    r"|\b172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2}(?::\d+)?\b|\[(?:::1|f[cde][0-9a-f]{2}:[0-9a-f:]*)\](?::\d+)?"
    r"|(?<![\w:])(?:::1|f[cde][0-9a-f]{2}:[0-9a-f:]*:[0-9a-f:]*)(?![\w:])",
    re.IGNORECASE,
)
"""Addresses of private networks in any text of a model server."""
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MARKUP: Final = re.compile(r"<(script|style)\b.*?(?:</\1>|\Z)|<[^>]*(?:>|\Z)", re.IGNORECASE | re.DOTALL)
_PAGE: Final = re.compile(r"\s*<[!?a-z]", re.IGNORECASE)
_WHITESPACE: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class ErrorReason:
    """The message of an error, and the other members of OpenAI's error object."""

    message: str
    kind: str | None = None
    code: str | None = None
    param: str | None = None


def reason_in_body(body: bytes | bytearray) -> ErrorReason | None:
    """The reason in the body of an error response; None if there is no readable one."""
    try:
        document = loads_lenient(body)
    except (ValueError, RecursionError):
        text = _text_of_body(body)
        return ErrorReason(text) if text else None
    return reason_in_document(document)


def reason_in_document(document: object) -> ErrorReason | None:
    """The reason in a parsed error document; None if there is none."""
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    sentence = _find_sentence(document)
    if sentence is None:
        return None
    error = document.get("error") if isinstance(document, dict) else None
    members: Mapping[str, Any] = error if isinstance(error, dict) else document if isinstance(document, dict) else {}
    kind, code, param = (_string_or_none(members.get(name)) for name in ("type", "code", "param"))
    return ErrorReason(sentence[:MAX_RAW_REASON_CHARACTERS], kind, code, param)


def mask_secrets(text: str, secret: str) -> str:
    """`text` on one line, with the gateway's own key (`secret`) and anything that looks like an API key masked."""
    return sanitize(_API_KEY.sub("sk-…", text.replace(secret, "…") if secret else text), MAX_REASON_CHARACTERS)


def mask_addresses(text: str) -> str:
    """`text` with every address and host masked: only the administrator may know where the model server is."""
    return _ADDRESS.sub("…", text)


def mask_host(text: str, host: str) -> str:
    """`text` with the model server's `host` and port, and addresses of private networks, masked."""
    own = rf"(?<![\w.-])\[?{re.escape(host)}\]?(?::\d+)?(?![\w-])"
    return _PRIVATE_ADDRESS.sub("…", re.sub(own, "…", text, flags=re.IGNORECASE) if host else text)


def failure_sentence(sentence: str, reason: ErrorReason | None, *, secret: str, host: str) -> str:
    """`sentence` followed by the reason, with the gateway's key, the model server's `host` and every address masked."""
    if reason is None:
        return f"{sentence}."
    return f"{sentence}: {mask_secrets(mask_addresses(mask_host(reason.message, host)), secret)}"


def _find_sentence(value: object, depth: int = 0) -> str | None:
    if isinstance(value, str):
        return _one_line(value)
    if depth < _MAX_DEPTH:
        if isinstance(value, list):
            parts = [
                part for item in value[:_MAX_LISTED_ERRORS] if (part := _listed_error(item, depth + 1)) is not None
            ]
            return "; ".join(parts) or None
        if isinstance(value, dict):
            sentences = (_find_sentence(part, depth + 1) for part in _candidates(value))
            return next((sentence for sentence in sentences if sentence is not None), None)
    return None


def _candidates(value: Mapping[str, Any]) -> Iterator[object]:
    for name in (*_MESSAGE_KEYS, *_ERROR_KEYS):
        # RFC 9457: `title` is less specific than `detail`.
        if name == "title" and value.get("detail"):
            continue
        yield value.get(name)


def _listed_error(item: object, depth: int) -> str | None:
    """One of several errors, prefixed with the field that it concerns."""
    sentence = _find_sentence(item, depth)
    location = item.get("loc") if isinstance(item, dict) else None
    if sentence is None or not isinstance(location, list):
        return sentence
    field = ".".join(str(part) for part in location if part != "body")
    return f"{field}: {sentence}" if field else sentence


def _text_of_body(body: bytes | bytearray) -> str | None:
    text = body[:_TITLE_SEARCH_BYTES].decode(errors="replace")
    if _PAGE.match(text):
        title = _TITLE.search(text)
        text = html.unescape(_MARKUP.sub(" ", title[1] if title else text))
    return _one_line(text)


def _one_line(text: str) -> str | None:
    line = _WHITESPACE.sub(" ", text[:_TITLE_SEARCH_BYTES]).strip()
    return line[:MAX_RAW_REASON_CHARACTERS] if any(letter.isalnum() for letter in line) else None


def _string_or_none(value: object) -> str | None:
    return value[:MAX_RAW_REASON_CHARACTERS] if isinstance(value, str) else None
