"""The table of SSH keys."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, Named, Table, Text, UniqueConstraint

from store.models.base import IDS_NOT_REUSED, METADATA, Columns, UtcDateTime, account_key, generated_id


class SshKeyColumns(Columns):
    """An SSH public key that opens the console of an account. The fingerprint identifies it; the key is not stored."""

    id = generated_id()
    account_id = account_key()
    fingerprint: Named[str] = Column(Text, index=True)
    """Unique in an account only: a public key is public, so nobody can keep its owner from registering it."""
    algorithm: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    name_key: Named[str] = Column(Text)
    added_at: Named[datetime] = Column(UtcDateTime)
    last_used_at: Named[datetime | None] = Column(UtcDateTime)
    last_used_from: Named[str] = Column(Text)


SshKey: Final = Table(
    "ssh_keys",
    METADATA,
    SshKeyColumns,
    UniqueConstraint("account_id", "fingerprint"),
    UniqueConstraint("account_id", "name_key"),
    **IDS_NOT_REUSED,
)
