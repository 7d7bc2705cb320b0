"""API keys for the model relay."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class LimitPeriod(StrEnum):
    """The period after which a spend limit begins anew (UTC; a week begins on Monday)."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class KeyState(StrEnum):
    """The state of a key at a moment."""

    ACTIVE = "active"
    SPENT = "spent"
    """Its spend limit is used up, until the period ends or the limit is raised."""
    DISABLED = "disabled"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiKeyLimits:
    """The limits of a key. None: no expiry, no limit, every model, every address."""

    expires_at: datetime | None = None
    spend_limit_micro_usd: int | None = None
    limit_period: LimitPeriod = LimitPeriod.NONE
    allowed_models: tuple[str, ...] | None = None
    """Exact names; case counts as little as in prices."""
    allowed_networks: tuple[str, ...] | None = None
    """Networks in CIDR notation (RFC 4632); a single address has the longest prefix."""
    requests_per_minute: int | None = None


class ApiKeyInfo(NamedTuple):
    """A key without the key itself. None means: not revoked, not disabled, never used, never rotated."""

    id: int
    name: str
    last_four: str
    created_at: datetime
    limits: ApiKeyLimits = ApiKeyLimits()
    revoked_at: datetime | None = None
    disabled_at: datetime | None = None
    last_used_at: datetime | None = None
    last_used_ip: str | None = None
    """The address of that use; None if the account did not record addresses then."""
    rotated_at: datetime | None = None
    previous_expires_at: datetime | None = None
    """Until then the key before the last rotation is accepted too; None if it is not accepted any more."""
    spent_micro_usd: int = 0
    """Spent in the current period of the limit; without a period, since the key was created."""
    total_spent_micro_usd: int = 0

    @property
    def expires_at(self) -> datetime | None:
        return self.limits.expires_at

    @property
    def spend_limit_micro_usd(self) -> int | None:
        return self.limits.spend_limit_micro_usd

    def state(self, now: datetime) -> KeyState:
        """The state at `now`, the most final first."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return KeyState.EXPIRED
        if self.disabled_at is not None:
            return KeyState.DISABLED
        limit = self.spend_limit_micro_usd
        return KeyState.SPENT if limit is not None and self.spent_micro_usd >= limit else KeyState.ACTIVE

    def is_usable(self, now: datetime) -> bool:
        """True if the relay accepts the key at `now`. The spend limit is not checked."""
        return self.state(now) in (KeyState.ACTIVE, KeyState.SPENT)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A new secret of a key. It is not stored and cannot be shown again."""

    key: str = field(repr=False)
    info: ApiKeyInfo
