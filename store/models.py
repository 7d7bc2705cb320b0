"""The tables. Every row about a person hangs on `accounts` with ON DELETE CASCADE."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from store.errors import DatabaseDamaged

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005")
"""Every Alembic revision, oldest first."""
SCHEMA_REVISION: Final = REVISIONS[-1]
"""The Alembic revision this program reads and writes."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC and read back in UTC. A naive one is refused with `ValueError`."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """As SQLAlchemy's own, but text that is no time is a `DatabaseDamaged`: SQLite stores any text."""
        read = super().result_processor(dialect, coltype)
        if read is None:
            return None

        def read_or_refuse(value: Any) -> Any:
            try:
                return read(value)
            except (ValueError, TypeError) as error:
                raise DatabaseDamaged from error

        return read_or_refuse


BigId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite gives row ids only to a column declared INTEGER."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read once by SQLAlchemy when the class is made
        datetime: UtcDateTime(),
        str: Text(),
        int: BigInteger().with_variant(Integer(), "sqlite"),
        bytes: LargeBinary(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
    }


def _account_key(*, primary: bool = False) -> Mapped[int]:
    return mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=primary, index=not primary)


def _id() -> Mapped[int]:
    return mapped_column(BigId, primary_key=True, autoincrement=True)


_IDS_ARE_NEVER_USED_AGAIN: Final = {"sqlite_autoincrement": True}
"""For rows whose id is handed out or bound into a sealed value: SQLite would give the next row a deleted one's."""


class Meta(Base):
    """One value per name: the check value of the key ring."""

    __tablename__ = "meta"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]


# -- people -----------------------------------------------------------------------------------------------------


class Account(Base):
    __tablename__ = "accounts"
    __table_args__ = _IDS_ARE_NEVER_USED_AGAIN
    id: Mapped[int] = _id()
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str | None]
    password_changed_at: Mapped[datetime | None]
    auth_epoch: Mapped[int]
    """Raised by every change of credentials; a session of another epoch is dead."""
    user_handle: Mapped[bytes] = mapped_column(unique=True)
    """64 random bytes that name the account to authenticators (WebAuthn level 3, 14.6.1)."""
    created_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    """When an administrator suspended it; None while it may be used."""


class Session(Base):
    __tablename__ = "sessions"
    __table_args__ = _IDS_ARE_NEVER_USED_AGAIN
    id: Mapped[int] = _id()
    account_id: Mapped[int] = _account_key()
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    epoch: Mapped[int]
    method: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime]
    last_active_at: Mapped[datetime]
    proof_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]


class PendingSignIn(Base):
    """A first factor was right; the second is awaited."""

    __tablename__ = "pending_sign_ins"
    id: Mapped[int] = _id()
    account_id: Mapped[int] = _account_key()
    ticket_hash: Mapped[bytes] = mapped_column(unique=True)
    epoch: Mapped[int]
    method: Mapped[str]
    source: Mapped[str]
    expires_at: Mapped[datetime]


class Throttle(Base):
    """Failures in a row of one factor of one name, known or not."""

    __tablename__ = "throttles"
    bucket: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class RateWindow(Base):
    """Tries from one source in the current window."""

    __tablename__ = "rate_windows"
    bucket: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    hits: Mapped[int]


class TwoFactor(Base):
    __tablename__ = "two_factor"
    account_id: Mapped[int] = _account_key(primary=True)
    secret_sealed: Mapped[bytes]
    last_step: Mapped[int]
    enabled_at: Mapped[datetime]
    low_codes_noted_at: Mapped[datetime | None]
    """When the owner was told that few backup codes are left; None again with new ones."""


class TwoFactorSetup(Base):
    """An enrolment under way: nothing is on until its code verifies."""

    __tablename__ = "two_factor_setups"
    account_id: Mapped[int] = _account_key(primary=True)
    secret_sealed: Mapped[bytes]
    code_hashes: Mapped[list[str]]
    saved_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class BackupCode(Base):
    __tablename__ = "backup_codes"
    __table_args__ = _IDS_ARE_NEVER_USED_AGAIN
    id: Mapped[int] = _id()
    account_id: Mapped[int] = _account_key()
    code_hash: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AccessToken(Base):
    __tablename__ = "access_tokens"
    account_id: Mapped[int] = _account_key(primary=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    last_four: Mapped[str]
    generation: Mapped[int]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class ApiKey(Base):
    __tablename__ = "api_keys"
    id: Mapped[int] = _id()
    account_id: Mapped[int] = _account_key()
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
    __tablename__ = "passkeys"
    __table_args__ = (UniqueConstraint("account_id", "label_key"), _IDS_ARE_NEVER_USED_AGAIN)
    id: Mapped[int] = _id()
    account_id: Mapped[int] = _account_key()
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
    """A registration or sign-in that runs in the user's browser while the console waits."""

    __tablename__ = "passkey_ceremonies"
    __table_args__ = _IDS_ARE_NEVER_USED_AGAIN
    id: Mapped[int] = _id()
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
    __tablename__ = "providers"
    id: Mapped[int] = _id()
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str]
    client_secret_sealed: Mapped[bytes | None]
    created_at: Mapped[datetime]


