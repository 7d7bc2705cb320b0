"""Pages of the usage log, and the values that occur in it. `usage_keyset` tells how a page is read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Row, Select, literal, select

from store.context import Context
from store.models import UsageEntryRow
from store.sessions import Sessions
from store.usage_keyset import PageQuestion, read_rows
from store.usage_rows import logged_entries
from store.usage_spans import Span
from store.values.usage import EVERYTHING, UsageChoices, UsageFilter, UsagePage

PAGE_SIZE: Final = 50
MAX_CHOICES: Final = 200
"""Different values of a column that are offered."""
_LOG: Final = UsageEntryRow.c


class UsagePages:
    """Reads the usage log of an account."""

    def __init__(self, context: Context, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions

    def page(
        self,
        token: str,
        only: UsageFilter = EVERYTHING,
        *,
        before: int | None = None,
        limit: int = PAGE_SIZE,
        within: Span | None = None,
    ) -> UsagePage:
        """Entries of the session's account older than id `before`, newest first. Raises `InvalidNumber`.

        `within` are the ids of the filter's times, if the caller has found them.
        """
        with self._sessions.reading(token) as (tx, session):
            return self.page_of(tx, session.account_id, only, before=before, limit=limit, within=within)

    def page_after(
        self, token: str, only: UsageFilter = EVERYTHING, *, after: int | None = None, limit: int = PAGE_SIZE
    ) -> UsagePage:
        """The oldest entries of the session's account that are newer than id `after`. Raises `InvalidNumber`."""
        with self._sessions.reading(token) as (tx, session):
            return self.page_after_of(tx, session.account_id, only, after=after, limit=limit)

    def page_of(
        self,
        tx: Connection,
        account_id: int,
        only: UsageFilter = EVERYTHING,
        *,
        before: int | None = None,
        limit: int = PAGE_SIZE,
        within: Span | None = None,
    ) -> UsagePage:
        """The entries of an account, as `page`, inside `tx`. The time does not grow with the log or the page."""
        high = None if before is None else before - 1
        rows, following = read_rows(tx, PageQuestion(account_id, only, ascending=False, limit=limit, high=high), within)
        return UsagePage(logged_entries(rows), next_before=following, searched_to=_time_of(tx, rows, following))

    def page_after_of(
        self,
        tx: Connection,
        account_id: int,
        only: UsageFilter = EVERYTHING,
        *,
        after: int | None = None,
        limit: int = PAGE_SIZE,
        within: Span | None = None,
    ) -> UsagePage:
        """The entries of an account, as `page_after`, inside `tx`. They are in the order of a page, newest first."""
        low = None if after is None else after + 1
        rows, following = read_rows(tx, PageQuestion(account_id, only, ascending=True, limit=limit, low=low), within)
        return UsagePage(
            logged_entries(rows[::-1]), None, next_after=following, searched_to=_time_of(tx, rows, following)
        )

    def choices(self, token: str) -> UsageChoices:
        """The models, key names and states in the log of the session's account."""
        with self._sessions.reading(token) as (tx, session):
            return self.choices_of(tx, session.account_id)

    def choices_of(self, tx: Connection, account_id: int) -> UsageChoices:
        """The first `MAX_CHOICES` models, key names and states in the log of an account, in the order of the text.

        Each value takes one step on an index.
        """
        models, keys, statuses = (
            tuple(sorted(value for value in tx.execute(_different(account_id, column)).scalars() if value))
            for column in (_LOG.model, _LOG.api_key_name, _LOG.status)
        )
        return UsageChoices(models, keys, statuses)


def _different(account_id: int, column: Column[str]) -> Select[Any]:
    """The different values of a column: from each value the index is asked for the next one."""
    following = select(column).where(_LOG.account_id == account_id).order_by(column).limit(1)
    found = select(following.scalar_subquery().label("value"), literal(1).label("number")).cte("found", recursive=True)
    step = select(following.where(column > found.c.value).scalar_subquery(), found.c.number + 1).where(
        found.c.value.is_not(None), found.c.number < MAX_CHOICES
    )
    found = found.union_all(step)
    return select(found.c.value).where(found.c.value.is_not(None))


def _time_of(tx: Connection, rows: Sequence[Row[Any]], following: int | None) -> datetime | None:
    """The time at which a search without a result goes on."""
    if rows or following is None:
        return None
    at: datetime | None = tx.execute(select(_LOG.at).where(_LOG.id == following)).scalar()
    return at
