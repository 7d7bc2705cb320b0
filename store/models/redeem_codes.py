"""The table of redeem codes."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, ForeignKey, LargeBinary, Named, Table, Text

from store.models.base import IDS_NOT_REUSED, METADATA, BigId, Columns, UtcDateTime, generated_id


class RedeemCodeColumns(Columns):
    """A code that adds an amount to the balance of the account that redeems it, once. It is stored as a hash."""

    id = generated_id()
    code_hash: Named[bytes] = Column(LargeBinary, unique=True)
    last_four: Named[str] = Column(Text)
    """The last four symbols; empty once the code is redeemed."""
    amount_micro_usd: Named[int] = Column(BigId)
    note: Named[str] = Column(Text)
    """The reason in the ledger of the account that redeems the code."""
    created_at: Named[datetime] = Column(UtcDateTime)
    created_by: Named[str] = Column(Text)
    expires_at: Named[datetime | None] = Column(UtcDateTime)
    revoked_at: Named[datetime | None] = Column(UtcDateTime)
    redeemed_at: Named[datetime | None] = Column(UtcDateTime)
    redeemed_by: Named[int | None] = Column(BigId, ForeignKey("accounts.id", ondelete="SET NULL"), index=True)
    """The account. None also after its deletion."""


RedeemCode: Final = Table("redeem_codes", METADATA, RedeemCodeColumns, **IDS_NOT_REUSED)
