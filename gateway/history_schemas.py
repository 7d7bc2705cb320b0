"""The documents of an account's lists: ledger, prices, activity and deliveries."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from gateway.account_schemas import Document, Usd

_SIGNED_AMOUNT: Final = r"^-?(1000000000(\.0{1,6})?|[0-9]{1,9}(\.[0-9]{1,6})?)$"
SignedUsd = Annotated[str, Field(pattern=_SIGNED_AMOUNT, max_length=18, examples=["-0.022191"])]
"""Dollars, below zero for money that was spent."""


class LedgerEntryDocument(Document):
    number: int
    """1, 2, 3 and so on, without a gap, in the order of the changes."""
    at: datetime
    kind: Literal["opening", "top_up", "debit", "code", "call", "hold_released"]
    amount_usd: SignedUsd
    balance_usd: Usd
    """The balance after the change."""
    usage_entry_id: int | None
    """The call that was paid, in the usage log."""
    reason: str
    actor: str
    """The API key of a call, or who made the change."""


class LedgerPageDocument(Document):
    """Every change of the balance, from new to old."""

    entries: list[LedgerEntryDocument]
    next_cursor: str | None
    """Cursor of the page after this one; null on the last."""


class ModelPriceDocument(Document):
    model: str
    input_usd_per_million_tokens: Usd
    cached_input_usd_per_million_tokens: Usd | None
    """Null: as other input."""
    output_usd_per_million_tokens: Usd
    request_usd: Usd
    max_output_tokens: int | None
    """Null: the site's limit."""


class PricePageDocument(Document):
    """Prices, by model."""

    prices: list[ModelPriceDocument]
    next_cursor: str | None
    """Cursor of the page after this one; null on the last."""


class EventDocument(Document):
    number: int
    at: datetime
    tag: str
    """The kind of the event, such as `password:changed`."""
    actor: str
    source: str
    detail: dict[str, str | int | bool]


class ActivityPageDocument(Document):
    """Events of the audit log, from new to old."""

    events: list[EventDocument]
    next_cursor: str | None
    """Cursor of the page after this one; null on the last."""


class DeliveryDocument(Document):
    id: int
    channel: Literal["email", "webhook", "bark", "gotify"]
    kind: str
    """The kind of the message, such as `quota:warning`."""
    state: Literal["waiting", "delivered", "failed", "damaged"]
    created_at: datetime
    last_attempt_at: datetime | None
    attempts: int
    error: str
    """The reason why the last attempt failed; empty if it did not."""


class DeliveryPageDocument(Document):
    """Notifications on each channel, from new to old."""

    deliveries: list[DeliveryDocument]
    next_cursor: str | None
    """Cursor of the page after this one; null on the last."""
