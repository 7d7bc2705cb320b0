"""The periods of spend limits, and the expressions that read them in statements.

A key's row keeps the begin of the period that its spending belongs to. A row of an earlier period counts as 0, so no
job has to reset anything. A begin never moves back: a process whose clock is behind counts into the later period.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import and_, bindparam, case, or_

from store.models import ApiKey, UtcDateTime
from store.values.api_keys import LimitPeriod


def period_start(period: LimitPeriod, now: datetime) -> datetime | None:
    """The begin of the period at `now`, at midnight UTC; None for no period."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if period is LimitPeriod.DAILY:
        return day
    if period is LimitPeriod.WEEKLY:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is LimitPeriod.MONTHLY else None


def next_period(period: LimitPeriod, now: datetime) -> datetime | None:
    """The end of the period at `now`; None for no period."""
    start = period_start(period, now)
    if start is None:
        return None
    if period is LimitPeriod.MONTHLY:
        return (start + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=1 if period is LimitPeriod.DAILY else 7)


def period_parameters(now: datetime) -> Mapping[str, Any]:
    """The parameters of the expressions below at `now`."""
    return _parameters_on(now.astimezone(UTC).date())


@lru_cache(maxsize=2)
def _parameters_on(day: date) -> Mapping[str, Any]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return MappingProxyType({f"{period.value}_start": period_start(period, midnight) for period in _WITH_RESET})


_WITH_RESET: Final = (LimitPeriod.DAILY, LimitPeriod.WEEKLY, LimitPeriod.MONTHLY)
_START: Final = case(
    *(
        (ApiKey.c.limit_period == period.value, bindparam(f"{period.value}_start", type_=UtcDateTime()))
        for period in _WITH_RESET
    ),
    else_=None,
)
_IS_CURRENT: Final = and_(_START.is_not(None), ApiKey.c.period_started_at >= _START)
IN_PERIOD: Final = case((or_(_START.is_(None), _IS_CURRENT), ApiKey.c.period_spent_micro_usd), else_=0)
"""Spent in the current period. Without a period the row goes on, in case the key gets its period back."""
STARTED_AT: Final = case((or_(_START.is_(None), _IS_CURRENT), ApiKey.c.period_started_at), else_=_START)
"""The begin of the period that a spending of now belongs to."""
COUNTED: Final = case((_START.is_(None), ApiKey.c.spent_micro_usd), else_=IN_PERIOD)
"""The amount that counts against the spend limit now."""
