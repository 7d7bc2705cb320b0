"""The usage log grows with every call: entries older than the administrator keeps them go, a batch at a time."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, or_, select

from store.context import Context
from store.models import RateWindow, UsageEntryRow
from store.site import Site
from store.upsert import upsert

BATCH: Final = 1000
MOST_BATCHES: Final = 100
"""In one run: a hundred thousand entries, each batch a transaction of its own, so that calls come between."""
RATE_WINDOW_KEPT: Final = timedelta(minutes=4)
"""Between two runs, whichever process does them."""
_RUN: Final = "run:usage-retention"


class Retention:
    def __init__(self, context: Context, site: Site) -> None:
        self._context = context
        self._site = site

    def prune(self) -> int:
        """Delete entries older than `usage.retention_days`, oldest first; returns how many. Totals of days stay.

        One process at a time: whoever claims the run does it. One that dies is followed by the next run.
        """
        days = self._site.number("usage.retention_days")
        if not days or not self._claim():
            return 0
        pruned, after = 0, 0
        for _ in range(MOST_BATCHES):
            last, found = self._prune_batch(after, days)
            pruned += found
            if last is None or not found:
                break
            after = last
        return pruned

    def _claim(self) -> bool:
        now = self._context.now()
        with self._context.database.write() as tx:
            is_due = or_(RateWindow.started_at <= now - RATE_WINDOW_KEPT, RateWindow.started_at > now)
            return upsert(tx, RateWindow, {"bucket": _RUN}, {"hits": 1, "started_at": (now, now)}, only_if=is_due)

    def _prune_batch(self, after: int, days: int) -> tuple[int | None, int]:
        """The last id that was looked at, or None beyond the end, and how many entries were deleted."""
        cutoff = self._context.now() - timedelta(days=days)
        with self._context.database.read() as tx:
            ids = tx.execute(
                select(UsageEntryRow.id).where(UsageEntryRow.id > after).order_by(UsageEntryRow.id).limit(BATCH)
            ).scalars()
            last = max(ids, default=None)
        if last is None:
            return None, 0
        with self._context.database.write() as tx:
            deleted = tx.execute(
                delete(UsageEntryRow).where(
                    UsageEntryRow.id > after, UsageEntryRow.id <= last, UsageEntryRow.at < cutoff
                )
            )
        return last, deleted.rowcount
