"""ASGI middleware that limits the size of request bodies."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.paths import RELAY_PREFIX, is_relayed
from gateway.problems import HttpProblem

MAX_RELAY_BODY_BYTES: Final = 32 * 1024 * 1024
"""Chat requests may contain pictures."""
MAX_FILE_BODY_BYTES: Final = 513 * 1024 * 1024
"""Uploads are passed on without being kept. The administrator's `limits.file_mib` is at most 512."""
_FILES_PATH: Final = f"{RELAY_PREFIX}/files"
MAX_BODY_BYTES: Final = 64 * 1024
"""For every path outside the relay."""


class BodyLimit:
    """Reading a body beyond the limit raises `HttpProblem` 413 inside the wrapped application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = _limit_of(scope["path"])
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        is_too_long = not announced.isdigit() or len(announced) > 15 or int(announced) > limit
        read = 0

        async def receive_limited() -> Message:
            nonlocal read
            if is_too_long:
                raise _too_long(limit)
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise _too_long(limit)
            return message

        await self._app(scope, receive_limited, send)


def _limit_of(path: str) -> int:
    if path == _FILES_PATH:
        return MAX_FILE_BODY_BYTES
    return MAX_RELAY_BODY_BYTES if is_relayed(path) else MAX_BODY_BYTES


def _too_long(limit: int) -> HttpProblem:
    return HttpProblem(413, f"The body is longer than {limit // 1024} KiB.", headers={"Connection": "close"})
