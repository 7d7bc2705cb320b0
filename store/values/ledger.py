"""The ledger: every change of an account's balance."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class LedgerKind(StrEnum):
    """The kinds of ledger entries."""

    OPENING = "opening"
    """The balance of an account that is older than its ledger."""
    TOP_UP = "top_up"
    DEBIT = "debit"
    CODE = "code"
    """A redeemed code."""
    CALL = "call"
    HOLD_RELEASED = "hold_released"
    """The amount held for a call that was never booked is free again. The balance does not change."""


class LedgerEntry(NamedTuple):
    """One change of the balance, in micro-USD."""

    sequence: int
    """1, 2, 3 and so on, in the order of the changes."""
    at: datetime
    kind: LedgerKind
    amount_micro_usd: int
    """Positive for money that came in, negative for money that was spent."""
    balance_micro_usd: int
    """The balance after the change."""
    usage_entry_id: int | None
    """The call that was paid, in the usage log."""
    reason: str
    actor: str


class LedgerPage(NamedTuple):
    """Entries, newest first. `next_before` is the `before` of the next page; None on the last page."""

    entries: tuple[LedgerEntry, ...]
    next_before: int | None = None
    next_after: int | None = None
    """The `after` of the next page, if the pages are read from old to new; None on the last page."""
