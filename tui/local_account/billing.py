"""The quota and the prices of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.store import Store
    from store.values.billing import ModelPrice, QuotaState
    from tui.account import PriceOverview


class LocalBilling(LocalTopic):
    """`BillingService` on the store."""

    async def quota(self) -> QuotaState:
        return await self._call(self._store.quota.state)

    async def prices(self) -> list[ModelPrice]:
        return await self._call_without_session(self._store.pricing.all)

    async def pricing(self) -> PriceOverview:
        return await self._call(_pricing, self._store)


def _pricing(token: str, store: Store) -> PriceOverview:
    from tui.account import PriceOverview

    seen = store.pricing.unpriced_models(token)
    return PriceOverview(store.pricing.forbids_unpriced(), tuple(seen))
