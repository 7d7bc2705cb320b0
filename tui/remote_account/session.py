"""The sessions of an account, and a lock of the console's own, which a sign-in opens again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.errors import NoSuchItem, NotEnabled, SessionEnded, WrongCredentials, WrongOriginalPassword
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from store.values.sessions import SessionInfo


class RemoteSession(RemoteTopic):
    """`SessionService` on a server, which knows no lock: the console refuses by itself until a proof."""

    async def sign_out(self) -> None:
        self._is_locked, self._code = False, ""
        if self._connected is not None:
            await self._connected.sign_out()

    async def lock(self) -> None:
        if not self._client.is_signed_in:
            raise SessionEnded
        self._is_locked, self._code = True, ""

    async def prove_with_password(self, password: str) -> None:
        """Sign in once more with the same name. The server counts it as a sign-in."""
        if not self._client.is_signed_in:
            raise SessionEnded
        try:
            await self._client.sign_in_again(password)
        except WrongCredentials as error:
            raise WrongOriginalPassword from error
        self._is_locked = False

    async def prove_with_code(self, code: str) -> None:
        """Keep the code for the act that asked for it: the server checks it together with that."""
        if self._is_locked:
            raise NotEnabled("The server checks no code by itself. Enter your password.", field="code")
        self._code = code

    async def sign_out_others(self) -> int:
        self._check_open()
        return await self._client.login_sessions.end_others()

    async def revoke_session(self, session_id: int) -> None:
        self._check_open()
        known = next((sid for sid, number in self._numbers.items() if number == session_id), None)
        if known is None:
            raise NoSuchItem
        await self._client.login_sessions.end(known)

    async def _sessions(self) -> tuple[SessionInfo, ...]:
        """The sessions, where the server lists them. A System Access Token may not ask."""
        from store.values.sessions import SessionInfo

        if self._known.is_feb or self._client.signed_in_with_token:
            return ()
        numbers, now = self._numbers, self._now()
        return tuple(
            SessionInfo(
                numbers.setdefault(one.session_id, len(numbers) + 1),
                one.is_current,
                one.method,
                one.source,
                one.created_at or now,
                one.last_active_at or now,
            )
            for one in await self._client.login_sessions.all()
        )
