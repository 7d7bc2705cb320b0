"""The wallet: quota, payments, redeem codes, and the prices of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from store.errors import NotOnThisServer
from store.money import MICRO_PER_USD
from store.values.capabilities import UNKNOWN_TIME
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from remote.wallet import TopUp
    from store.values.billing import ModelPrice, QuotaState
    from store.values.ledger import LedgerEntry, LedgerPage
    from store.values.redeem_codes import Redeemed
    from tui.account import PriceOverview

_PAGE_SIZE: Final = 50
_PAID: Final = "success"


class RemoteWallet(RemoteTopic):
    """`WalletService` and `BillingService` on a server."""

    async def quota(self) -> QuotaState:
        from remote.quota_units import micro_usd_of
        from store.values.billing import QuotaState

        account, per_usd = await self._account(), self._known.quota_per_usd
        return QuotaState(micro_usd_of(account.quota, per_usd), 0, micro_usd_of(account.used_quota, per_usd))

    async def pricing(self) -> PriceOverview:
        """The server tells of no model without a price that was called."""
        from tui.account import PriceOverview

        self._check_open()
        return PriceOverview(forbids_unpriced=False, seen=())

    async def prices(self) -> list[ModelPrice]:
        account = await self._account()
        return list(await self._client.models.prices(account.group))

    async def ledger(self, before: int | None = None) -> LedgerPage:
        """The payments. `before` is the number of a page."""
        from store.values.ledger import LedgerPage

        self._check_open()
        page = await self._client.wallet.top_ups(before or 1, _PAGE_SIZE)
        first = page.total - (page.page - 1) * page.page_size
        entries = tuple(_entry(one, first - place) for place, one in enumerate(page.entries))
        return LedgerPage(entries, page.page + 1 if page.has_next else None)

    async def newer_ledger(self, *_: Any) -> LedgerPage:
        raise NotOnThisServer

    async def ledger_call(self, *_: Any) -> None:
        raise NotOnThisServer

    async def export_ledger(self, *_: Any) -> Any:
        raise NotOnThisServer

    async def redeem_code(self, code: str) -> Redeemed:
        from store.values.redeem_codes import Redeemed

        self._check_open()
        amount = await self._client.wallet.redeem(code)
        return Redeemed(amount, (await self.quota()).remaining_micro_usd)


def _entry(one: TopUp, sequence: int) -> LedgerEntry:
    """A payment. One that was not completed added nothing."""
    from store.values.ledger import LedgerEntry, LedgerKind

    amount = one.amount * MICRO_PER_USD if one.status == _PAID else 0
    reason = " · ".join(part for part in (one.method, one.status) if part)
    return LedgerEntry(sequence, one.at or UNKNOWN_TIME, LedgerKind.TOP_UP, amount, 0, None, reason, "payment")
