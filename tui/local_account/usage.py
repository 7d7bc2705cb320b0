"""The usage log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.row_export import ExportingTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from store.row_export import Told
    from store.values.row_export import Exported, ExportFormat, ExportProgress
    from store.values.usage import DayTotal, UsageChoices, UsageFilter, UsagePage


class LocalUsage(ExportingTopic):
    """`UsageService` on the store."""

    async def daily_usage(self, count: int = 30) -> list[DayTotal]:
        return await self._call(self._store.usage.days, count)

    async def usage_page(self, only: UsageFilter, before: int | None = None) -> UsagePage:
        return await self._call(self._store.usage.page, only, before=before)

    async def usage_page_after(self, only: UsageFilter, after: int | None = None) -> UsagePage:
        return await self._call(self._store.usage.page_after, only, after=after)

    async def usage_choices(self) -> UsageChoices:
        return await self._call(self._store.usage.choices)

    async def export_usage(
        self, path: Path, form: ExportFormat, only: UsageFilter, told: Callable[[ExportProgress], None]
    ) -> Exported:
        def pieces(token: str, told: Told) -> Iterator[str]:
            return self._store.usage_export.pieces(token, form, only, told)

        return await self._export(path, pieces, told)

    async def count_ips(self) -> int:
        return await self._call(self._store.usage.count_ips)

    async def erase_ips(self) -> int:
        return await self._call(self._store.usage.erase_ips)
