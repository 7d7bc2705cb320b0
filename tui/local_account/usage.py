"""The usage log."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from store.values.usage_export import UsageExported
from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from store.new_files import NewFiles
    from store.store import Store
    from store.values.usage import DayTotal, UsageChoices, UsageFilter, UsagePage
    from store.values.usage_export import ExportFormat, ExportProgress


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

    async def export_usage(
        self, path: Path, form: ExportFormat, only: UsageFilter, told: Callable[[ExportProgress], None]
    ) -> UsageExported:
        loop, stopped = asyncio.get_running_loop(), threading.Event()

        def tell(progress: ExportProgress) -> None:
            if stopped.is_set():
                raise _StoppedError
            loop.call_soon_threadsafe(told, progress)

        try:
            return await self._call(_export, self._store, self._new_files, path, form, only, tell)
        except asyncio.CancelledError:
            stopped.set()
            raise

    async def count_ips(self) -> int:
        return await self._call(self._store.usage.count_ips)

    async def erase_ips(self) -> int:
        return await self._call(self._store.usage.erase_ips)


class _StoppedError(Exception):
    """Ends an export in its thread, after nobody waits for it."""


def _export(
    token: str,
    store: Store,
    new_files: NewFiles,
    path: Path,
    form: ExportFormat,
    only: UsageFilter,
    told: Callable[[ExportProgress], None],
) -> UsageExported:
    rows = 0

    def count(progress: ExportProgress) -> None:
        nonlocal rows
        rows = progress.rows
        told(progress)

    return UsageExported(new_files.write(path, store.usage_export.pieces(token, form, only, count)), rows)
