"""The table of files at the model server."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Named, Table, Text

from store.models.base import METADATA, BigId, Columns, UtcDateTime


class RelayFileColumns(Columns):
    """A file that an account uploaded, or that one of its batches wrote. Its content is at the model server."""

    id: Named[str] = Column(Text, primary_key=True)
    """The id at the model server."""
    account_id: Named[int] = Column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    filename: Named[str] = Column(Text)
    purpose: Named[str] = Column(Text)
    size_bytes: Named[int] = Column(BigId)
    created_at: Named[datetime] = Column(UtcDateTime)
    task_id: Named[str | None] = Column(Text)
    """The batch that wrote the file."""


RelayFileRow: Final = Table(
    "relay_files",
    METADATA,
    RelayFileColumns,
    Index("ix_relay_files_account_id_created_at_id", "account_id", "created_at", "id"),
)
