"""The access log: one line per request, without secrets.

The client's address appears only for an account that records addresses. Query, headers and body never appear, because
each may contain a secret. A path may contain one by mistake, so it is masked.
"""

import logging
import re
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store.text import sanitize

LOGGER: Final = logging.getLogger("gatekey.access")
_SCOPE_KEY: Final = "gatekey.logged"
_SECRET: Final = re.compile(r"(gk_|sk-|whsec_)[0-9A-Za-z_\-+/=]{6,}")
"""Matches anywhere in a path: a mistyped URL may have any text before a secret."""
_MAX_PATH_CHARACTERS: Final = 200
_MAX_METHOD_CHARACTERS: Final = 20


def note_account(scope: Scope, *, account_id: int, address: str | None) -> None:
    """Add the account to the log line of this request; `address` is None unless the account records addresses."""
    scope.setdefault(_SCOPE_KEY, {}).update(account=account_id, address=address)


class AccessLog:
    """ASGI middleware that logs each request when its response is complete."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not LOGGER.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        scope[_SCOPE_KEY] = {}

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note_status)
        finally:
            _log(log_line(scope, status, time.perf_counter() - started))


def _log(line: str) -> None:
    # `LOGGER.info` would also look for the place of its caller, which no line names.
    LOGGER.handle(LOGGER.makeRecord(LOGGER.name, logging.INFO, __file__, 0, line, (), None))


def log_line(scope: Scope, status: int, seconds: float) -> str:
    """The line for one request. `status` 0 means that no response was started."""
    account = scope.get(_SCOPE_KEY, {})
    address = account.get("address")
    path = _column(_SECRET.sub(r"\1…", scope["path"]), _MAX_PATH_CHARACTERS)
    return (
        f"{_column(scope['method'], _MAX_METHOD_CHARACTERS)} {path} {status or '-'} {seconds * 1000:.1f}ms "
        f"account={account.get('account', '-')} client={address or '-'}"
    )


def _column(text: str, limit: int) -> str:
    # Spaces separate the columns.
    return sanitize(text, limit).replace(" ", "%20")
