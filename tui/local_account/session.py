"""The session of this console, and the account's other sessions."""

from __future__ import annotations

import asyncio

from tui.local_account.topic import LocalTopic


class LocalSession(LocalTopic):
    """`SessionService` on the store."""

    async def sign_out(self) -> None:
        if not self._session.is_empty:
            await asyncio.to_thread(self._session.end, self._store.sessions.end)

    async def lock(self) -> None:
        await self._call_without_session(self._store.sessions.lock, self._token)

    async def prove_with_password(self, password: str) -> None:
        await self._call(self._store.sign_in.prove_with_password, password)

    async def prove_with_code(self, code: str) -> None:
        await self._call(self._store.sign_in.prove_with_code, code)

    async def sign_out_others(self) -> int:
        return await self._call(self._store.sessions.sign_out_others)

    async def revoke_session(self, session_id: int) -> None:
        await self._call(self._store.sessions.revoke, session_id)
