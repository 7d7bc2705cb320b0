"""Tables of prices, quotas and the usage log."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import IDS_NOT_REUSED, Base, BigId, account_key, generated_id


class Price(Base):
    """The price of a model."""

    __tablename__ = "prices"
    model: Mapped[str] = mapped_column(primary_key=True)
    model_key: Mapped[str | None] = mapped_column(index=True, unique=True)
    """The case-folded name, for lookups. None if a price that differs only by case has it, which only an older version
    stored."""
    input_micro_usd_per_million: Mapped[int]
    cached_input_micro_usd_per_million: Mapped[int | None]
    """The price of input from the model server's cache. None: the price of other input."""
    output_micro_usd_per_million: Mapped[int]
    request_micro_usd: Mapped[int]
    max_output_tokens: Mapped[int | None]
    """The most output tokens of the model. None: the site's setting."""
    updated_at: Mapped[datetime]


class UnpricedModel(Base):
    """A model without a price that an account called."""

    __tablename__ = "unpriced_models"
    account_id: Mapped[int] = account_key(primary=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int]
    last_seen_at: Mapped[datetime]


class Quota(Base):
    """The quota of an account."""

    __tablename__ = "quotas"
    account_id: Mapped[int] = account_key(primary=True)
    remaining_micro_usd: Mapped[int]
    """The balance. It includes the amounts held for running calls."""
    held_micro_usd: Mapped[int]
    used_micro_usd: Mapped[int]
    warning_armed: Mapped[bool]
    warned_at: Mapped[datetime | None]
    """The time when the last warning was queued."""


class Reservation(Base):
    """The amount held for one call."""

    __tablename__ = "reservations"
    __table_args__ = IDS_NOT_REUSED
    id: Mapped[int] = generated_id()
    account_id: Mapped[int] = account_key()
    api_key_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("api_keys.id", ondelete="CASCADE"))
    held_micro_usd: Mapped[int]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    """The time of the booking. The row is kept for a while, so that the call is not booked again."""


class UsageEntryRow(Base):
    """One logged call."""

    __tablename__ = "usage_log"
    __table_args__ = (
        Index("ix_usage_log_account_id_id", "account_id", "id"),
        Index("ix_usage_log_account_id_kind_id", "account_id", "kind", "id"),
        Index("ix_usage_log_account_id_model_id", "account_id", "model", "id"),
    )
    id: Mapped[int] = generated_id()
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str]
    at: Mapped[datetime]
    model: Mapped[str]
    api_key_name: Mapped[str]
    request_id: Mapped[str]
    status: Mapped[str]
    detail: Mapped[str]
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost_micro_usd: Mapped[int]
    duration_ms: Mapped[int]
    unpriced: Mapped[bool]
    client_ip: Mapped[str | None]


# The index is partial on PostgreSQL too, by the migration. `postgresql_where` would load that dialect, 3 MB, here.
Index("ix_usage_log_client_ip", UsageEntryRow.account_id, sqlite_where=UsageEntryRow.client_ip.is_not(None))


class UsageDay(Base):
    """The totals of one account and UTC day, so that charts do not scan the log."""

    __tablename__ = "usage_days"
    account_id: Mapped[int] = account_key(primary=True)
    day: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int]
    errors: Mapped[int]
    tokens: Mapped[int]
    cost_micro_usd: Mapped[int]
