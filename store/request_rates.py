"""Requests per minute, summed over all gateway processes of one database."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, case, delete, select

from store.context import Context
from store.models import RateWindow
from store.upsert import upsert

_PURPOSE: Final = "requests"


class RequestRates:
    """The request counts that all gateway processes share."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add(self, tx: Connection, counts: Mapping[str, int], minute: datetime) -> dict[str, int]:
        """Add `counts` by name to `minute`; returns the totals of all processes in that minute, by name.

        A name has one row, for its newest minute. Counts of an earlier minute are dropped. Rows are written in sorted
        order, so that two processes cannot deadlock.
        """
        totals: dict[str, int] = {}
        for name in sorted(counts):
            bucket, count = self._bucket(name), counts[name]
            is_same = RateWindow.c.started_at == minute
            kept = upsert(
                tx,
                RateWindow,
                {"bucket": bucket},
                {
                    "hits": (count, case((is_same, RateWindow.c.hits + count), else_=count)),
                    "started_at": (minute, minute),
                },
                only_if=RateWindow.c.started_at <= minute,
            )
            found = tx.execute(select(RateWindow.c.hits).where(RateWindow.c.bucket == bucket)).scalar_one()
            totals[name] = found if kept else count
        return totals

    def forget_before(self, minute: datetime) -> None:
        """Delete the counts of minutes before `minute`."""
        with self._context.database.write() as tx:
            tx.execute(
                delete(RateWindow).where(
                    RateWindow.c.bucket.startswith(f"{_PURPOSE}:"), RateWindow.c.started_at < minute
                )
            )

    def _bucket(self, name: str) -> str:
        mac = self._context.ring.mac(_PURPOSE, hashlib.sha256(name.encode()).digest())
        return f"{_PURPOSE}:{mac.hex()[:32]}"