class Binding(Base):
    __tablename__ = "bindings"
    __table_args__ = (
        UniqueConstraint("provider_id", "subject"),
        UniqueConstraint("account_id", "provider_id"),
        _IDS_ARE_NEVER_USED_AGAIN,
    )
    id: Mapped[int] = _id()
    account_id: Mapped[int] = _account_key()
    provider_id: Mapped[int] = mapped_column(BigId, ForeignKey("providers.id", ondelete="CASCADE"))
    subject: Mapped[str]
    display: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


# -- settings ---------------------------------------------------------------------------------------------------


class NotificationSettingsRow(Base):
    __tablename__ = "notification_settings"
    account_id: Mapped[int] = _account_key(primary=True)
    version: Mapped[int]
    threshold_micro_usd: Mapped[int]
    email_on: Mapped[bool]
    email_address: Mapped[str]
    webhook_on: Mapped[bool]
    webhook_url: Mapped[str]
    webhook_secret_sealed: Mapped[bytes | None]
    bark_on: Mapped[bool]
    bark_url_sealed: Mapped[bytes | None]
    bark_encryption_key_sealed: Mapped[bytes | None]
    gotify_on: Mapped[bool]
    gotify_url: Mapped[str]
    gotify_token_sealed: Mapped[bytes | None]
    gotify_priority: Mapped[int]


class EmailConfirmation(Base):
    """The notification address that the account's owner has shown to be theirs, or is about to."""

    __tablename__ = "email_confirmations"
    account_id: Mapped[int] = _account_key(primary=True)
    address: Mapped[str]
    message_id: Mapped[str]
    """The message that carried the code. The code is computed from it and stored nowhere."""
    expires_at: Mapped[datetime]
    tries: Mapped[int]
    codes_sent: Mapped[int]
    """Codes sent since `counted_since`."""
    counted_since: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class PriceSettingsRow(Base):
    __tablename__ = "price_settings"
    account_id: Mapped[int] = _account_key(primary=True)
    version: Mapped[int]
    accept_unpriced_models: Mapped[bool]


class PrivacySettingsRow(Base):
    __tablename__ = "privacy_settings"
    account_id: Mapped[int] = _account_key(primary=True)
    version: Mapped[int]
    record_client_ip: Mapped[bool]


class SidebarSettingsRow(Base):
    __tablename__ = "sidebar_settings"
    account_id: Mapped[int] = _account_key(primary=True)
    version: Mapped[int]
    hidden_modules: Mapped[list[str]]


class SiteSetting(Base):
    """One of the administrator's switches; a secret one is sealed and its `value` is empty."""

    __tablename__ = "site_settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    value_sealed: Mapped[bytes | None]
    updated_at: Mapped[datetime]


# -- money and use ----------------------------------------------------------------------------------------------


class Price(Base):
    __tablename__ = "prices"
    model: Mapped[str] = mapped_column(primary_key=True)
    model_key: Mapped[str | None] = mapped_column(index=True, unique=True)
    """The folded name, by which other spellings of it find this price. None: a dearer model has it, from before names
    that differ only by case were refused."""
    input_micro_usd_per_million: Mapped[int]
    cached_input_micro_usd_per_million: Mapped[int | None]
    """For input that the model server had in its cache. None: it costs what other input costs."""
    output_micro_usd_per_million: Mapped[int]
    request_micro_usd: Mapped[int]
    max_output_tokens: Mapped[int | None]
    """The most tokens the model answers with. None: what the site says."""
    updated_at: Mapped[datetime]


class UnpricedModel(Base):
    __tablename__ = "unpriced_models"
    account_id: Mapped[int] = _account_key(primary=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int]
    last_seen_at: Mapped[datetime]


class Quota(Base):
    __tablename__ = "quotas"
    account_id: Mapped[int] = _account_key(primary=True)
    remaining_micro_usd: Mapped[int]
    """What is left, counting what is held for requests under way as still there."""
    held_micro_usd: Mapped[int]
    used_micro_usd: Mapped[int]
    warning_armed: Mapped[bool]
    warned_at: Mapped[datetime | None]
    """When the last warning was queued. The next one comes some minutes later at the earliest."""


