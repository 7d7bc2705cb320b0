"""Redeem codes: an administrator makes them, and an account redeems each once."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class CodeState(StrEnum):
    """The states of a redeem code."""

    OPEN = "open"
    REDEEMED = "redeemed"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class NewRedeemCode:
    """A new code. `code` is not stored."""

    id: int
    code: str = field(repr=False)


class RedeemCodeInfo(NamedTuple):
    """A stored code."""

    id: int
    last_four: str
    """Empty once the code is redeemed."""
    amount_micro_usd: int
    note: str
    state: CodeState
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    redeemed_at: datetime | None
    redeemed_by: str
    """The name of the account; empty before, and after its deletion."""


class Redeemed(NamedTuple):
    """A redeemed code, in micro-USD."""

    amount_micro_usd: int
    remaining_micro_usd: int
    """The balance after it."""
