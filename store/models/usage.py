"""Tables of prices, quotas and the usage log."""

from datetime import datetime
from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Named, Table, Text, text

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
    ledger_sequence: Named[int] = Column(BigId, server_default="0")
    """The sequence number of the account's last ledger entry; 0 for none."""


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
    """One logged call.

    On PostgreSQL the table has partitions (`usage_months`), and its primary key is `(id, at)`. The ids are unique there
    because all come from one sequence; a restore inserts those of a table in which they were unique.
    """

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
    cached_tokens: Named[int] = Column(BigId, server_default="0")
    """Prompt tokens from the model server's cache, part of `prompt_tokens`."""
    images: Named[int] = Column(BigId, server_default="0")
    image_size: Named[str] = Column(Text, server_default="")
    """The size of the images as the request named it, such as 1024x1024; empty where it named none."""
    task_done: Named[int | None] = Column(BigId)
    """Finished requests of a task; None until the model server has told."""
    task_total: Named[int | None] = Column(BigId)
    input_micro_usd_per_million: Named[int | None] = Column(BigId)
    """The price at the time of the call. None in all four: no price, or an entry of an older version."""
    cached_input_micro_usd_per_million: Named[int | None] = Column(BigId)
    output_micro_usd_per_million: Named[int | None] = Column(BigId)
    request_micro_usd: Named[int | None] = Column(BigId)


UsageEntryRow: Final = Table(
    "usage_log",
    METADATA,
    UsageEntryColumns,
    Index("ix_usage_log_account_id_id", "account_id", "id"),
    Index("ix_usage_log_account_id_kind_id", "account_id", "kind", "id"),
    Index("ix_usage_log_account_id_model_id", "account_id", "model", "id"),
    Index("ix_usage_log_account_id_api_key_name_id", "account_id", "api_key_name", "id"),
    Index("ix_usage_log_account_id_status_id", "account_id", "status", "id"),
    Index("ix_usage_log_account_id_at_id", "account_id", "at", "id"),
    Index("ix_usage_log_account_id_request_id", "account_id", "request_id", sqlite_where=text("kind = 'task'")),
)


# Both partial indexes are so on PostgreSQL too, by their migrations. `postgresql_where` would load that dialect, 3 MB.
Index(
    "ix_usage_log_account_id_client_ip_id",
    UsageEntryRow.c.account_id,
    UsageEntryRow.c.client_ip,
    UsageEntryRow.c.id,
    sqlite_where=UsageEntryRow.c.client_ip.is_not(None),
)


class UsageDayColumns(Columns):
    """The totals of one account and UTC day, so that charts do not scan the log, and where its entries stand in it."""

    account_id = account_key(primary=True)
    day: Named[str] = Column(Text, primary_key=True)
    calls: Named[int] = Column(BigId)
    errors: Named[int] = Column(BigId)
    tokens: Named[int] = Column(BigId)
    cost_micro_usd: Named[int] = Column(BigId)
    first_entry_id: Named[int | None] = Column(BigId)
    """No entry of the day has a lower id. None: the day had no entry when the column was added."""
    last_entry_id: Named[int | None] = Column(BigId)
    newest_at_ms: Named[int | None] = Column(BigId)
    """The latest time of an entry of the day, in milliseconds since 1970."""
    set_back_ms: Named[int | None] = Column(BigId)
    """The most by which an entry of the day is earlier than one that was logged before it. None: not known."""


UsageDay: Final = Table("usage_days", METADATA, UsageDayColumns)


class UsageTotalColumns(Columns):
    """The totals of one account, UTC day, model and API key name. A refused call is counted under the model ""."""

    account_id = account_key(primary=True)
    day: Named[str] = Column(Text, primary_key=True)
    model: Named[str] = Column(Text, primary_key=True)
    api_key_name: Named[str] = Column(Text, primary_key=True)
    calls: Named[int] = Column(BigId)
    errors: Named[int] = Column(BigId)
    tokens: Named[int] = Column(BigId)
    cost_micro_usd: Named[int] = Column(BigId)


UsageTotal: Final = Table("usage_totals", METADATA, UsageTotalColumns)


class LedgerEntryColumns(Columns):
    """One change of an account's balance. The balances of two neighbours differ by the amount of the later one."""

    account_id = account_key(primary=True)
    sequence: Named[int] = Column(BigId, primary_key=True, autoincrement=False)
    """1, 2, 3 and so on, without a gap, in the order of the changes."""
    at: Named[datetime] = Column(UtcDateTime)
    kind: Named[str] = Column(Text)
    amount_micro_usd: Named[int] = Column(BigId)
    """Positive for money that came in, negative for money that was spent."""
    balance_micro_usd: Named[int] = Column(BigId)
    """The balance after the change."""
    usage_entry_id: Named[int | None] = Column(BigId)
    """The call that was paid, in the usage log."""
    reason: Named[str] = Column(Text)
    actor: Named[str] = Column(Text)


LedgerEntryRow: Final = Table("ledger", METADATA, LedgerEntryColumns)
