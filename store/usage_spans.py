"""The ids of the usage log within a span of times.

Ids are in the order of the calls. Times are almost: two processes log with two clocks, and a clock may be set back.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Select, func, select, union_all

from store.models import UsageEntryRow

Span: TypeAlias = tuple[int | None, int | None]
"""The lowest id and the highest, inclusive; None: no bound."""
PROBED: Final = 200
"""Entries that are examined on each side of a bound."""
_PROBED_AT_END: Final = 20
_CLOCK_SKEW: Final = timedelta(minutes=5)
"""The most that the clocks of two processes that log may differ."""
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""Times farther away mean the same, and could not be moved to another zone."""

_LOG: Final = UsageEntryRow.c


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
    """As `exact_span`, by a bounded number of entries on the index; None if there is no entry.

    The entries with the times next to a bound are examined, those with the times farthest from it, and the oldest or
    newest ones. So a clock that was set back or forward over the bound is noticed, and one that was years off. Entries
    of a clock that was off for a while, long before or after the bound, and with more than `PROBED` others between, may
    be outside of the ids.
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
    log, in_time = select(_LOG.id).where(_LOG.account_id == account_id), _LOG.at >= since
    by_time, by_time_down = (_LOG.at, _LOG.id), (_LOG.at.desc(), _LOG.id.desc())
    oldest = select(_LOG.id, _LOG.at).where(_LOG.account_id == account_id).order_by(_LOG.id).limit(_PROBED_AT_END)
    ends = oldest.subquery()
    return _found(
        tx,
        func.min,
        log.where(in_time).order_by(*by_time).limit(PROBED),
        log.where(_LOG.at >= since - _CLOCK_SKEW).order_by(*by_time).limit(1),
        log.where(in_time).order_by(*by_time_down).limit(PROBED),
        select(ends.c.id).where(ends.c.at >= since),
    )


def _highest(tx: Connection, account_id: int, until: datetime) -> int | None:
    log, in_time = select(_LOG.id).where(_LOG.account_id == account_id), _LOG.at < until
    by_time, by_time_down = (_LOG.at, _LOG.id), (_LOG.at.desc(), _LOG.id.desc())
    newest = select(_LOG.id, _LOG.at).where(_LOG.account_id == account_id).order_by(_LOG.id.desc())
    ends = newest.limit(_PROBED_AT_END).subquery()
    return _found(
        tx,
        func.max,
        log.where(in_time).order_by(*by_time_down).limit(PROBED),
        log.where(_LOG.at < until + _CLOCK_SKEW).order_by(*by_time_down).limit(1),
        log.where(in_time).order_by(*by_time).limit(PROBED),
        select(ends.c.id).where(ends.c.at < until),
    )


def _found(tx: Connection, farthest: Callable[..., Any], *probes: Select[Any]) -> int | None:
    """The `farthest` of all ids that the probes find, by one statement; None if they find none."""
    # A SELECT with an order or a limit is no part of a UNION on SQLite.
    ids = union_all(*(select(probe.subquery().c.id) for probe in probes)).subquery()
    found: int | None = tx.execute(select(farthest(ids.c.id))).scalar()
    return found
