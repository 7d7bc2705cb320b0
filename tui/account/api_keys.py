"""API keys for the model relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from store.values.api_keys import ApiKeyInfo, NewApiKey


class ApiKeyService(Protocol):
    """Lists, makes and revokes keys."""

    async def api_keys(self) -> list[ApiKeyInfo]:
        """The account's keys, the newest first; revoked ones stay listed. Raises the session errors."""
        ...

    async def create_api_key(
        self, name: str, expires_at: datetime | None, spend_limit_micro_usd: int | None
    ) -> NewApiKey:
        """Make a key; None means no expiry, or no spend limit (micro-USD). The key itself is returned this once.

        Needs a fresh proof. Raises `InvalidLabel`, `InvalidExpiry` and `InvalidMoney`, each with its `field`; also
        `LimitReached` and the session errors.
        """
        ...

    async def revoke_api_key(self, key_id: int) -> None:
        """Revoke a key. Raises `NoSuchItem` if it was revoked before, and the session errors."""
        ...
