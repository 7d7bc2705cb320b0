"""The dashboard: the figures of the page Overview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.dashboard import Dashboard


class DashboardService(Protocol):
    """Reads the figures of the account."""

    async def dashboard(self, days: int = 30, *, is_activity: bool = True) -> Dashboard:
        """The figures of the last `days` UTC days, 1 to 366.

        `is_activity` is False for a refresh that nobody asked for, which does not keep the session alive. Raises
        `InvalidNumber`, and the session errors.
        """
        ...
