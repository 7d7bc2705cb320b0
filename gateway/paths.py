"""One spelling for each path: empty segments count for nothing, wherever they stand.

Clients that are given `https://host/` as their base ask for `//v1/chat/completions`, and others end every path in a
slash. They are served as they meant it, without a redirect, which a client would follow without its key.
"""

import re
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

_MODEL: Final = re.compile(r"/+v1/+models/(.*[^/].*)", re.DOTALL)


def one_spelling(path: str) -> str:
    """`path` without empty segments. The name of a model may hold slashes, so it is left as it is."""
    if "//" not in path and (path == "/" or not path.endswith("/")):
        return path
    if model := _MODEL.fullmatch(path):
        return f"/v1/models/{model[1]}"
    return "/" + "/".join(segment for segment in path.split("/") if segment)


class OneSpelling:
    """Wraps an application that knows each path in one spelling."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": one_spelling(scope["path"])}
        await self._app(scope, receive, send)
