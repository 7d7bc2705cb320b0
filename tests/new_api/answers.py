"""The forms of answers: the envelope with `success`, and the few that are otherwise."""

import json
import threading
from dataclasses import dataclass, field, replace
from typing import Any, Final

JSON: Final = "application/json; charset=utf-8"
PRIVATE: Final = "no-store, no-cache, must-revalidate, private, max-age=0"
_ABSENT: Final = object()


@dataclass(frozen=True)
class Answer:
    """One answer before it is compressed."""

    body: bytes
    status: int = 200
    content_type: str | None = JSON
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[str, ...] = ()
    """Values of Set-Cookie, in order."""
    chunks: tuple[bytes, ...] = field(default=())
    """The body in pieces, for a stream."""
    gate: threading.Event | None = None
    """Behind the first piece the answer waits until this is set."""

    def having(self, status: int | None = None, **headers: str) -> "Answer":
        """The same with further headers; underscores in their names stand for dashes."""
        added = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return replace(self, status=status or self.status, headers=self.headers + added)

    def with_cookies(self, *cookies: str) -> "Answer":
        return replace(self, cookies=self.cookies + cookies)


class Refused(Exception):
    """A handler has an answer before its end."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Panic(Exception):
    """The server's handler crashed: an empty 200 for a client that accepts gzip, 500 for another."""


def encoded(value: Any) -> bytes:
    """JSON as the server writes it: no blanks, and `&`, `<`, `>` escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for mark in "&<>":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text.encode()


def plain(value: Any, status: int = 200) -> Answer:
    """Any value as JSON."""
    return Answer(encoded(value), status)


def done(data: Any = _ABSENT, message: str = "") -> Answer:
    """Success, with `data` unless it is left out."""
    given = {} if data is _ABSENT else {"data": data}
    return plain({**given, "message": message, "success": True})


def failed(message: str, status: int = 200, code: str | None = None) -> Answer:
    """A failure: most have status 200 and no code."""
    given = {} if code is None else {"code": code}
    return plain({**given, "message": message, "success": False}, status)


def page_of(rows: list[Any], number: int, size: int) -> dict[str, Any]:
    """One page of a list, as all lists of the server are paged."""
    start = (number - 1) * size
    return {"page": number, "page_size": size, "total": len(rows), "items": rows[start : start + size]}