class Reservation(Base):
    __tablename__ = "reservations"
    __table_args__ = _IDS_ARE_NEVER_USED_AGAIN
    id: Mapped[int] = _id()
    account_id: Mapped[int] = _account_key()
    api_key_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("api_keys.id", ondelete="CASCADE"))
    held_micro_usd: Mapped[int]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    """When the call was booked. The row stays for a while, so that it is not booked again."""


class UsageEntryRow(Base):
    __tablename__ = "usage_log"
    __table_args__ = (
        Index("ix_usage_log_account_id_id", "account_id", "id"),
        Index("ix_usage_log_account_id_kind_id", "account_id", "kind", "id"),
        Index("ix_usage_log_account_id_model_id", "account_id", "model", "id"),
    )
    id: Mapped[int] = _id()
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str]
    at: Mapped[datetime]
    model: Mapped[str]
    api_key_name: Mapped[str]
    request_id: Mapped[str]
    status: Mapped[str]
    detail: Mapped[str]
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost_micro_usd: Mapped[int]
    duration_ms: Mapped[int]
    unpriced: Mapped[bool]
    client_ip: Mapped[str | None]


# On PostgreSQL the migration restricts it too; to say so here would load that dialect, 3 MB, into every process.
Index("ix_usage_log_client_ip", UsageEntryRow.account_id, sqlite_where=UsageEntryRow.client_ip.is_not(None))


class UsageDay(Base):
    """What one account used on one UTC day: totals and charts never scan the log."""

    __tablename__ = "usage_days"
    account_id: Mapped[int] = _account_key(primary=True)
    day: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int]
    errors: Mapped[int]
    tokens: Mapped[int]
    cost_micro_usd: Mapped[int]


# -- messages and events ----------------------------------------------------------------------------------------


class OutboxMessage(Base):
    __tablename__ = "outbox"
    id: Mapped[int] = _id()
    message_id: Mapped[str] = mapped_column(unique=True)
    """Stable over retries: the receiver may drop a second copy."""
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Delivery(Base):
    """One message on one channel."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("outbox_id", "channel"),
        Index("ix_deliveries_state_next_attempt_at", "state", "next_attempt_at"),
    )
    id: Mapped[int] = _id()
    outbox_id: Mapped[int] = mapped_column(BigId, ForeignKey("outbox.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    lease: Mapped[str | None]
    lease_boot: Mapped[str | None]
    """The start of the machine that `lease_uptime_ms` counts from."""
    lease_uptime_ms: Mapped[int | None]
    """When the lease was taken, by a clock that nobody sets."""
    last_attempt_at: Mapped[datetime | None]
    last_error: Mapped[str]
    recipient_sealed: Mapped[bytes | None]
    """Only for a message that outlives its account: where to say that it was deleted."""


class AuditHead(Base):
    """The end of one account's chain of events."""

    __tablename__ = "audit_heads"
    account_id: Mapped[int] = _account_key(primary=True)
    sequence: Mapped[int]
    mac: Mapped[bytes]
    seal: Mapped[bytes]
    """The MAC of this end. The last event's own would fit again once the events after it were removed."""
    key_id: Mapped[int]
    """The key of this chain's MACs and of the seal."""


class AuditTotal(Base):
    """The end of the site's own chain, and what binds the ends of all chains together. One row, whose id is 1."""

    __tablename__ = "audit_totals"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    sequence: Mapped[int]
    """Events of the site's chain."""
    mac: Mapped[bytes]
    events: Mapped[int]
    """Events of all chains, of deleted accounts too: it only grows."""
    seals: Mapped[bytes]
    """The sum of all seals."""
    total_mac: Mapped[bytes]
    key_id: Mapped[int]


class AuditEvent(Base):
    __tablename__ = "audit_events"
    __table_args__ = (UniqueConstraint("account_id", "sequence"),)
    id: Mapped[int] = _id()
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    at: Mapped[datetime]
    tag: Mapped[str]
    actor: Mapped[str]
    source: Mapped[str]
    detail: Mapped[dict[str, Any]]
    mac: Mapped[bytes]


class SiteEvent(Base):
    """What was done to the site, or to an account that may be gone."""

    __tablename__ = "site_events"
    sequence: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    tag: Mapped[str]
    actor: Mapped[str]
    source: Mapped[str]
    detail: Mapped[dict[str, Any]]
    mac: Mapped[bytes]


class Tombstone(Base):
    """That an account was deleted, and when; nothing of who it was."""

    __tablename__ = "tombstones"
    id: Mapped[str] = mapped_column(primary_key=True)
    deleted_at: Mapped[datetime]
