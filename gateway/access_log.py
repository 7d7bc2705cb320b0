"""One line per request, and nothing in it that its sender or the account's owner would not want there.

The client's address is written only for an account that records addresses; without an account there is none. No
query, no header, no body: a secret could stand in each. A path may hold one by mistake, so it is masked.
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
"""Wherever it begins: what stands before a secret by mistake may be anything."""
_MAX_PATH_CHARACTERS: Final = 200
_MAX_METHOD_CHARACTERS: Final = 20


def note_account(scope: Scope, *, account_id: int, address: str | None) -> None:
    """Say whose request this was, and its client's address if that account records addresses, else None."""
    scope.setdefault(_SCOPE_KEY, {}).update(account=account_id, address=address)


class AccessLog:
    """Wraps an application and logs each of its responses when it is complete."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not LOGGER.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        scope[_SCOPE_KEY] = {}

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            LOGGER.info("%s", log_line(scope, status, time.perf_counter() - started))


def log_line(scope: Scope, status: int, seconds: float) -> str:
    """The line for one request; `status` 0 says that no answer was begun."""
    who = scope.get(_SCOPE_KEY, {})
    address = who.get("address")
    path = _column(_SECRET.sub(r"\1…", scope["path"]), _MAX_PATH_CHARACTERS)
    return (
        f"{_column(scope['method'], _MAX_METHOD_CHARACTERS)} {path} {status or '-'} {seconds * 1000:.1f}ms "
        f"account={who.get('account', '-')} client={address or '-'}"
    )


def _column(text: str, limit: int) -> str:
    # Columns are told apart by spaces.
    return sanitize(text, limit).replace(" ", "%20")
