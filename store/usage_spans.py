"""The ids of the usage log within a span of times.

Ids are in the order of the calls. Times are almost: two processes log with two clocks, and a clock may be set back, or
have been off for a while.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy import Connection, bindparam, func, select

from store.models import UsageDay, UsageEntryRow

Span: TypeAlias = tuple[int | None, int | None]
"""The lowest id and the highest, inclusive; None: no bound."""
_CLOCK_SKEW: Final = timedelta(minutes=5)
"""The most by which the order of ids and the order of counting may differ: two processes have two clocks."""
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""Times farther away mean the same, and could not be moved to another zone."""

_DAY: Final = timedelta(days=1)
_LOG: Final = UsageEntryRow.c
_DAYS: Final = UsageDay.c
_ID_BY_TIME: Final = _LOG.id + 0
"""The id, as an expression that keeps the database from walking the index of the ids for the lowest or highest."""
# Built once: to build a statement takes as long as to run it, and each page of a time runs eight.
_IN_TIME: Final = (
    _LOG.account_id == bindparam("account"),
    _LOG.at >= bindparam("since"),
    _LOG.at < bindparam("until"),
)
_FIRST_AT: Final = select(_LOG.at).where(*_IN_TIME).order_by(_LOG.at).limit(1)
_LAST_AT: Final = select(_LOG.at).where(*_IN_TIME).order_by(_LOG.at.desc()).limit(1)
_LOWEST_ID: Final = select(func.min(_ID_BY_TIME)).where(*_IN_TIME)
_HIGHEST_ID: Final = select(func.max(_ID_BY_TIME)).where(*_IN_TIME)
_OF_ACCOUNT: Final = _DAYS.account_id == bindparam("account")
_SET_BACK: Final = select(_DAYS.set_back_ms).where(_OF_ACCOUNT, _DAYS.day == bindparam("day"))
_LOWEST_OF_LATER_DAYS: Final = select(func.min(_DAYS.first_entry_id)).where(_OF_ACCOUNT, _DAYS.day > bindparam("day"))
_HIGHEST_OF_EARLIER_DAYS: Final = select(func.max(_DAYS.last_entry_id)).where(_OF_ACCOUNT, _DAYS.day < bindparam("day"))


def within_limits(time: datetime | None) -> datetime | None:
    """`time`, or the nearest one that every zone has."""
    return None if time is None else min(max(time, _EARLIEST), _LATEST)


def exact_span(tx: Connection, account_id: int, since: datetime | None, until: datetime | None) -> Span | None:
    """The ids of all entries from `since` until before `until`; None if there is none.

    The index is read for the whole span: a second for ten million entries. An export reads it once.
    """
    if since is None and until is None:
        return None, None
    where = [_LOG.account_id == account_id]
    if (first := within_limits(since)) is not None:
        where.append(_LOG.at >= first)
    if (end := within_limits(until)) is not None:
        where.append(_LOG.at < end)
    low, high = tx.execute(select(func.min(_LOG.id), func.max(_LOG.id)).where(*where)).one()
    # Without an entry both are NULL, which the types of the functions do not tell.
    found: Span = low, high
    return None if found[0] is None else found


def near_span(tx: Connection, account_id: int, since: datetime | None, until: datetime | None) -> Span | None:
    """Ids among which all entries from `since` until before `until` are; None if there is no entry.

    No entry is outside of them, however far a clock was off. The other days are read from their totals, and of the day
    of a bound the entries next to it: as many as the clock was set back on that day, and `_CLOCK_SKEW` more. The ids
    hold entries of other times too, where a clock was off.
    """
    low = high = None
    if (first := within_limits(since)) is not None:
        low = _lowest(tx, account_id, first)
        if low is None:
            return None
    if (end := within_limits(until)) is not None:
        high = _highest(tx, account_id, end)
        if high is None:
            return None
    return low, high


def _lowest(tx: Connection, account_id: int, since: datetime) -> int | None:
    """The lowest id of the entries from `since`, or a lower one."""
    start, day, set_back = _day_of(tx, account_id, since)
    end = start + _DAY
    in_day = {"account": account_id, "since": since, "until": end}
    next_at: datetime | None = tx.execute(_FIRST_AT, in_day).scalar()
    found = [tx.execute(_LOWEST_OF_LATER_DAYS, {"account": account_id, "day": day}).scalar()]
    if next_at is not None:
        # One bound, not two: SQLite reads the index up to the first of them.
        near = in_day if set_back is None else in_day | {"until": min(end, next_at + set_back)}
        found.append(tx.execute(_LOWEST_ID, near).scalar())
    return min((one for one in found if one is not None), default=None)


def _highest(tx: Connection, account_id: int, until: datetime) -> int | None:
    """The highest id of the entries before `until`, or a higher one."""
    start, day, set_back = _day_of(tx, account_id, until)
    in_day = {"account": account_id, "since": start, "until": until}
    last_at: datetime | None = tx.execute(_LAST_AT, in_day).scalar()
    found = [tx.execute(_HIGHEST_OF_EARLIER_DAYS, {"account": account_id, "day": day}).scalar()]
    if last_at is not None:
        near = in_day if set_back is None else in_day | {"since": max(start, last_at - set_back)}
        found.append(tx.execute(_HIGHEST_ID, near).scalar())
    return max((one for one in found if one is not None), default=None)


def _day_of(tx: Connection, account_id: int, time: datetime) -> tuple[datetime, str, timedelta | None]:
    """The start and the name of the UTC day of `time`, and how far the times in it may be out of order.

    An entry whose id is lower than that of another is later by less than that. None: not known.
    """
    start = time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = f"{start:%Y-%m-%d}"
    milliseconds = tx.execute(_SET_BACK, {"account": account_id, "day": day}).scalar()
    return start, day, None if milliseconds is None else timedelta(milliseconds=milliseconds) + _CLOCK_SKEW
