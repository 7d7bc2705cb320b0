"""The statements of a relayed call's shortcuts on PostgreSQL: its hold, and its booking.

All parts of a statement see the database as it was when the statement began; a row that another transaction has changed
since is waited for, and its condition checked again. A part runs once its own condition asks for the rows of another
part. That sets the order of the locks, which is that of the steps on SQLite: the account, the reservation, the quota,
the API key, then the rows that the call is logged in.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Insert,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    not_,
    null,
    over,
    select,
    true,
    update,
)

from store.known_calls import account_as_known
from store.models import Account, ApiKey, LedgerEntryRow, PrivacySettingsRow, Quota, Reservation, UsageEntryRow
from store.quota_changes import (
    FITS_ON_KEY,
    HELD,
    HELD_ON_KEY,
    IS_FREE,
    is_covered,
    is_crossed,
    spent_on_key,
    taken,
)
from store.shortcut import WholeStatement
from store.usage_additions import add_to_day, add_to_total

LOG_PARAMETERS: Final = {column.name: f"log_{column.name}" for column in UsageEntryRow.c if column.name != "id"}
"""The parameters of a row of the usage log, by the names of its columns."""
LEDGER_PARAMETERS: Final = {column.name: f"ledger_{column.name}" for column in LedgerEntryRow.c}
OF_EACH: Final = frozenset(
    {
        "cached_tokens",
        "completion_tokens",
        "cost_micro_usd",
        "detail",
        "duration_ms",
        "images",
        "prompt_tokens",
        "request_id",
    }
)
"""The columns of the usage log that may differ between calls that are booked together; the addresses may, too."""
_DIALECT: Final = "postgresql"


@cache
def hold_statement() -> WholeStatement:
    """Holds the amount of a call on the quota and on the API key, if both have it free."""
    return _hold(_account())


@cache
def known_hold_statement() -> WholeStatement:
    """As `hold_statement`, if a read of the key and the price would find what is known of them."""
    return _hold(account_as_known(_DIALECT).cte("account"))


def _hold(account: CTE) -> WholeStatement:
    """Holds `amount` for as many calls as there are `reservations`, each with its own of the `amounts`."""
    # Both rows are locked before either is changed: a statement cannot take back what it has done.
    free = (
        select(Quota.c.account_id)
        .where(Quota.c.account_id == _only(account.c.id), IS_FREE)
        .with_for_update(key_share=True)
        .cte("free")
    )
    on_key = (
        update(ApiKey)
        .where(ApiKey.c.id == _of(ApiKey.c.id, "key"), ApiKey.c.account_id == _only(free.c.account_id), FITS_ON_KEY)
        .values(HELD_ON_KEY)
        .returning(ApiKey.c.account_id)
        .cte("on_key")
    )
    held = (
        update(Quota)
        .where(Quota.c.account_id == _only(on_key.c.account_id))
        .values(HELD)
        .returning(Quota.c.account_id)
        .cte("held")
    )
    row: dict[str, ColumnElement[Any]] = {
        "id": _each(Reservation.c.id, "reservations"),
        "account_id": held.c.account_id,
        "api_key_id": _of(ApiKey.c.id, "key"),
        "held_micro_usd": _each(Reservation.c.held_micro_usd, "amounts"),
        "created_at": _of(Reservation.c.created_at, "now"),
    }
    opened = insert(Reservation).from_select(list(row), select(*row.values()).select_from(held))
    return WholeStatement(opened.returning(Reservation.c.id))


@cache
def booking_statement(*, with_address: bool) -> WholeStatement:
    """Books calls of one account and API key that share what `OF_EACH` does not name, or none of them.

    It books them if all their reservations are open, if the whole cost of all is covered, and if they cross no
    threshold.
    """
    account = _account()
    opened = (
        select(Reservation.c.held_micro_usd)
        .where(
            Reservation.c.id == _any("reservations"),
            Reservation.c.settled_at.is_(None),
            # As an equality, the plan could be to read all reservations of the account.
            Reservation.c.account_id.is_not_distinct_from(_only(account.c.id)),
        )
        .with_for_update(key_share=True)
        .cte("opened")
    )
    both = select(
        cast(func.sum(opened.c.held_micro_usd), BigInteger).label("held"), func.count().label("calls")
    ).select_from(opened)
    opened_together = both.cte("opened_together")
    cost, held = _of(Quota.c.used_micro_usd, "cost"), opened_together.c.held
    take = (
        update(Quota)
        .where(
            Quota.c.account_id == _of(Quota.c.account_id, "account"),
            opened_together.c.calls == func.cardinality(bindparam("reservations", type_=ARRAY(BigInteger))),
            is_covered(held),
            not_(is_crossed(Quota.c.remaining_micro_usd - cost)),
        )
        .values(taken(held))
        .returning(Quota.c.account_id, Quota.c.remaining_micro_usd, Quota.c.ledger_sequence)
        .cte("take")
    )
    is_taken = exists(select(literal(1)).select_from(take))
    settled = (
        update(Reservation)
        .where(Reservation.c.id == _any("reservations"), is_taken)
        .values(settled_at=_of(Reservation.c.settled_at, "now"))
        .cte("settled")
    )
    on_key = (
        update(ApiKey)
        .where(ApiKey.c.id == _of(ApiKey.c.id, "key"), is_taken)
        .values(spent_on_key(_only(held)))
        .cte("on_key")
    )
    logged = _logged(take, with_address=with_address)
    ids = select(func.min(logged.c.id).label("first"), func.max(logged.c.id).label("last"))
    new_ids = ids.having(func.count() > 0).cte("new_ids")
    day = add_to_day(_DIALECT, new_ids.c.first, new_ids.c.last, new_ids)
    on_day = day.returning(literal(1).label("added")).cte("on_day")
    on_total = add_to_total(_DIALECT, on_day).cte("on_total")
    in_ledger = _in_ledger(take, logged).cte("in_ledger")
    return WholeStatement(select(logged.c.id).add_cte(settled, on_key, on_day, on_total, in_ledger))


def _logged(take: CTE, *, with_address: bool) -> CTE:
    """The insertion of the calls into the usage log, if `take` returns a row."""
    each = {*OF_EACH, "client_ip"} if with_address else OF_EACH
    columns = {column.name: column for column in UsageEntryRow.c if column.name != "id"}
    calls = select(*(_each(columns[name], LOG_PARAMETERS[name]).label(name) for name in sorted(each))).cte("calls")
    row = {
        name: calls.c[name] if name in each else _of(column, LOG_PARAMETERS[name]) for name, column in columns.items()
    }
    if with_address:
        # The row lock serializes this with a concurrent save of the setting.
        private = (
            select(PrivacySettingsRow.c.record_client_ip)
            .where(PrivacySettingsRow.c.account_id == _only(take.c.account_id))
            .with_for_update(read=True)
            .cte("private")
        )
        row["client_ip"] = case((_only(private.c.record_client_ip), row["client_ip"]), else_=null())
    rows = select(*row.values()).select_from(take.join(calls, true()))
    logged = insert(UsageEntryRow).from_select(list(row), rows)
    return logged.returning(UsageEntryRow.c.id, UsageEntryRow.c.cost_micro_usd).cte("logged")


def _in_ledger(take: CTE, logged: CTE) -> Insert:
    """The insertion of the calls that cost something into the ledger, in the order of the usage log.

    `take` has the number and the balance after the last of them.
    """
    number = over(func.row_number(), order_by=logged.c.id)
    so_far = cast(over(func.sum(logged.c.cost_micro_usd), order_by=logged.c.id), BigInteger)
    charged = (
        select(logged, number.label("number"), so_far.label("so_far"))
        .where(logged.c.cost_micro_usd > 0)
        .subquery("charged")
    )
    first = take.c.ledger_sequence - _of(Quota.c.ledger_sequence, "entries")
    balance = take.c.remaining_micro_usd + _of(Quota.c.used_micro_usd, "cost")
    entry = {column.name: _of(column, LEDGER_PARAMETERS[column.name]) for column in LedgerEntryRow.c}
    entry |= {
        "account_id": take.c.account_id,
        "sequence": first + charged.c.number,
        "amount_micro_usd": -charged.c.cost_micro_usd,
        "balance_micro_usd": balance - charged.c.so_far,
        "usage_entry_id": charged.c.id,
    }
    rows = select(*entry.values()).select_from(take.join(charged, true()))
    return insert(LedgerEntryRow).from_select(list(entry), rows)


def _account() -> CTE:
    """The account, which cannot be deleted until the transaction ends (`row_locks.lock_against_deletion`)."""
    found = select(Account.c.id).where(Account.c.id == _of(Account.c.id, "account"))
    return found.with_for_update(read=True, key_share=True).cte("account")


def _of(column: ColumnElement[Any], name: str) -> Any:
    """The parameter `name` with the type of `column`."""
    return bindparam(name, type_=column.type)


def _each(column: ColumnElement[Any], name: str) -> Any:
    """The elements of the parameter `name`, a row for each. Two such columns advance together."""
    return func.unnest(bindparam(name, type_=ARRAY(column.type)), type_=column.type)


def _only(column: ColumnElement[Any]) -> Any:
    """The value of `column` in the one row of its part, or NULL without a row."""
    return select(column).scalar_subquery()


def _any(name: str) -> Any:
    """One of the elements of the parameter `name`, which are ids."""
    return any_(bindparam(name, type_=ARRAY(BigInteger)))
