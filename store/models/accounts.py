"""Tables of accounts, sessions and sign-in."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import IDS_NOT_REUSED, Base, account_key, generated_id


class Meta(Base):
    """Values by name. The only one is the key check value."""

    __tablename__ = "meta"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]


class Account(Base):
    """An account."""

    __tablename__ = "accounts"
    __table_args__ = IDS_NOT_REUSED
    id: Mapped[int] = generated_id()
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str | None]
    password_changed_at: Mapped[datetime | None]
    auth_epoch: Mapped[int]
    """Increased by every change of credentials. Sessions of another epoch are refused."""
    user_handle: Mapped[bytes] = mapped_column(unique=True)
    """64 random bytes that identify the account to authenticators (WebAuthn level 3, 14.6.1)."""
    created_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    """The time of the suspension; None for an account that is not suspended."""


class Session(Base):
    """An open session. Its token is stored as a hash."""

    __tablename__ = "sessions"
    __table_args__ = IDS_NOT_REUSED
    id: Mapped[int] = generated_id()
    account_id: Mapped[int] = account_key()
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    epoch: Mapped[int]
    method: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime]
    last_active_at: Mapped[datetime]
    proof_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]


class PendingSignIn(Base):
    """A sign-in that waits for the second factor."""

    __tablename__ = "pending_sign_ins"
    id: Mapped[int] = generated_id()
    account_id: Mapped[int] = account_key()
    ticket_hash: Mapped[bytes] = mapped_column(unique=True)
    epoch: Mapped[int]
    method: Mapped[str]
    source: Mapped[str]
    expires_at: Mapped[datetime]


class Throttle(Base):
    """The failures in a row at one factor of one name, which may be unknown."""

    __tablename__ = "throttles"
    bucket: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class RateWindow(Base):
    """The attempts from one source in the current time window."""

    __tablename__ = "rate_windows"
    bucket: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    hits: Mapped[int]


class Tombstone(Base):
    """The deletion of an account: its time, and no personal data."""

    __tablename__ = "tombstones"
    id: Mapped[str] = mapped_column(primary_key=True)
    deleted_at: Mapped[datetime]
