"""The usage log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.values.usage import DayTotal, UsageChoices, UsageFilter, UsagePage


class LocalUsage(LocalTopic):
    """`UsageService` on the store."""

    async def daily_usage(self, count: int = 30) -> list[DayTotal]:
        return await self._call(self._store.usage.days, count)

    async def usage_page(self, only: UsageFilter, before: int | None = None) -> UsagePage:
        return await self._call(self._store.usage.page, only, before=before)

    async def usage_page_after(self, only: UsageFilter, after: int | None = None) -> UsagePage:
        return await self._call(self._store.usage.page_after, only, after=after)

    async def usage_choices(self) -> UsageChoices:
        return await self._call(self._store.usage.choices)

    async def count_ips(self) -> int:
        return await self._call(self._store.usage.count_ips)

    async def erase_ips(self) -> int:
        return await self._call(self._store.usage.erase_ips)
