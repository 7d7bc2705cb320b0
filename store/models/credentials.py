"""Tables of an account's credentials: second factor, tokens, keys, passkeys and bindings."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import IDS_NOT_REUSED, Base, BigId, account_key, generated_id


class TwoFactor(Base):
    """The enabled second factor of an account."""

    __tablename__ = "two_factor"
    account_id: Mapped[int] = account_key(primary=True)
    secret_sealed: Mapped[bytes]
    last_step: Mapped[int]
    enabled_at: Mapped[datetime]
    low_codes_noted_at: Mapped[datetime | None]
    """The time of the warning about few backup codes; None before it, and again with new codes."""


class TwoFactorSetup(Base):
    """A pending enrolment of a second factor."""

    __tablename__ = "two_factor_setups"
    account_id: Mapped[int] = account_key(primary=True)
    secret_sealed: Mapped[bytes]
    code_hashes: Mapped[list[str]]
    saved_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class BackupCode(Base):
    """A backup recovery code, stored as a hash."""

    __tablename__ = "backup_codes"
    __table_args__ = IDS_NOT_REUSED
    id: Mapped[int] = generated_id()
    account_id: Mapped[int] = account_key()
    code_hash: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AccessToken(Base):
    """The System Access Token of an account, stored as a hash."""

    __tablename__ = "access_tokens"
    account_id: Mapped[int] = account_key(primary=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    last_four: Mapped[str]
    generation: Mapped[int]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class ApiKey(Base):
    """An API key, stored as a hash."""

    __tablename__ = "api_keys"
    id: Mapped[int] = generated_id()
    account_id: Mapped[int] = account_key()
    name: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    last_four: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    spend_limit_micro_usd: Mapped[int | None]
    spent_micro_usd: Mapped[int]
    held_micro_usd: Mapped[int]


class Passkey(Base):
    """A passkey (WebAuthn level 3)."""

    __tablename__ = "passkeys"
    __table_args__ = (UniqueConstraint("account_id", "label_key"), IDS_NOT_REUSED)
    id: Mapped[int] = generated_id()
    account_id: Mapped[int] = account_key()
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    label: Mapped[str]
    label_key: Mapped[str]
    aaguid: Mapped[str]
    transports: Mapped[list[str]]
    backed_up: Mapped[bool]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    flagged_at: Mapped[datetime | None]


class PasskeyCeremony(Base):
    """A ceremony that runs in the user's browser while the console waits."""

    __tablename__ = "passkey_ceremonies"
    __table_args__ = IDS_NOT_REUSED
    id: Mapped[int] = generated_id()
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("sessions.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    ticket_hash: Mapped[bytes] = mapped_column(unique=True)
    label: Mapped[str]
    source: Mapped[str]
    challenge: Mapped[bytes | None]
    expires_at: Mapped[datetime]
    state: Mapped[str]
    failure: Mapped[str]


class Provider(Base):
    """An identity provider that the administrator has added."""

    __tablename__ = "providers"
    id: Mapped[int] = generated_id()
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str]
    client_secret_sealed: Mapped[bytes | None]
    created_at: Mapped[datetime]


class Binding(Base):
    """An identity of a provider, bound to an account."""

    __tablename__ = "bindings"
    __table_args__ = (
        UniqueConstraint("provider_id", "subject"),
        UniqueConstraint("account_id", "provider_id"),
        IDS_NOT_REUSED,
    )
    id: Mapped[int] = generated_id()
    account_id: Mapped[int] = account_key()
    provider_id: Mapped[int] = mapped_column(BigId, ForeignKey("providers.id", ondelete="CASCADE"))
    subject: Mapped[str]
    display: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
