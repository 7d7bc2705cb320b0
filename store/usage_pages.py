"""Pages of the usage log, by keyset on an index, for every filter.

A page of one filter reads as many rows as it has. A page of several filters, or of a time, reads at most
`MAX_CANDIDATES` rows of the filter that has the fewest, so it may have fewer entries than asked for, or none, and still
be followed by another.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, literal, select, union_all

from store.context import Context
from store.errors import InvalidNumber
from store.models import UsageEntryRow
from store.sessions import Sessions
from store.text import is_sanitized
from store.usage_rows import logged_entries
from store.usage_spans import Span, near_span, within_limits
from store.values.usage import EVERYTHING, UsageChoices, UsageFilter, UsagePage

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 500
MAX_CANDIDATES: Final = 2000
"""Rows that a page of several filters, or of a time, reads at most."""
MAX_CHOICES: Final = 200
"""Different values of a column that are offered."""
MAX_VALUES: Final = 20
"""Values of one filter."""
_LOG: Final = UsageEntryRow.c


@dataclass(frozen=True, slots=True)
class _Question:
    """One page to be read."""

    account_id: int
    only: UsageFilter
    ascending: bool
    limit: int
    low: int | None = None
    """The lowest id of the page, inclusive."""
    high: int | None = None

    @property
    def in_span(self) -> list[ColumnElement[bool]]:
        """The account, and the span of ids: each index of a filter has these."""
        found: list[ColumnElement[bool]] = [_LOG.account_id == self.account_id]
        if self.low is not None:
            found.append(_LOG.id >= self.low)
        if self.high is not None:
            found.append(_LOG.id <= self.high)
        return found

    @property
    def in_time(self) -> list[ColumnElement[bool]]:
        found = []
        if self.only.since is not None:
            found.append(_LOG.at >= self.only.since)
        if self.only.until is not None:
            found.append(_LOG.at < self.only.until)
        return found

    @property
    def order(self) -> ColumnElement[int]:
        return _LOG.id.asc() if self.ascending else _LOG.id.desc()

    def stop_at(self, edge: int) -> "_Question":
        """The same page, read no farther than `edge`."""
        return replace(self, high=edge) if self.ascending else replace(self, low=edge)


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
        rows, following = _read(tx, _Question(account_id, only, ascending=False, limit=limit, high=high), within)
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
        rows, following = _read(tx, _Question(account_id, only, ascending=True, limit=limit, low=low), within)
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


def canonical_ip(text: str) -> str | None:
    """An IP address in canonical form, an IPv4-mapped one as IPv4; None for other text."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


# -- reading ------------------------------------------------------------------------------------------------------


def _read(tx: Connection, question: _Question, within: Span | None) -> tuple[Sequence[Row[Any]], int | None]:
    """The rows of a page in the order of reading, and the id from which to go on."""
    if not 1 <= question.limit <= MAX_PAGE_SIZE:
        raise InvalidNumber(f"A page has 1 to {MAX_PAGE_SIZE} entries.", field="limit")
    filters = _filters(question.only)
    if any(not values for _, values in filters):
        return (), None
    bounded = _within_time(tx, question, within)
    if bounded is None:
        return (), None
    question, edge = bounded, None
    if question.in_time and not filters:
        edge = _edge(tx, question, None, ("",))
        question = question if edge is None else question.stop_at(edge)
    elif len(filters) > 1 or question.in_time:
        edges = [(at, _edge(tx, question, *chosen)) for at, chosen in enumerate(filters)]
        at, edge = min(edges, key=lambda found: _reach(found[1], ascending=question.ascending))
        filters.insert(0, filters.pop(at))
        if edge is not None:
            question = question.stop_at(edge)
    rows = tx.execute(_rows(question, filters)).all()
    if len(rows) > question.limit:
        return rows[: question.limit], rows[question.limit - 1].id
    return rows, edge


def _filters(only: UsageFilter) -> list[tuple[Column[str], tuple[str, ...]]]:
    """Each filtered column and its values. A value that no entry can have is left out."""
    address = None if only.ip is None else (canonical_ip(only.ip) or "",)
    asked: tuple[tuple[Column[Any], tuple[str, ...] | None], ...] = (
        (_LOG.client_ip, address),
        (_LOG.api_key_name, only.keys or None),
        (_LOG.model, only.models or None),
        (_LOG.status, only.statuses or None),
        (_LOG.kind, None if only.kind is None else (only.kind.value,)),
    )
    found = []
    for column, values in asked:
        if values is not None:
            if len(values) > MAX_VALUES:
                raise InvalidNumber(f"A filter has at most {MAX_VALUES} values.", field="filter")
            found.append((column, tuple(value for value in dict.fromkeys(values) if is_sanitized(value))))
    return found


def _within_time(tx: Connection, question: _Question, within: Span | None) -> _Question | None:
    """`question` with the span of ids of its times; None if no entry is in them.

    The ids are found on the index of the times, so that any filter can be read on its own index.
    """
    since, until = (within_limits(time) for time in question.only.span)
    span = near_span(tx, question.account_id, since, until) if within is None else within
    if span is None:
        return None
    low = max((one for one in (question.low, span[0]) if one is not None), default=None)
    high = min((one for one in (question.high, span[1]) if one is not None), default=None)
    return replace(question, only=replace(question.only, since=since, until=until), low=low, high=high)


def _edge(tx: Connection, question: _Question, column: Column[str] | None, values: tuple[str, ...]) -> int | None:
    """The id at which `MAX_CANDIDATES` rows with one of `values` were passed; None if there are not so many.

    Without a column all rows count.
    """
    offset = MAX_CANDIDATES // len(values) - 1
    steps = select(_LOG.id).where(*question.in_span).order_by(question.order).limit(1).offset(offset)
    of_values = (steps if column is None else steps.where(column == value) for value in values)
    edges = [edge for step in of_values if (edge := tx.execute(step).scalar()) is not None]
    if not edges:
        return None
    return min(edges) if question.ascending else max(edges)


def _reach(edge: int | None, *, ascending: bool) -> float:
    """Smaller for a scan that comes farther."""
    if edge is None:
        return float("-inf")
    return -edge if ascending else edge


def _rows(question: _Question, filters: Sequence[tuple[Column[str], tuple[str, ...]]]) -> "Select[Any] | Any":
    """The statement of a page. The first filter is read on its index, and the others are compared row by row."""
    where = [*question.in_span, *question.in_time]
    for column, values in filters[1:]:
        # The expression keeps the database from reading the index of this column instead.
        compared = column + literal("")
        where.append(compared.in_(values) if len(values) > 1 else compared == values[0])
    limit = question.limit + 1
    if not filters or len(filters[0][1]) == 1:
        where += [column == values[0] for column, values in filters[:1]]
        return select(UsageEntryRow).where(*where).order_by(question.order).limit(limit)
    # Each value has its own order on the index, so the newest of each are merged. Only the ids are, because a row is
    # twenty times as long.
    column, values = filters[0]
    ids = select(_LOG.id).where(*where).order_by(question.order).limit(limit)
    merged = union_all(*(select(ids.where(column == value).subquery()) for value in values)).subquery()
    order = merged.c.id.asc() if question.ascending else merged.c.id.desc()
    chosen = select(merged.c.id).order_by(order).limit(limit)
    return select(UsageEntryRow).where(_LOG.id.in_(chosen)).order_by(question.order)


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
