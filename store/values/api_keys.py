"""API keys for the model relay."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ApiKeyInfo:
    """A key without the key itself. None means: no expiry, not revoked, never used, no spend limit."""

    id: int
    name: str
    last_four: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    spend_limit_micro_usd: int | None
    spent_micro_usd: int

    def is_usable(self, now: datetime) -> bool:
        """True if the relay accepts the key at `now`. The spend limit is not checked."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A new key. It is not stored and cannot be shown again."""

    key: str = field(repr=False)
    info: ApiKeyInfo
