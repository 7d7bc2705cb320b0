"""API keys for the model relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.api_keys import ApiKeyInfo, ApiKeyLimits, NewApiKey


class ApiKeyService(Protocol):
    """Lists, makes and changes keys. A change holds from the next request on."""

    async def api_keys(self) -> list[ApiKeyInfo]:
        """The account's keys, the newest first, with the newest 200 revoked ones. Raises the session errors."""
        ...

    async def create_api_key(self, name: str, limits: ApiKeyLimits) -> NewApiKey:
        """Make a key. The key itself is returned this once.

        Needs a fresh proof. Raises `InvalidLabel`, `InvalidExpiry`, `InvalidMoney`, `InvalidModel`, `InvalidNetwork`
        and `InvalidNumber`, each with its `field`; also `LimitReached` and the session errors.
        """
        ...

    async def edit_api_key(self, seen: ApiKeyInfo, name: str, limits: ApiKeyLimits) -> ApiKeyInfo:
        """Give the key `seen` another name and other limits.

        Needs a fresh proof if it lowers a safeguard: a later expiry, a higher limit, more models, addresses or
        requests. Raises what `create_api_key` raises but `LimitReached`, also `StaleEdit` if it was changed since it
        was seen, and `NoSuchItem` if it was revoked.
        """
        ...

    async def rotate_api_key(self, key_id: int, overlap_minutes: int) -> NewApiKey:
        """Make a new secret for a key, which is returned this once.

        The old one is accepted for `overlap_minutes` more, 0 to 10,080. Needs a fresh proof. Raises `InvalidNumber`
        with its `field`, `NoSuchItem`, and the session errors.
        """
        ...

    async def disable_api_key(self, key_id: int) -> ApiKeyInfo:
        """Refuse a key until it is enabled. Raises `NoSuchItem`, `NotEnabled`, and the session errors."""
        ...

    async def enable_api_key(self, key_id: int) -> ApiKeyInfo:
        """Accept a disabled key again. Needs a fresh proof.

        Raises `NoSuchItem`, `AlreadyEnabled`, and the session errors.
        """
        ...

    async def revoke_api_key(self, key_id: int) -> None:
        """Refuse a key for ever. Raises `NoSuchItem` if it was revoked before, and the session errors."""
        ...

    async def gateway_url(self) -> str:
        """The address that clients of the gateway use, with `/v1`: the site's, or that of `gatekey serve`.

        Raises the session errors.
        """
        ...
