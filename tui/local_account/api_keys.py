"""API keys for the model relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.values.api_keys import ApiKeyInfo, ApiKeyLimits, NewApiKey

_RELAY_PATH: Final = "/v1"
_SERVED_URL: Final = "http://127.0.0.1:8787"
"""The address of `gatekey serve` without options."""


class LocalApiKeys(LocalTopic):
    """`ApiKeyService` on the store."""

    async def api_keys(self) -> list[ApiKeyInfo]:
        return await self._call(self._store.api_keys.list)

    async def create_api_key(self, name: str, limits: ApiKeyLimits) -> NewApiKey:
        return await self._call(self._store.api_keys.create, name, limits)

    async def edit_api_key(self, seen: ApiKeyInfo, name: str, limits: ApiKeyLimits) -> ApiKeyInfo:
        return await self._call(self._store.api_keys.edit, seen.id, name, limits, expected=seen)

    async def rotate_api_key(self, key_id: int, overlap_minutes: int) -> NewApiKey:
        return await self._call(self._store.api_keys.rotate, key_id, overlap_minutes=overlap_minutes)

    async def disable_api_key(self, key_id: int) -> ApiKeyInfo:
        return await self._call(self._store.api_keys.disable, key_id)

    async def enable_api_key(self, key_id: int) -> ApiKeyInfo:
        return await self._call(self._store.api_keys.enable, key_id)

    async def revoke_api_key(self, key_id: int) -> None:
        await self._call(self._store.api_keys.revoke, key_id)

    async def gateway_url(self) -> str:
        def read(_: str) -> str:
            return (self._store.site.text("public_url").rstrip("/") or _SERVED_URL) + _RELAY_PATH

        return await self._call(read)
