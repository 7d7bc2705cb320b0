"""Tables of the audit log."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, Column, ForeignKey, LargeBinary, Named, Table, Text, UniqueConstraint

from store.models.base import METADATA, BigId, Columns, UtcDateTime, account_key, generated_id


class AuditHeadColumns(Columns):
    """The end of one account's chain of events."""

    account_id = account_key(primary=True)
    sequence: Named[int] = Column(BigId)
    mac: Named[bytes] = Column(LargeBinary)
    seal: Named[bytes] = Column(LargeBinary)
    """The MAC of this end. The MAC of an event alone would be valid again after the later events are removed."""
    key_id: Named[int] = Column(BigId)
    """The id of the key of this chain's MACs and of the seal."""


AuditHead: Final = Table("audit_heads", METADATA, AuditHeadColumns)


class AuditTotalColumns(Columns):
    """The end of the site's chain, and the total over the ends of all chains. The table has one row, with id 1."""

    id: Named[int] = Column(BigId, primary_key=True, autoincrement=False)
    sequence: Named[int] = Column(BigId)
    """The number of events in the site's chain."""
    mac: Named[bytes] = Column(LargeBinary)
    events: Named[int] = Column(BigId)
    """The number of events ever recorded in all chains, deleted accounts included."""
    seals: Named[bytes] = Column(LargeBinary)
    """The sum of all seals (`audit_macs.added`)."""
    total_mac: Named[bytes] = Column(LargeBinary)
    key_id: Named[int] = Column(BigId)


AuditTotal: Final = Table("audit_totals", METADATA, AuditTotalColumns)


class AuditEventColumns(Columns):
    """An event of an account."""

    id = generated_id()
    account_id: Named[int] = Column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    sequence: Named[int] = Column(BigId)
    at: Named[datetime] = Column(UtcDateTime)
    tag: Named[str] = Column(Text)
    actor: Named[str] = Column(Text)
    source: Named[str] = Column(Text)
    detail: Named[dict[str, Any]] = Column(JSON)
    mac: Named[bytes] = Column(LargeBinary)


AuditEvent: Final = Table("audit_events", METADATA, AuditEventColumns, UniqueConstraint("account_id", "sequence"))


class SiteEventColumns(Columns):
    """A site event, or an event that is kept after its account."""

    sequence: Named[int] = Column(BigId, primary_key=True, autoincrement=False)
    at: Named[datetime] = Column(UtcDateTime)
    tag: Named[str] = Column(Text)
    actor: Named[str] = Column(Text)
    source: Named[str] = Column(Text)
    detail: Named[dict[str, Any]] = Column(JSON)
    mac: Named[bytes] = Column(LargeBinary)


SiteEvent: Final = Table("site_events", METADATA, SiteEventColumns)
