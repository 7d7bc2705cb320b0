"""Tables of the outbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, BigId, generated_id


class OutboxMessage(Base):
    """A queued message."""

    __tablename__ = "outbox"
    id: Mapped[int] = generated_id()
    message_id: Mapped[str] = mapped_column(unique=True)
    """The same for all retries, so that the receiver can drop duplicates."""
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Delivery(Base):
    """The delivery of one message on one channel."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("outbox_id", "channel"),
        Index("ix_deliveries_state_next_attempt_at", "state", "next_attempt_at"),
    )
    id: Mapped[int] = generated_id()
    outbox_id: Mapped[int] = mapped_column(BigId, ForeignKey("outbox.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    lease: Mapped[str | None]
    lease_boot: Mapped[str | None]
    """The boot id of the machine of `lease_uptime_ms`."""
    lease_uptime_ms: Mapped[int | None]
    """The uptime of the machine, in milliseconds, when the lease was taken."""
    last_attempt_at: Mapped[datetime | None]
    last_error: Mapped[str]
    recipient_sealed: Mapped[bytes | None]
    """The address of a message that does not go to the address in the settings, encrypted."""
