"""Values that a page shows at a glance, from several topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from store.values.audit import EVERY_EVENT
from store.values.overview import SecurityOverview, Summary

if TYPE_CHECKING:
    from store.values.audit import Event, EventFilter

__all__ = ["OverviewService", "SecurityOverview", "Summary"]


class OverviewService(Protocol):
    """Reads what a page shows at a glance."""

    async def summary(self) -> Summary:
        """The contents of the frame. Raises the session errors."""
        ...

    async def security(self) -> SecurityOverview:
        """The contents of the Security tab. Raises the session errors."""
        ...

    async def audit_events(self, before: int | None = None, only: EventFilter = EVERY_EVENT) -> list[Event]:
        """At most 50 events of the account, the newest first; with `before`, those of a lower sequence number.

        Raises the session errors.
        """
        ...
