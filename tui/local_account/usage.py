"""The usage log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.values.usage import DayTotal, Kind, UsagePage


class LocalUsage(LocalTopic):
    """`UsageService` on the store."""

    async def daily_usage(self, count: int = 30) -> list[DayTotal]:
        return await self._call(self._store.usage.days, count)

    async def usage_page(self, kind: Kind | None, before: int | None = None, model: str | None = None) -> UsagePage:
        return await self._call(self._store.usage.page, kind=kind, before=before, model=model)

    async def count_ips(self) -> int:
        return await self._call(self._store.usage.count_ips)

    async def erase_ips(self) -> int:
        return await self._call(self._store.usage.erase_ips)
