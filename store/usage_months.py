"""Partitions of the usage log on PostgreSQL, one for each UTC month: made ahead, and dropped as a whole.

Migration 0013 partitions `usage_log` by `at`. `usage_log_rest` takes the times that no partition has, so no insert
fails: a month that nobody made in time, and times of a clock that was off. When a month is made, its entries are moved
there from the rest. Ids come from one sequence and are unique in all partitions, but the primary key includes `at`.

Each change is a short transaction that gives up when it waits for a lock, so that calls do not queue behind it: a
backup or an export that reads the log delays it until the next run. SQLite keeps one table.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from store.context import Context
from store.errors import DatabaseBusy
from store.site import Site
from store.sqlite_engine import APPLICATION_ID

MONTHS_AHEAD: Final = 2
MAX_MOVED: Final = 100_000
"""Entries that a new month takes from the rest at most, because calls wait meanwhile. More stay in the rest, where
they are found as well, and are deleted row by row."""
LOCK_TIMEOUT_MS: Final = 250
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Times before and from then on come from a clock that was off, and stay in the rest."""

_MONTHS_LOCK: Final = 2
"""The second half of the advisory lock; `row_locks` has the first."""
_PARTITIONS: Final = text(
    "SELECT relname AS name, substring(bounds FROM $$FROM \\('([^']+)'\\)$$)::timestamptz AS first,"
    " substring(bounds FROM $$TO \\('([^']+)'\\)$$)::timestamptz AS upto"
    " FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid, pg_get_expr(relpartbound, pg_class.oid) AS bounds"
    " WHERE inhparent = 'usage_log'::regclass AND bounds <> 'DEFAULT' ORDER BY 3"
)
_MONTHS_IN_SQLITE: Final = text("SELECT DISTINCT substr(at, 1, 7) FROM usage_log")
_MONTHS_IN_REST: Final = text(
    "SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"
    " FROM (SELECT at FROM usage_log_rest LIMIT :most) AS found WHERE at >= :earliest AND at < :end"
)
_IN_REST: Final = "FROM usage_log_rest WHERE at >= :first AND at < :upto"


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition with bounds; None: no bound."""

    name: str
    first: datetime | None
    upto: datetime | None

    def overlaps(self, first: datetime, upto: datetime) -> bool:
        return (self.first is None or self.first < upto) and (self.upto is None or first < self.upto)


@dataclass(frozen=True, slots=True)
class MonthsKept:
    """The changes of a run: names of partitions, such as usage_log_2026_11."""

    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


class UsageMonths:
    """Makes the partitions of the coming months, and drops those that lie entirely beyond the retention time."""

    def __init__(self, context: Context, site: Site) -> None:
        self._context = context
        self._site = site

    def keep(self) -> MonthsKept:
        """Make and drop what is due. Whatever waits for a lock is left to the next run. Raises `StoreUnavailable`."""
        if not self._context.database.is_postgresql:
            return MonthsKept()
        made: list[str] = []
        dropped: list[str] = []
        # Someone reads the whole log.
        with suppress(DatabaseBusy):
            self._make(made)
            self._drop(dropped)
        return MonthsKept(tuple(made), tuple(dropped))

    def _make(self, made: list[str]) -> None:
        now = self._context.now()
        if not EARLIEST <= now < LATEST:
            return
        ahead = [month_of(now)]
        for _ in range(MONTHS_AHEAD):
            ahead.append(next_month(ahead[-1]))
        with self._context.database.read() as tx:
            limits = {"most": MAX_MOVED, "earliest": EARLIEST, "end": next_month(ahead[-1])}
            found = {month.astimezone(UTC) for month in tx.execute(_MONTHS_IN_REST, limits).scalars()}
            there = partitions(tx)
        for month in sorted({*ahead, *found}):
            if not any(one.overlaps(month, next_month(month)) for one in there):
                with self._context.database.write() as tx:
                    _give_up_early(tx)
                    made += [name for name in (make_month(tx, month),) if name is not None]

    def _drop(self, dropped: list[str]) -> None:
        days = self._site.number("usage.retention_days")
        if not days:
            return
        cutoff = self._context.now() - timedelta(days=days)
        with self._context.database.read() as tx:
            old = [one for one in partitions(tx) if one.upto is not None and one.upto <= cutoff]
        for partition in old:
            with self._context.database.write() as tx:
                _give_up_early(tx)
                if partition in partitions(tx):
                    # The table first: a call that books has a lock on it before it waits for a partition.
                    tx.execute(text("LOCK TABLE ONLY usage_log IN ACCESS EXCLUSIVE MODE"))
                    tx.execute(text(f"DROP TABLE {_quoted(tx, partition.name)}"))
                    dropped.append(partition.name)


def partitions(tx: Connection) -> list[Partition]:
    """The partitions with bounds, the oldest first."""
    return [Partition(row.name, row.first, row.upto) for row in tx.execute(_PARTITIONS)]


def make_month(tx: Connection, month: datetime) -> str | None:
    """Make the partition of `month` inside `tx`, and move its entries there from the rest; returns its name.

    None, and nothing is changed, if a partition or table is there already, or the rest has more than `MAX_MOVED`
    entries of the month.
    """
    name, end = f"usage_log_{month:%Y_%m}", next_month(month)
    span = {"first": month, "upto": end}
    # In the order in which calls lock: accounts, then the log. The foreign key needs a lock on accounts. The one on the
    # log waits for calls that write: one that has chosen the rest for its entry would fail once the month is there.
    tx.execute(text("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE"))
    tx.execute(text("LOCK TABLE ONLY usage_log IN SHARE ROW EXCLUSIVE MODE"))
    is_there = tx.execute(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": name}).scalar_one()
    if is_there or any(one.overlaps(month, end) for one in partitions(tx)):
        return None
    tx.execute(text("LOCK TABLE usage_log_rest IN ACCESS EXCLUSIVE MODE"))
    some = text(f"SELECT count(*) FROM (SELECT 1 {_IN_REST} LIMIT :most) AS found")  # noqa: S608 - constants
    if tx.execute(some, {**span, "most": MAX_MOVED + 1}).scalar_one() > MAX_MOVED:
        return None
    tx.execute(text(f"CREATE TABLE {name} (LIKE usage_log INCLUDING DEFAULTS)"))
    moved = f"WITH moved AS (DELETE {_IN_REST} RETURNING *) INSERT INTO {name} SELECT * FROM moved"  # noqa: S608
    tx.execute(text(moved), span)
    bounds = f"FROM ('{month.isoformat()}') TO ('{end.isoformat()}')"
    tx.execute(text(f"ALTER TABLE usage_log ATTACH PARTITION {name} FOR VALUES {bounds}"))
    return name


def make_months_of(tx: Connection, source: Connection) -> None:
    """Make the partitions for the entries of `source`, an SQLite database, inside `tx`."""
    for words in source.execute(_MONTHS_IN_SQLITE).scalars():
        # Other words are no time, which the copy of the rows refuses.
        if re.fullmatch(r"(?:19[7-9]|20\d|21\d)\d-(0[1-9]|1[0-2])", words):
            make_month(tx, datetime(int(words[:4]), int(words[5:]), 1, tzinfo=UTC))


def month_of(time: datetime) -> datetime:
    """The first moment of the UTC month of `time`."""
    return time.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    """The first moment of the month after `month`, which is one too."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def _give_up_early(tx: Connection) -> None:
    tx.execute(text(f"SET LOCAL lock_timeout TO {LOCK_TIMEOUT_MS}"))
    # Two processes do not make the same month. The function takes no bigint, which a parameter may be.
    tx.execute(text(f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, {_MONTHS_LOCK})"))


def _quoted(tx: Connection, name: str) -> str:
    return tx.dialect.identifier_preparer.quote(name)
