"""The tables of the drawers: items that wait to be fetched, and their content in parts."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, ForeignKey, LargeBinary, Named, Table, Text, UniqueConstraint

from store.models.base import METADATA, BigId, Columns, UtcDateTime, account_key


class DrawerItemColumns(Columns):
    """An item in the drawer of an account."""

    id: Named[str] = Column(Text, primary_key=True)
    """Random: it is bound into the encrypted values, and never used again."""
    account_id = account_key()
    name: Named[str] = Column(Text)
    size_bytes: Named[int] = Column(BigId)
    parts: Named[int] = Column(BigId)
    key_sealed: Named[bytes] = Column(LargeBinary)
    """The key of the content."""
    put_at: Named[datetime] = Column(UtcDateTime)
    expires_at: Named[datetime] = Column(UtcDateTime, index=True)
    fetch_id: Named[str | None] = Column(Text)
    """The fetch that has the item now; None without one."""
    fetch_until: Named[datetime | None] = Column(UtcDateTime)


DrawerItemRow: Final = Table("drawer_items", METADATA, DrawerItemColumns, UniqueConstraint("account_id", "name"))


class DrawerPartColumns(Columns):
    """A part of the content of an item, encrypted under the key of the item."""

    item_id: Named[str] = Column(Text, ForeignKey("drawer_items.id", ondelete="CASCADE"), primary_key=True)
    number: Named[int] = Column(BigId, primary_key=True, autoincrement=False)
    """From 0."""
    content: Named[bytes] = Column(LargeBinary)


DrawerPart: Final = Table("drawer_parts", METADATA, DrawerPartColumns)
