"""The table of responses at the model server."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Named, Table, Text

from store.models.base import METADATA, BigId, Columns, UtcDateTime


class StoredResponseColumns(Columns):
    """A response that an account stored at the model server, which has its content."""

    id: Named[str] = Column(Text, primary_key=True)
    """The id at the model server."""
    account_id: Named[int] = Column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    tokens: Named[int] = Column(BigId)
    """Tokens of the conversation up to this response and with it."""
    created_at: Named[datetime] = Column(UtcDateTime)


StoredResponseRow: Final = Table(
    "stored_responses",
    METADATA,
    StoredResponseColumns,
    Index("ix_stored_responses_account_id_created_at", "account_id", "created_at"),
)
