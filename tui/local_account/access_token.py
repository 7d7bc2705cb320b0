"""The System Access Token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.values.access_token import NewAccessToken


class LocalAccessToken(LocalTopic):
    """`AccessTokenService` on the store."""

    async def generate_access_token(self) -> NewAccessToken:
        return await self._call(self._store.access_token.generate)

    async def revoke_access_token(self) -> None:
        await self._call(self._store.access_token.revoke)
