"""The rows of a page of the usage log, by keyset on an index, for every filter.

A page of one filter reads as many rows as it has. A page of several filters, or of a time, reads at most
`MAX_CANDIDATES` rows of the filter that has the fewest, so it may have fewer entries than asked for, or none, and still
be followed by another.

Pages are in the order of the ids, which is that of the calls. Each entry whose time is within the filter is on exactly
one page, and the oldest by id is on the first one from the end, also if the clock was off when it was logged. Where a
clock was off, entries of the time are in several places of the log. A page that finds none continues behind the gap if
the time has no more than `MAX_IN_TIME` entries; otherwise the gap is searched by pages without an entry.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, case, func, literal, select, union_all

from store.errors import InvalidNumber
from store.models import UsageEntryRow
from store.text import is_sanitized
from store.usage_spans import Span, near_span, within_limits
from store.values.usage import UsageFilter

MAX_PAGE_SIZE: Final = 500
MAX_CANDIDATES: Final = 2000
"""Rows that a page of several filters, or of a time, reads at most."""
MAX_IN_TIME: Final = 20_000
"""Entries of a time that are looked through for the next place."""
MAX_VALUES: Final = 20
"""Values of one filter."""
_LOG: Final = UsageEntryRow.c


@dataclass(frozen=True, slots=True)
class PageQuestion:
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

    def stop_at(self, edge: int) -> "PageQuestion":
        """The same page, read no farther than `edge`."""
        return replace(self, high=edge) if self.ascending else replace(self, low=edge)


def canonical_ip(text: str) -> str | None:
    """An IP address in canonical form, an IPv4-mapped one as IPv4; None for other text."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def read_rows(tx: Connection, question: PageQuestion, within: Span | None) -> tuple[Sequence[Row[Any]], int | None]:
    """The rows of a page in the order of reading, and the id from which to go on."""
    if not 1 <= question.limit <= MAX_PAGE_SIZE:
        raise InvalidNumber(f"A page has 1 to {MAX_PAGE_SIZE} entries.", field="limit")
    filters = _filters(question.only)
    if any(not values for _, values in filters):
        return (), None
    bounded = _within_time(tx, question, within)
    if bounded is None:
        return (), None
    rows, edge = _candidates(tx, bounded, filters)
    if rows or edge is None or not bounded.in_time:
        return rows, edge
    beyond = _beyond_gap(tx, bounded, edge)
    return (rows, edge) if beyond is bounded else ((), None) if beyond is None else _candidates(tx, beyond, filters)


def _candidates(
    tx: Connection, question: PageQuestion, filters: list[tuple[Column[str], tuple[str, ...]]]
) -> tuple[Sequence[Row[Any]], int | None]:
    """As `_read`, among the next `MAX_CANDIDATES` rows of the filter that has the fewest."""
    edge = None
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


def _within_time(tx: Connection, question: PageQuestion, within: Span | None) -> PageQuestion | None:
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


def _beyond_gap(tx: Connection, question: PageQuestion, edge: int) -> PageQuestion | None:
    """`question` from the next entry within its times behind `edge`; None if there is none.

    `question` itself if it has more than `MAX_IN_TIME` entries.
    """
    in_time = select(_LOG.id).where(_LOG.account_id == question.account_id, *question.in_time)
    ids = in_time.order_by(_LOG.at).limit(MAX_IN_TIME + 1).subquery()
    is_behind = ids.c.id > edge if question.ascending else ids.c.id < edge
    nearest = func.min if question.ascending else func.max
    count, following = tx.execute(select(func.count(), nearest(case((is_behind, ids.c.id))))).one()
    if count > MAX_IN_TIME:
        return question
    if following is None:
        return None
    return replace(question, low=following) if question.ascending else replace(question, high=following)


def _edge(tx: Connection, question: PageQuestion, column: Column[str] | None, values: tuple[str, ...]) -> int | None:
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


def _rows(question: PageQuestion, filters: Sequence[tuple[Column[str], tuple[str, ...]]]) -> "Select[Any] | Any":
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
