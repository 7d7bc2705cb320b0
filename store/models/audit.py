"""Tables of the audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, BigId, account_key, generated_id


class AuditHead(Base):
    """The end of one account's chain of events."""

    __tablename__ = "audit_heads"
    account_id: Mapped[int] = account_key(primary=True)
    sequence: Mapped[int]
    mac: Mapped[bytes]
    seal: Mapped[bytes]
    """The MAC of this end. The MAC of an event alone would be valid again after the later events are removed."""
    key_id: Mapped[int]
    """The id of the key of this chain's MACs and of the seal."""


class AuditTotal(Base):
    """The end of the site's chain, and the total over the ends of all chains. The table has one row, with id 1."""

    __tablename__ = "audit_totals"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    sequence: Mapped[int]
    """The number of events in the site's chain."""
    mac: Mapped[bytes]
    events: Mapped[int]
    """The number of events ever recorded in all chains, deleted accounts included."""
    seals: Mapped[bytes]
    """The sum of all seals (`audit_macs.added`)."""
    total_mac: Mapped[bytes]
    key_id: Mapped[int]


class AuditEvent(Base):
    """An event of an account."""

    __tablename__ = "audit_events"
    __table_args__ = (UniqueConstraint("account_id", "sequence"),)
    id: Mapped[int] = generated_id()
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    at: Mapped[datetime]
    tag: Mapped[str]
    actor: Mapped[str]
    source: Mapped[str]
    detail: Mapped[dict[str, Any]]
    mac: Mapped[bytes]


class SiteEvent(Base):
    """A site event, or an event that is kept after its account."""

    __tablename__ = "site_events"
    sequence: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    tag: Mapped[str]
    actor: Mapped[str]
    source: Mapped[str]
    detail: Mapped[dict[str, Any]]
    mac: Mapped[bytes]
