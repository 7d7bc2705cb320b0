"""Request paths: the prefix of the relay, and normalization, which removes empty segments.

A client whose base URL is `https://host/` requests `//v1/chat/completions`; others end every path in a slash. Both are
served without a redirect, because a client would follow a redirect without its key.
"""

import re
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

RELAY_PREFIX: Final = "/v1"
"""Prefix of every relayed path, as in OpenAI's base URL."""
RELAY_REQUEST_LINE: Final = re.compile(rb"[!-~]{1,20} /+%b/" % RELAY_PREFIX[1:].encode())
"""The start of a relayed request before its path is normalized."""
_RELAY_START: Final = f"{RELAY_PREFIX}/"
_MESSAGES_PATH: Final = f"{RELAY_PREFIX}/messages"
_MODEL_PATH: Final = re.compile(rf"/+{RELAY_PREFIX[1:]}/+models/(.*[^/].*)", re.DOTALL)


def is_relayed(path: str) -> bool:
    """True if a normalized `path` belongs to the relay."""
    return path.startswith(_RELAY_START)


def is_anthropic(path: str) -> bool:
    """True if a normalized `path` is one of Anthropic's API, whose clients expect other headers and errors."""
    return path.startswith(_MESSAGES_PATH) and path[len(_MESSAGES_PATH) :][:1] in ("", "/")


def normalized_path(path: str) -> str:
    """`path` without empty segments. A model's name may contain slashes, so it is kept as it is."""
    if "//" not in path and (path == "/" or not path.endswith("/")):
        return path
    if model := _MODEL_PATH.fullmatch(path):
        return f"{RELAY_PREFIX}/models/{model[1]}"
    return "/" + "/".join(segment for segment in path.split("/") if segment)


class PathNormalization:
    """ASGI middleware that normalizes the path of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": normalized_path(scope["path"])}
        await self._app(scope, receive, send)
