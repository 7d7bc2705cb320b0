"""Tables of an account's credentials: second factor, tokens, keys, passkeys and bindings."""

from datetime import datetime
from typing import Final

from sqlalchemy import JSON, Boolean, Column, ForeignKey, LargeBinary, Named, Table, Text, UniqueConstraint

from store.models.base import IDS_NOT_REUSED, METADATA, BigId, Columns, UtcDateTime, account_key, generated_id


class TwoFactorColumns(Columns):
    """The enabled second factor of an account."""

    account_id = account_key(primary=True)
    secret_sealed: Named[bytes] = Column(LargeBinary)
    last_step: Named[int] = Column(BigId)
    enabled_at: Named[datetime] = Column(UtcDateTime)
    low_codes_noted_at: Named[datetime | None] = Column(UtcDateTime)
    """The time of the warning about few backup codes; None before it, and again with new codes."""


TwoFactor: Final = Table("two_factor", METADATA, TwoFactorColumns)


class TwoFactorSetupColumns(Columns):
    """A pending enrolment of a second factor."""

    account_id = account_key(primary=True)
    secret_sealed: Named[bytes] = Column(LargeBinary)
    code_hashes: Named[list[str]] = Column(JSON)
    saved_at: Named[datetime | None] = Column(UtcDateTime)
    expires_at: Named[datetime] = Column(UtcDateTime)


TwoFactorSetup: Final = Table("two_factor_setups", METADATA, TwoFactorSetupColumns)


class BackupCodeColumns(Columns):
    """A backup recovery code, stored as a hash."""

    id = generated_id()
    account_id = account_key()
    code_hash: Named[str] = Column(Text)
    created_at: Named[datetime] = Column(UtcDateTime)
    used_at: Named[datetime | None] = Column(UtcDateTime)


BackupCode: Final = Table("backup_codes", METADATA, BackupCodeColumns, **IDS_NOT_REUSED)


class AccessTokenColumns(Columns):
    """The System Access Token of an account, stored as a hash."""

    account_id = account_key(primary=True)
    token_hash: Named[bytes] = Column(LargeBinary, unique=True)
    last_four: Named[str] = Column(Text)
    generation: Named[int] = Column(BigId)
    created_at: Named[datetime] = Column(UtcDateTime)
    last_used_at: Named[datetime | None] = Column(UtcDateTime)


AccessToken: Final = Table("access_tokens", METADATA, AccessTokenColumns)


class ApiKeyColumns(Columns):
    """An API key, stored as a hash."""

    id = generated_id()
    account_id = account_key()
    name: Named[str] = Column(Text)
    key_hash: Named[bytes] = Column(LargeBinary, unique=True)
    last_four: Named[str] = Column(Text)
    created_at: Named[datetime] = Column(UtcDateTime)
    expires_at: Named[datetime | None] = Column(UtcDateTime)
    revoked_at: Named[datetime | None] = Column(UtcDateTime)
    last_used_at: Named[datetime | None] = Column(UtcDateTime)
    spend_limit_micro_usd: Named[int | None] = Column(BigId)
    spent_micro_usd: Named[int] = Column(BigId)
    """Spent since the key was created."""
    held_micro_usd: Named[int] = Column(BigId)
    limit_period: Named[str] = Column(Text, server_default="none")
    """The period after which the spend limit begins anew: none, daily, weekly or monthly (UTC)."""
    period_started_at: Named[datetime | None] = Column(UtcDateTime)
    """The begin of the period that `period_spent_micro_usd` belongs to; an earlier period than today's counts as 0."""
    period_spent_micro_usd: Named[int] = Column(BigId, server_default="0")
    allowed_models: Named[list[str] | None] = Column(JSON(none_as_null=True))
    """None: every model."""
    allowed_networks: Named[list[str] | None] = Column(JSON(none_as_null=True))
    """Networks in CIDR notation (RFC 4632). None: every address."""
    requests_per_minute: Named[int | None] = Column(BigId)
    minute_started_at: Named[datetime | None] = Column(UtcDateTime)
    minute_requests: Named[int] = Column(BigId, server_default="0")
    disabled_at: Named[datetime | None] = Column(UtcDateTime)
    last_used_ip: Named[str | None] = Column(Text)
    """Stored only while the account records client addresses."""
    rotated_at: Named[datetime | None] = Column(UtcDateTime)
    previous_key_hash: Named[bytes | None] = Column(LargeBinary, index=True, unique=True)
    """The key before the last rotation, which is accepted until `previous_expires_at`."""
    previous_expires_at: Named[datetime | None] = Column(UtcDateTime)


