"""API keys for the model relay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from datetime import datetime

    from store.values.api_keys import ApiKeyInfo, NewApiKey


class LocalApiKeys(LocalTopic):
    """`ApiKeyService` on the store."""

    async def api_keys(self) -> list[ApiKeyInfo]:
        return await self._call(self._store.api_keys.list)

    async def create_api_key(
        self, name: str, expires_at: datetime | None, spend_limit_micro_usd: int | None
    ) -> NewApiKey:
        return await self._call(
            self._store.api_keys.create,
            name,
            expires_at=expires_at,
            spend_limit_micro_usd=spend_limit_micro_usd,
        )

    async def revoke_api_key(self, key_id: int) -> None:
        await self._call(self._store.api_keys.revoke, key_id)
