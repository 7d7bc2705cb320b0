"""The statements that add an entry of the usage log to the totals of its day.

An entry's id and its row come from the parameters, or on PostgreSQL from another part of the same statement. They are
built once, because every relayed call runs them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, bindparam, case, select

from store.models import BigId, UsageDay
from store.models import UsageTotal as UsageTotalRow
from store.upsert import upserting_insert

ENTRY_ID: Final = bindparam("entry_id", type_=BigId)
_AT_MS: Final = bindparam("at_ms", type_=BigId)
_TOTAL_KEY: Final = ("account_id", "day", "model", "api_key_name")
_AMOUNTS: Final = ("calls", "errors", "tokens", "cost_micro_usd")


@cache
def add_to_day(
    dialect: str,
    first_id: ColumnElement[Any] = ENTRY_ID,
    last_id: ColumnElement[Any] = ENTRY_ID,
    source: FromClause | None = None,
) -> Any:
    """The upsert of a day. With a `source` it adds to it if that has a row; it has one at most."""
    days = UsageDay.c
    first: dict[str, ColumnElement[Any]] = {
        "account_id": bindparam("of_account", type_=days.account_id.type),
        "day": bindparam("on_day", type_=days.day.type),
        "calls": bindparam("more_calls", type_=BigId),
        "errors": bindparam("more_errors", type_=BigId),
        "tokens": bindparam("more_tokens", type_=BigId),
        "cost_micro_usd": bindparam("more_cost", type_=BigId),
        "first_entry_id": first_id,
        "last_entry_id": last_id,
        "newest_at_ms": _AT_MS,
        "set_back_ms": bindparam("not_set_back", 0, type_=BigId),
    }
    insert = _rows(dialect, UsageDay, first, source)
    set_back = days.newest_at_ms - _AT_MS
    # What would have been inserted, for ids that only the source knows.
    new_first = first_id if source is None else insert.excluded.first_entry_id
    new_last = last_id if source is None else insert.excluded.last_entry_id
    then = {name: days[name] + first[name] for name in _AMOUNTS} | {
        "first_entry_id": case((days.first_entry_id <= new_first, days.first_entry_id), else_=new_first),
        "last_entry_id": case((days.last_entry_id >= new_last, days.last_entry_id), else_=new_last),
        "newest_at_ms": case((days.newest_at_ms >= _AT_MS, days.newest_at_ms), else_=_AT_MS),
        "set_back_ms": case((set_back > days.set_back_ms, set_back), else_=days.set_back_ms),
    }
    return insert.on_conflict_do_update(index_elements=["account_id", "day"], set_=then)


@cache
def add_to_total(dialect: str, source: FromClause | None = None) -> Any:
    """The upsert of the total of a day, model and API key, as `add_to_day`."""
    columns = UsageTotalRow.c
    first = {name: bindparam(f"new_{name}", type_=columns[name].type) for name in (*_TOTAL_KEY, *_AMOUNTS)}
    then = {name: columns[name] + first[name] for name in _AMOUNTS}
    return _rows(dialect, UsageTotalRow, first, source).on_conflict_do_update(index_elements=_TOTAL_KEY, set_=then)


def _rows(dialect: str, table: Any, values: Mapping[str, ColumnElement[Any]], source: FromClause | None) -> Any:
    insert = upserting_insert(dialect)(table)
    if source is None:
        return insert.values(values)
    return insert.from_select(list(values), select(*values.values()).select_from(source))
