"""Deletion of usage log entries older than the site's retention time, in batches."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, or_, select

from store.context import Context
from store.models import RateWindow, UsageEntryRow
from store.site import Site
from store.upsert import upsert

BATCH_ENTRIES: Final = 1000
MAX_BATCHES: Final = 100
"""Per run: 100,000 entries. Each batch is its own transaction, so that calls are not blocked."""
RUN_INTERVAL: Final = timedelta(minutes=4)
"""The shortest time between two runs of all processes."""
_RUN: Final = "run:usage-retention"


class Retention:
    """Deletes old usage log entries."""

    def __init__(self, context: Context, site: Site) -> None:
        self._context = context
        self._site = site

    def prune(self) -> int:
        """Delete entries older than `usage.retention_days`, oldest first; returns the number. Daily totals stay.

        A process claims each run, so that only one process runs at a time. The next run continues an interrupted one.
        """
        days = self._site.number("usage.retention_days")
        if not days or not self._claim():
            return 0
        pruned, after = 0, 0
        for _ in range(MAX_BATCHES):
            last, found = self._prune_batch(after, days)
            pruned += found
            if last is None or not found:
                break
            after = last
        return pruned

    def _claim(self) -> bool:
        now = self._context.now()
        with self._context.database.write() as tx:
            is_due = or_(RateWindow.c.started_at <= now - RUN_INTERVAL, RateWindow.c.started_at > now)
            return upsert(tx, RateWindow, {"bucket": _RUN}, {"hits": 1, "started_at": (now, now)}, only_if=is_due)

    def _prune_batch(self, after: int, days: int) -> tuple[int | None, int]:
        """The last id examined, or None at the end of the log, and the number of deleted entries."""
        cutoff = self._context.now() - timedelta(days=days)
        with self._context.database.read() as tx:
            ids = tx.execute(
                select(UsageEntryRow.c.id)
                .where(UsageEntryRow.c.id > after)
                .order_by(UsageEntryRow.c.id)
                .limit(BATCH_ENTRIES)
            ).scalars()
            last = max(ids, default=None)
        if last is None:
            return None, 0
        with self._context.database.write() as tx:
            deleted = tx.execute(
                delete(UsageEntryRow).where(
                    UsageEntryRow.c.id > after, UsageEntryRow.c.id <= last, UsageEntryRow.c.at < cutoff
                )
            )
        return last, deleted.rowcount
