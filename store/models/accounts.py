"""Tables of accounts, sessions and sign-in."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, LargeBinary, Named, Table, Text

from store.models.base import IDS_NOT_REUSED, METADATA, BigId, Columns, UtcDateTime, account_key, generated_id


class MetaColumns(Columns):
    """Values by name. The only one is the key check value."""

    name: Named[str] = Column(Text, primary_key=True)
    value: Named[bytes] = Column(LargeBinary)


Meta: Final = Table("meta", METADATA, MetaColumns)


class AccountColumns(Columns):
    """An account."""

    id = generated_id()
    name: Named[str] = Column(Text)
    name_key: Named[str] = Column(Text, unique=True)
    email: Named[str] = Column(Text)
    role: Named[str] = Column(Text)
    password_hash: Named[str | None] = Column(Text)
    password_changed_at: Named[datetime | None] = Column(UtcDateTime)
    auth_epoch: Named[int] = Column(BigId)
    """Increased by every change of credentials. Sessions of another epoch are refused."""
    user_handle: Named[bytes] = Column(LargeBinary, unique=True)
    """64 random bytes that identify the account to authenticators (WebAuthn level 3, 14.6.1)."""
    created_at: Named[datetime] = Column(UtcDateTime)
    suspended_at: Named[datetime | None] = Column(UtcDateTime)
    """The time of the suspension; None for an account that is not suspended."""


Account: Final = Table("accounts", METADATA, AccountColumns, **IDS_NOT_REUSED)


class SessionColumns(Columns):
    """An open session. Its token is stored as a hash."""

    id = generated_id()
    account_id = account_key()
    token_hash: Named[bytes] = Column(LargeBinary, unique=True)
    epoch: Named[int] = Column(BigId)
    method: Named[str] = Column(Text)
    source: Named[str] = Column(Text)
    created_at: Named[datetime] = Column(UtcDateTime)
    last_active_at: Named[datetime] = Column(UtcDateTime)
    proof_at: Named[datetime | None] = Column(UtcDateTime)
    locked_at: Named[datetime | None] = Column(UtcDateTime)


Session: Final = Table("sessions", METADATA, SessionColumns, **IDS_NOT_REUSED)


class PendingSignInColumns(Columns):
    """A sign-in that waits for the second factor."""

    id = generated_id()
    account_id = account_key()
    ticket_hash: Named[bytes] = Column(LargeBinary, unique=True)
    epoch: Named[int] = Column(BigId)
    method: Named[str] = Column(Text)
    source: Named[str] = Column(Text)
    expires_at: Named[datetime] = Column(UtcDateTime)


PendingSignIn: Final = Table("pending_sign_ins", METADATA, PendingSignInColumns)


class ThrottleColumns(Columns):
    """The failures in a row at one factor of one name, which may be unknown."""

    bucket: Named[str] = Column(Text, primary_key=True)
    failures: Named[int] = Column(BigId)
    locked_until: Named[datetime | None] = Column(UtcDateTime)
    updated_at: Named[datetime] = Column(UtcDateTime, index=True)


Throttle: Final = Table("throttles", METADATA, ThrottleColumns)


class RateWindowColumns(Columns):
    """The attempts from one source in the current time window."""

    bucket: Named[str] = Column(Text, primary_key=True)
    started_at: Named[datetime] = Column(UtcDateTime, index=True)
    hits: Named[int] = Column(BigId)


RateWindow: Final = Table("rate_windows", METADATA, RateWindowColumns)


class TombstoneColumns(Columns):
    """The deletion of an account: its time, and no personal data."""

    id: Named[str] = Column(Text, primary_key=True)
    deleted_at: Named[datetime] = Column(UtcDateTime)


Tombstone: Final = Table("tombstones", METADATA, TombstoneColumns)
