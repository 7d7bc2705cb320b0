"""Totals of the usage log by model or API key, and of each day, from rows that every call adds to."""

from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

from sqlalchemy import Connection, func, select

from store.context import Context
from store.errors import InvalidNumber
from store.models import UsageDay
from store.models import UsageTotal as UsageTotalRow
from store.sessions import Sessions
from store.values.usage import DayTotal, UsageTotal

By: TypeAlias = Literal["model", "key"]
MAX_DAYS: Final = 366
MAX_NAMES: Final = 100
"""The most models, or API keys, that are told apart in one answer. All others are one total, the last one."""


class UsageTotals:
    """Reads totals. No query scans the log."""

    def __init__(self, context: Context, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions

    def totals(self, token: str, days: int, *, by: By) -> tuple[UsageTotal, ...]:
        """The totals of the last `days` UTC days of the session's account by model or key, the dearest first.

        A refused call has no model, and its name is empty. Raises `InvalidNumber`.
        """
        with self._sessions.reading(token) as (tx, session):
            return self.totals_of(tx, session.account_id, days, by=by)

    def totals_of(self, tx: Connection, account_id: int, days: int, *, by: By) -> tuple[UsageTotal, ...]:
        """The totals of an account, as `totals`, inside `tx`. They add up to the days."""
        name = UsageTotalRow.c.model if by == "model" else UsageTotalRow.c.api_key_name
        cost, calls = func.sum(UsageTotalRow.c.cost_micro_usd), func.sum(UsageTotalRow.c.calls)
        sums = (calls, func.sum(UsageTotalRow.c.errors), func.sum(UsageTotalRow.c.tokens), cost)
        in_days = (UsageTotalRow.c.account_id == account_id, UsageTotalRow.c.day >= f"{self._first(days)}")
        named = select(name, *sums).where(*in_days).group_by(name).order_by(cost.desc(), calls.desc(), name)
        # PostgreSQL sums to a numeric.
        totals = tuple(
            UsageTotal(row[0], int(row[1]), int(row[2]), int(row[3]), int(row[4]))
            for row in tx.execute(named.limit(MAX_NAMES))
        )
        if len(totals) < MAX_NAMES:
            return totals
        whole = tx.execute(select(func.count(name.distinct()), *sums).where(*in_days)).one()
        if whole[0] == MAX_NAMES:
            return totals
        rest = UsageTotal(
            "",
            int(whole[1]) - sum(total.calls for total in totals),
            int(whole[2]) - sum(total.errors for total in totals),
            int(whole[3]) - sum(total.tokens for total in totals),
            int(whole[4]) - sum(total.cost_micro_usd for total in totals),
            names=whole[0] - MAX_NAMES,
        )
        return (*totals, rest)

    def days_of(self, tx: Connection, account_id: int, days: int) -> tuple[DayTotal, ...]:
        """The totals of each of the last `days` UTC days of an account, oldest first, also of days without a call."""
        first = self._first(days)
        rows = tx.execute(
            select(UsageDay).where(UsageDay.c.account_id == account_id, UsageDay.c.day >= f"{first}")
        ).all()
        found = {row.day: row for row in rows}
        dates = (f"{first + timedelta(days=number)}" for number in range(days))
        return tuple(
            DayTotal(day, row.calls, row.errors, row.tokens, row.cost_micro_usd)
            if (row := found.get(day)) is not None
            else DayTotal(day, 0, 0, 0, 0)
            for day in dates
        )

    def _first(self, days: int) -> date:
        if not 1 <= days <= MAX_DAYS:
            raise InvalidNumber(f"Totals are over 1 to {MAX_DAYS} days.", field="days")
        return self._context.now().date() - timedelta(days=days - 1)
