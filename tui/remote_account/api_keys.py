"""API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from store.errors import NoSuchItem, NotOnThisServer
from store.values.capabilities import UNKNOWN_TIME
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from remote.api_keys import KeyForm, RemoteKey
    from store.values.api_keys import ApiKeyInfo, ApiKeyLimits, NewApiKey


class RemoteApiKeys(RemoteTopic):
    """`ApiKeyService` on a server. A limit is what the key has spent and what it may still spend, together."""

    _listed: tuple[RemoteKey, ...] = ()
    """The keys as they were read last."""

    async def api_keys(self) -> list[ApiKeyInfo]:
        self._check_open()
        self._listed = await self._client.api_keys.all()
        return [_info(key) for key in self._listed]

    async def create_api_key(self, name: str, limits: ApiKeyLimits) -> NewApiKey:
        from store.values.api_keys import NewApiKey

        self._check_open()
        made, secret = await self._client.api_keys.create(_form(name, limits, None), self._now())
        return NewApiKey(secret, _info(made))

    async def edit_api_key(self, seen: ApiKeyInfo, name: str, limits: ApiKeyLimits) -> ApiKeyInfo:
        self._check_open()
        key = next((key for key in self._listed if key.id == seen.id), None)
        if key is None:
            raise NoSuchItem
        return _info(await self._client.api_keys.edit(key, _form(name, limits, key), self._now()))

    async def rotate_api_key(self, *_: Any) -> NewApiKey:
        raise NotOnThisServer

    async def disable_api_key(self, key_id: int) -> ApiKeyInfo:
        self._check_open()
        return _info(await self._client.api_keys.set_enabled(key_id, enabled=False))

    async def enable_api_key(self, key_id: int) -> ApiKeyInfo:
        self._check_open()
        return _info(await self._client.api_keys.set_enabled(key_id, enabled=True))

    async def revoke_api_key(self, key_id: int) -> None:
        self._check_open()
        await self._client.api_keys.delete(key_id)

    async def gateway_url(self) -> str:
        return f"{self._address.url}/v1"


def _info(key: RemoteKey) -> ApiKeyInfo:
    from store.values.api_keys import ApiKeyInfo, ApiKeyLimits

    limit = None if key.remaining_micro_usd is None else key.used_micro_usd + max(0, key.remaining_micro_usd)
    return ApiKeyInfo(
        id=key.id,
        name=key.name,
        last_four=key.last_four,
        created_at=key.created_at or UNKNOWN_TIME,
        limits=ApiKeyLimits(
            expires_at=key.expires_at,
            spend_limit_micro_usd=limit,
            allowed_models=key.models,
            allowed_networks=key.networks,
        ),
        disabled_at=None if key.is_enabled else UNKNOWN_TIME,
        last_used_at=key.last_used_at,
        spent_micro_usd=key.used_micro_usd,
        total_spent_micro_usd=key.used_micro_usd,
    )


def _form(name: str, limits: ApiKeyLimits, key: RemoteKey | None) -> KeyForm:
    from remote.api_keys import KeyForm

    limit, remaining = limits.spend_limit_micro_usd, None
    if limit is not None:
        used = 0 if key is None else key.used_micro_usd
        is_same = key is not None and key.remaining_micro_usd is not None and limit == used + key.remaining_micro_usd
        remaining = key.remaining_micro_usd if key is not None and is_same else max(0, limit - used)
    return KeyForm(
        name=name,
        expires_at=limits.expires_at,
        remaining_micro_usd=remaining,
        models=limits.allowed_models,
        networks=limits.allowed_networks,
        group="" if key is None else key.group,
    )
