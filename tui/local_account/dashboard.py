"""The figures of the page Overview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.values.dashboard import Dashboard


class LocalDashboard(LocalTopic):
    """`DashboardService` on the store."""

    async def dashboard(self, days: int = 30, *, is_activity: bool = True) -> Dashboard:
        return await self._call(self._store.dashboards.read, days, is_activity=is_activity)
