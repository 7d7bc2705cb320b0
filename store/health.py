"""Whether the data can be read and written, and whether there is room for more."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from store.database import Database
from store.errors import DatabaseFull, DatabaseUnreachable
from store.models import RateWindow
from store.upsert import upsert

LEAST_FREE: Final = 64 * 1024 * 1024
"""Bytes on the disk of an SQLite database. With less, the next writes may fail at any moment."""
PROBE_TIMEOUT_S: Final = 2.0
"""Seconds that another writer is waited for."""
_ROW: Final = "health"


class _UndoneError(Exception):
    """Nothing of the write is to stay."""


def check_writable(database: Database, *, is_kept: bool = True) -> None:
    """Write one small row, always the same; unless `is_kept`, it is undone, and only a commit is left untried.

    Raises `StoreUnavailable`: `DatabaseFull` also where little is left.
    """
    if database.path is not None:
        try:
            free = shutil.disk_usage(database.path.parent).free
        except OSError as error:
            raise DatabaseUnreachable from error
        if free < LEAST_FREE:
            raise DatabaseFull(
                f"Only {free // 1024 // 1024} MiB are free where the database lies. Free some space: writes are about "
                "to fail."
            )
    with suppress(_UndoneError), database.write(durable=False, patience=PROBE_TIMEOUT_S) as tx:
        began = datetime.fromtimestamp(0, UTC)
        upsert(tx, RateWindow, {"bucket": _ROW}, {"hits": (1, 1 - RateWindow.hits), "started_at": (began, began)})
        if not is_kept:
            raise _UndoneError