ApiKey: Final = Table("api_keys", METADATA, ApiKeyColumns)


class PasskeyColumns(Columns):
    """A passkey (WebAuthn level 3)."""

    id = generated_id()
    account_id = account_key()
    credential_id: Named[bytes] = Column(LargeBinary, unique=True)
    public_key: Named[bytes] = Column(LargeBinary)
    sign_count: Named[int] = Column(BigId)
    label: Named[str] = Column(Text)
    label_key: Named[str] = Column(Text)
    aaguid: Named[str] = Column(Text)
    transports: Named[list[str]] = Column(JSON)
    backed_up: Named[bool] = Column(Boolean)
    created_at: Named[datetime] = Column(UtcDateTime)
    last_used_at: Named[datetime | None] = Column(UtcDateTime)
    flagged_at: Named[datetime | None] = Column(UtcDateTime)


Passkey: Final = Table(
    "passkeys", METADATA, PasskeyColumns, UniqueConstraint("account_id", "label_key"), **IDS_NOT_REUSED
)


class PasskeyCeremonyColumns(Columns):
    """A ceremony that runs in the user's browser while the console waits."""

    id = generated_id()
    account_id: Named[int | None] = Column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    session_id: Named[int | None] = Column(BigId, ForeignKey("sessions.id", ondelete="CASCADE"))
    purpose: Named[str] = Column(Text)
    code_hash: Named[bytes] = Column(LargeBinary, unique=True)
    ticket_hash: Named[bytes] = Column(LargeBinary, unique=True)
    label: Named[str] = Column(Text)
    source: Named[str] = Column(Text)
    challenge: Named[bytes | None] = Column(LargeBinary)
    expires_at: Named[datetime] = Column(UtcDateTime)
    state: Named[str] = Column(Text)
    failure: Named[str] = Column(Text)


PasskeyCeremony: Final = Table("passkey_ceremonies", METADATA, PasskeyCeremonyColumns, **IDS_NOT_REUSED)


class ProviderColumns(Columns):
    """An identity provider that the administrator has added."""

    id = generated_id()
    slug: Named[str] = Column(Text, unique=True)
    name: Named[str] = Column(Text)
    kind: Named[str] = Column(Text)
    issuer: Named[str] = Column(Text)
    client_id: Named[str] = Column(Text)
    client_secret_sealed: Named[bytes | None] = Column(LargeBinary)
    created_at: Named[datetime] = Column(UtcDateTime)


Provider: Final = Table("providers", METADATA, ProviderColumns)


class BindingColumns(Columns):
    """An identity of a provider, bound to an account."""

    id = generated_id()
    account_id = account_key()
    provider_id: Named[int] = Column(BigId, ForeignKey("providers.id", ondelete="CASCADE"))
    subject: Named[str] = Column(Text)
    display: Named[str] = Column(Text)
    created_at: Named[datetime] = Column(UtcDateTime)
    last_used_at: Named[datetime | None] = Column(UtcDateTime)


Binding: Final = Table(
    "bindings",
    METADATA,
    BindingColumns,
    UniqueConstraint("provider_id", "subject"),
    UniqueConstraint("account_id", "provider_id"),
    **IDS_NOT_REUSED,
)
