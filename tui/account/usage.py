"""The usage log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from store.values.row_export import Exported, ExportFormat, ExportProgress
    from store.values.usage import DayTotal, UsageChoices, UsageFilter, UsagePage


class UsageService(Protocol):
    """Reads the log, and erases client addresses from it."""

    async def daily_usage(self, count: int = 30) -> list[DayTotal]:
        """The totals of the last `count` UTC days, the oldest first, without days that saw no call.

        Raises the session errors.
        """
        ...

    async def usage_page(self, only: UsageFilter, before: int | None = None) -> UsagePage:
        """At most 50 entries that match a filter, the newest first.

        `before` is the `next_before` of the page above. Raises the session errors.
        """
        ...

    async def usage_page_after(self, only: UsageFilter, after: int | None = None) -> UsagePage:
        """At most 50 entries that match a filter: the oldest, or those just after an entry. The newest is the first.

        `after` is the `next_after` of the page below, or the id of an entry. Raises the session errors.
        """
        ...

    async def usage_choices(self) -> UsageChoices:
        """The models, key names and states in the log, at most 200 of each. Raises the session errors."""
        ...

    async def export_usage(
        self, path: Path, form: ExportFormat, only: UsageFilter, told: Callable[[ExportProgress], None]
    ) -> Exported:
        """Save the entries that match a filter to a file, the newest first, as `FileService.save` does.

        `told` is called on the event loop as the export goes on. Once the call is cancelled, no file is left. Raises
        the errors of `FileService.save`, and the session errors.
        """
        ...

    async def count_ips(self) -> int:
        """The number of entries with a client address, counted up to 10,001. Raises the session errors."""
        ...

    async def erase_ips(self) -> int:
        """Erase the client address of every entry; returns how many had one. Raises the session errors."""
        ...
