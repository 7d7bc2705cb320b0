"""The usage log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.usage import DayTotal, Kind, UsagePage


class UsageService(Protocol):
    """Reads the log, and erases client addresses from it."""

    async def daily_usage(self, count: int = 30) -> list[DayTotal]:
        """The totals of the last `count` UTC days, the oldest first, without days that saw no call.

        Raises the session errors.
        """
        ...

    async def usage_page(self, kind: Kind | None, before: int | None = None, model: str | None = None) -> UsagePage:
        """At most 50 entries of a kind and a model, the newest first; None means any.

        `before` is the `next_before` of the page above. Raises the session errors.
        """
        ...

    async def count_ips(self) -> int:
        """The number of entries with a client address, counted up to 10,001. Raises the session errors."""
        ...

    async def erase_ips(self) -> int:
        """Erase the client address of every entry; returns how many had one. Raises the session errors."""
        ...
