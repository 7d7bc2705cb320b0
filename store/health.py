"""The health check of the database: one write, and the free disk space under it."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from store.database import Database
from store.errors import DatabaseFull, DatabaseUnreachable
from store.models import RateWindow
from store.upsert import upsert

MIN_FREE_BYTES: Final = 64 * 1024 * 1024
"""Bytes of free disk space for an SQLite database. With less, writes are about to fail."""
PROBE_TIMEOUT_S: Final = 2.0
"""Seconds to wait for another writer."""
_ROW: Final = "health"


class _RollbackError(Exception):
    """Rolls the probe write back."""


def check_writable(database: Database, *, is_kept: bool = True) -> None:
    """Write one small row. The write is committed if `is_kept`, else rolled back.

    Raises `StoreUnavailable`, and `DatabaseFull` also below `MIN_FREE_BYTES` bytes of free space.
    """
    if database.path is not None:
        try:
            free = shutil.disk_usage(database.path.parent).free
        except OSError as error:
            raise DatabaseUnreachable from error
        if free < MIN_FREE_BYTES:
            raise DatabaseFull(
                f"Only {free // 1024 // 1024} MiB are free where the database lies. Free some space: writes are about "
                "to fail."
            )
    with suppress(_RollbackError), database.write(durable=False, lock_timeout_s=PROBE_TIMEOUT_S) as tx:
        began = datetime.fromtimestamp(0, UTC)
        upsert(tx, RateWindow, {"bucket": _ROW}, {"hits": (1, 1 - RateWindow.c.hits), "started_at": (began, began)})
        if not is_kept:
            raise _RollbackError
