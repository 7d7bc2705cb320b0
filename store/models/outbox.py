"""Tables of the outbox."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, Named, Table, Text, UniqueConstraint

from store.models.base import METADATA, BigId, Columns, UtcDateTime, generated_id


class OutboxMessageColumns(Columns):
    """A queued message."""

    id = generated_id()
    message_id: Named[str] = Column(Text, unique=True)
    """The same for all retries, so that the receiver can drop duplicates."""
    account_id: Named[int | None] = Column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    kind: Named[str] = Column(Text)
    payload: Named[dict[str, Any]] = Column(JSON)
    created_at: Named[datetime] = Column(UtcDateTime)


OutboxMessage: Final = Table("outbox", METADATA, OutboxMessageColumns)


class DeliveryColumns(Columns):
    """The delivery of one message on one channel."""

    id = generated_id()
    outbox_id: Named[int] = Column(BigId, ForeignKey("outbox.id", ondelete="CASCADE"))
    account_id: Named[int | None] = Column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    channel: Named[str] = Column(Text)
    state: Named[str] = Column(Text)
    attempts: Named[int] = Column(BigId)
    next_attempt_at: Named[datetime] = Column(UtcDateTime)
    leased_until: Named[datetime | None] = Column(UtcDateTime)
    lease: Named[str | None] = Column(Text)
    lease_boot: Named[str | None] = Column(Text)
    """The boot id of the machine of `lease_uptime_ms`."""
    lease_uptime_ms: Named[int | None] = Column(BigId)
    """The uptime of the machine, in milliseconds, when the lease was taken."""
    last_attempt_at: Named[datetime | None] = Column(UtcDateTime)
    last_error: Named[str] = Column(Text)
    recipient_sealed: Named[bytes | None] = Column(LargeBinary)
    """The address of a message that does not go to the address in the settings, encrypted."""


Delivery: Final = Table(
    "deliveries",
    METADATA,
    DeliveryColumns,
    UniqueConstraint("outbox_id", "channel"),
    Index("ix_deliveries_state_next_attempt_at", "state", "next_attempt_at"),
)
