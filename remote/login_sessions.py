"""The sessions of an account, which AUG lists and ends. FEB knows of none."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from remote.calls import Calls
from remote.fields import fields_of, objects_of
from remote.generations import KnownServer
from store.errors import NoSuchItem, NotOnThisServer, ServerRefused

SESSIONS_PATH: Final = "/api/user/sessions"
NOT_LISTED: Final = "This server keeps no list of sessions. A sign-in lasts up to 30 days, also after a new password."


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One session."""

    session_id: str = field(repr=False)
    is_current: bool
    method: str
    source: str
    """The address it was opened from."""
    user_agent: str
    created_at: datetime | None
    last_active_at: datetime | None
    expires_at: datetime | None


class LoginSessions:
    """Lists and ends sessions."""

    def __init__(self, calls: Calls, server: KnownServer) -> None:
        self._calls = calls
        self._server = server

    async def all(
        self,
    ) -> tuple[LoginSession, ...]:
        """Every session, the one of this console first. Raises `NotOnThisServer` and the session errors."""
        facts = await self._server.facts()
        if facts.is_feb:
            raise NotOnThisServer(NOT_LISTED)
        found = [
            LoginSession(
                one.raw_text("sid"),
                one.flag("current"),
                one.text("login_method", 80),
                one.text("ip", 80),
                one.text("user_agent", 300),
                one.time("created_at"),
                one.time("last_active_at"),
                one.time("expires_at"),
            )
            for one in objects_of(await self._calls.read(SESSIONS_PATH))
            if _is_path_part(one.raw_text("sid"))
        ]
        return tuple(sorted(found, key=lambda one: not one.is_current))

    async def end(self, session_id: str) -> None:
        """End one session. Raises `NoSuchItem` if it has ended, `NotOnThisServer` and the session errors."""
        if not _is_path_part(session_id):
            raise NoSuchItem
        try:
            await self._calls.change("DELETE", f"{SESSIONS_PATH}/{session_id}", is_repeatable=True)
        except ServerRefused as error:
            raise NoSuchItem from error

    async def end_others(self) -> int:
        """End every other session; returns how many. Raises `NotOnThisServer` and the session errors."""
        reply = await self._calls.change("POST", f"{SESSIONS_PATH}/revoke-others")
        return fields_of(reply.data).whole("revoked_count")


def _is_path_part(text: str) -> bool:
    return 0 < len(text) <= 128 and text.isascii() and all(letter.isalnum() or letter in "-_" for letter in text)
