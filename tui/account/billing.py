"""The quota and the prices of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.billing import ModelPrice, QuotaState, SeenModel


@dataclass(frozen=True, slots=True)
class PriceOverview:
    """The contents of the Price tab besides its switch."""

    forbids_unpriced: bool
    """True if the administrator refuses models without a price, whatever the account accepts."""
    seen: tuple[SeenModel, ...]
    """Models without a price that the account has called, the last seen first."""


class BillingService(Protocol):
    """Reads money. Every amount is in micro-USD."""

    async def quota(self) -> QuotaState:
        """The account's remaining, held and used quota. Raises the session errors."""
        ...

    async def prices(self) -> list[ModelPrice]:
        """The price of every model that has one, by model. It needs no session. Raises the data errors."""
        ...

    async def pricing(self) -> PriceOverview:
        """The contents of the Price tab besides its switch. Raises the session errors."""
        ...
