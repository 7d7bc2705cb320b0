"""The password, and the System Access Token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from store.errors import NotOnThisServer
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from store.strength import Strength
    from store.values.access_token import NewAccessToken


class RemotePasswords(RemoteTopic):
    """`PasswordService` and `AccessTokenService` on a server."""

    async def estimate_password(self, password: str, *known_words: str) -> Strength:
        from store.strength import estimate

        return await asyncio.to_thread(estimate, password, known_words)

    async def minimum_password_length(self) -> int:
        from remote.passwords import SHORTEST

        return SHORTEST

    async def check_new_password(self, password: str, *known_words: str) -> None:  # noqa: ARG002 (the protocol's)
        from remote.passwords import check

        check(password, field="new-password")

    async def change_password(self, original: str, new: str, confirmation: str) -> None:
        self._check_open()
        await self._client.passwords.change(original, new, confirmation)

    async def generate_access_token(self) -> NewAccessToken:
        self._check_open()
        return await self._client.access_tokens.rotate()

    async def revoke_access_token(self) -> None:
        raise NotOnThisServer
