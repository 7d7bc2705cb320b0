"""The wallet: quota, payments, redeem codes, and the prices of models."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from store.errors import NotOnThisServer
from store.money import MICRO_PER_USD
from store.values.capabilities import UNKNOWN_TIME
from tui.remote_account.row_export import ExportingTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from remote.wallet import TopUp
    from store.row_export import ExportPage, Told
    from store.values.billing import ModelPrice, QuotaState
    from store.values.ledger import LedgerEntry, LedgerPage
    from store.values.redeem_codes import Redeemed
    from store.values.row_export import Exported, ExportFormat, ExportProgress
    from tui.account import PriceOverview
    from tui.remote_account.row_export import Reads

_PAGE_SIZE: Final = 50
_PAID: Final = "success"


class RemoteWallet(ExportingTopic):
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
        return await self._payments(before, _PAGE_SIZE)

    async def _payments(self, before: int | None, page_size: int) -> LedgerPage:
        from store.values.ledger import LedgerPage

        self._check_open()
        page = await self._client.wallet.top_ups(before or 1, page_size)
        first = page.total - (page.page - 1) * page.page_size
        entries = tuple(_entry(one, first - place) for place, one in enumerate(page.entries))
        return LedgerPage(entries, page.page + 1 if page.has_next else None)

    async def newer_ledger(self, *_: Any) -> LedgerPage:
        raise NotOnThisServer

    async def ledger_call(self, *_: Any) -> None:
        raise NotOnThisServer

    async def export_ledger(self, path: Path, form: ExportFormat, told: Callable[[ExportProgress], None]) -> Exported:
        return await self._export(path, lambda reads, count: self.payment_pieces(form, reads, count), told)

    def payment_pieces(self, form: ExportFormat, reads: Reads, told: Told) -> Iterator[str]:
        """The payments as a file in pieces. `reads` waits for each page, and raises what its read raises."""
        from remote.usage import MAX_PAGE_SIZE
        from store.export_rows import CHANGE_COLUMNS, CHANGE_TEXTS, change_row
        from store.row_export import ExportPage, export_pieces

        def pages() -> Iterator[ExportPage]:
            # Payments are numbered from the oldest, which has 1. The balance after each is not known.
            newest, following = 0, None
            while True:
                page = reads(partial(self._payments, following, MAX_PAGE_SIZE))
                newest = newest or (page.entries[0].sequence if page.entries else 0)
                following = page.next_before
                share = 1.0 if following is None else (newest - page.entries[-1].sequence) / newest
                yield ExportPage([change_row(entry) | {"balance_usd": None} for entry in page.entries], share)
                if following is None:
                    return

        return export_pieces(pages(), form, CHANGE_COLUMNS, CHANGE_TEXTS, told)

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
