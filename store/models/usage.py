"""Tables of prices, quotas and the usage log."""

from datetime import datetime
from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Named, Table, Text

from store.models.base import IDS_NOT_REUSED, METADATA, BigId, Columns, UtcDateTime, account_key, generated_id


class PriceColumns(Columns):
    """The price of a model."""

    model: Named[str] = Column(Text, primary_key=True)
    model_key: Named[str | None] = Column(Text, index=True, unique=True)
    """The case-folded name, for lookups. None if a price that differs only by case has it, which only an older version
    stored."""
    input_micro_usd_per_million: Named[int] = Column(BigId)
    cached_input_micro_usd_per_million: Named[int | None] = Column(BigId)
    """The price of input from the model server's cache. None: the price of other input."""
    output_micro_usd_per_million: Named[int] = Column(BigId)
    request_micro_usd: Named[int] = Column(BigId)
    max_output_tokens: Named[int | None] = Column(BigId)
    """The most output tokens of the model. None: the site's setting."""
    updated_at: Named[datetime] = Column(UtcDateTime)


Price: Final = Table("prices", METADATA, PriceColumns)


class UnpricedModelColumns(Columns):
    """A model without a price that an account called."""

    account_id = account_key(primary=True)
    model: Named[str] = Column(Text, primary_key=True)
    calls: Named[int] = Column(BigId)
    last_seen_at: Named[datetime] = Column(UtcDateTime)


UnpricedModel: Final = Table("unpriced_models", METADATA, UnpricedModelColumns)


class QuotaColumns(Columns):
    """The quota of an account."""

    account_id = account_key(primary=True)
    remaining_micro_usd: Named[int] = Column(BigId)
    """The balance. It includes the amounts held for running calls."""
    held_micro_usd: Named[int] = Column(BigId)
    used_micro_usd: Named[int] = Column(BigId)
    warning_armed: Named[bool] = Column(Boolean)
    warned_at: Named[datetime | None] = Column(UtcDateTime)
    """The time when the last warning was queued."""


Quota: Final = Table("quotas", METADATA, QuotaColumns)


class ReservationColumns(Columns):
    """The amount held for one call."""

    id = generated_id()
    account_id = account_key()
    api_key_id: Named[int | None] = Column(BigId, ForeignKey("api_keys.id", ondelete="CASCADE"))
    held_micro_usd: Named[int] = Column(BigId)
    created_at: Named[datetime] = Column(UtcDateTime)
    settled_at: Named[datetime | None] = Column(UtcDateTime)
    """The time of the booking. The row is kept for a while, so that the call is not booked again."""


Reservation: Final = Table("reservations", METADATA, ReservationColumns, **IDS_NOT_REUSED)


class UsageEntryColumns(Columns):
    """One logged call."""

    id = generated_id()
    account_id: Named[int] = Column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Named[str] = Column(Text)
    at: Named[datetime] = Column(UtcDateTime)
    model: Named[str] = Column(Text)
    api_key_name: Named[str] = Column(Text)
    request_id: Named[str] = Column(Text)
    status: Named[str] = Column(Text)
    detail: Named[str] = Column(Text)
    prompt_tokens: Named[int] = Column(BigId)
    completion_tokens: Named[int] = Column(BigId)
    cost_micro_usd: Named[int] = Column(BigId)
    duration_ms: Named[int] = Column(BigId)
    unpriced: Named[bool] = Column(Boolean)
    client_ip: Named[str | None] = Column(Text)


UsageEntryRow: Final = Table(
    "usage_log",
    METADATA,
    UsageEntryColumns,
    Index("ix_usage_log_account_id_id", "account_id", "id"),
    Index("ix_usage_log_account_id_kind_id", "account_id", "kind", "id"),
    Index("ix_usage_log_account_id_model_id", "account_id", "model", "id"),
)


# The index is partial on PostgreSQL too, by the migration. `postgresql_where` would load that dialect, 3 MB, here.
Index("ix_usage_log_client_ip", UsageEntryRow.c.account_id, sqlite_where=UsageEntryRow.c.client_ip.is_not(None))


class UsageDayColumns(Columns):
    """The totals of one account and UTC day, so that charts do not scan the log."""

    account_id = account_key(primary=True)
    day: Named[str] = Column(Text, primary_key=True)
    calls: Named[int] = Column(BigId)
    errors: Named[int] = Column(BigId)
    tokens: Named[int] = Column(BigId)
    cost_micro_usd: Named[int] = Column(BigId)


UsageDay: Final = Table("usage_days", METADATA, UsageDayColumns)
