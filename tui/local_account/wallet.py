"""The ledger, and redeem codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.row_export import ExportingTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from store.row_export import Told
    from store.store import Store
    from store.values.ledger import LedgerPage
    from store.values.redeem_codes import Redeemed
    from store.values.row_export import Exported, ExportFormat, ExportProgress
    from store.values.usage import LoggedEntry


class LocalWallet(ExportingTopic):
    """`WalletService` on the store."""

    async def ledger(self, before: int | None = None) -> LedgerPage:
        return await self._call(self._store.ledger.page, before=before)

    async def newer_ledger(self, after: int | None = None) -> LedgerPage:
        return await self._call(self._store.ledger.newer_page, after=after or 0)

    async def ledger_call(self, usage_entry_id: int) -> LoggedEntry | None:
        return await self._call(_call_of, self._store, usage_entry_id)

    async def export_ledger(self, path: Path, form: ExportFormat, told: Callable[[ExportProgress], None]) -> Exported:
        def pieces(token: str, told: Told) -> Iterator[str]:
            return self._store.ledger_export.pieces(token, form, told)

        return await self._export(path, pieces, told)

    async def redeem_code(self, code: str) -> Redeemed:
        return await self._call(self._store.redeem_codes.redeem, code)


def _call_of(token: str, store: Store, usage_entry_id: int) -> LoggedEntry | None:
    page = store.usage.page(token, before=usage_entry_id + 1, limit=1)
    return next((entry for entry in page.entries if entry.id == usage_entry_id), None)
